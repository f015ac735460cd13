# The two commands: make demo, make test. Everything lives in .venv, made here from python3 and a C++ compiler.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
NICE := nice -n 5
TESTS ?= tests

help: ## show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "fastframe needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --upgrade pip 'setuptools>=77' 'cython>=3.1'

# One stamp per set of extras: pip runs again only when pyproject.toml changes.
$(VENV)/.installed-%: pyproject.toml | $(VENV)/bin/python
	$(RUN) -m pip install --quiet --no-build-isolation --editable '.[$*]'
	@touch $@

build: | $(VENV)/bin/python ## compile what changed, two extensions at a time
	@mkdir -p build
	@$(NICE) $(RUN) setup.py --quiet build_ext > build/log.txt 2>&1 || { cat build/log.txt; exit 1; }
	@$(RUN) -m compileall -q fastframe

demo: $(VENV)/.installed-demo build ## the main job: real flights through joins, features, training and prediction
	$(RUN) examples/flights.py

test: $(VENV)/.installed-dev build ## the tests
	$(RUN) -m pytest $(TESTS) -q -n 2

test-slow: $(VENV)/.installed-dev ## longer property runs; kernels with bounds checks; kernels with ASAN and UBSAN
	FASTFRAME_HYPOTHESIS=slow $(RUN) -m pytest tests -q -n 2 -m ''
	$(RUN) tests/repo/checked_builds.py

docs: $(VENV)/.installed-dev build ## docs/api/ and docs/support.md from the docstrings and tables
	$(RUN) docs/make_api.py

lint: $(VENV)/.installed-dev build ## ruff, mypy on the lower floors, cython-lint, import floors, size budgets
	$(RUN) -m ruff check fastframe tests asv_benchmarks examples docs setup.py
	$(RUN) -m mypy
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" cython-lint fastframe
	$(RUN) -m pytest tests/repo -q -k 'budget or floor'

bench: $(VENV)/.installed-bench build ## the group-by questions against the peers; ROWS=1e7
	$(RUN) -m asv_benchmarks.compare groupby --rows $(or $(ROWS),1e7)

bench-smoke: $(VENV)/.installed-bench build ## every question and case, small: answers checked, nothing timed
	@for family in groupby join sort filter transform udf rolling small everyday cold; do \
	  $(RUN) -m asv_benchmarks.compare $$family --rows 1e4 --repeat 1 --json build/bench-smoke.json > build/bench-smoke.txt 2>&1 \
	    || { cat build/bench-smoke.txt; exit 1; }; echo "$$family: answers agree"; done
	@$(RUN) -m asv_benchmarks.compare cases --rows 2e4 --repeat 1 --contenders fastframe fastframe-cat duckdb --json build/bench-smoke.json \
	  > build/bench-smoke.txt 2>&1 || { cat build/bench-smoke.txt; exit 1; }; echo "cases: answers agree"

.venv-fireducks: ## FireDucks in an environment of its own (it needs pandas 2); comparisons then ask it, too
	$(PYTHON) -m venv $@
	$@/bin/python -m pip install --quiet fireducks

.venv-onnx: ## ONNX Runtime and its converters, for `compare predict`
	$(PYTHON) -m venv $@
	$@/bin/python -m pip install --quiet onnxruntime skl2onnx onnxmltools pyarrow pandas joblib $$($(RUN) -m pip freeze | grep -E '^(scikit-learn|xgboost-cpu|lightgbm)=')

.venv-lleaves: ## lleaves, for `compare predict`
	$(PYTHON) -m venv $@
	$@/bin/python -m pip install --quiet lleaves 'llvmlite<0.45' lightgbm pyarrow

.venv-treelite: ## treelite and tl2cgen, for `compare predict`
	$(PYTHON) -m venv $@
	$@/bin/python -m pip install --quiet treelite tl2cgen joblib $$($(RUN) -m pip freeze | grep -E '^(scikit-learn|xgboost-cpu|lightgbm)=')

clean: ## forget everything that was built
	rm -rf build .venv $$(git ls-files --others --ignored --exclude-standard 'fastframe/*.so' 'fastframe/*.cpp')

.PHONY: help build demo test test-slow docs lint bench bench-smoke clean
