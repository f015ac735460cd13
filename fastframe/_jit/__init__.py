"""Users' functions, compiled by numba to kernels of the usual range contract; imported when first needed.

`function.py` what the user passed; `fingerprint.py` when two functions are the same; `arguments.py` dtypes in and out; `kernel.py`
compiling; `calls.py` and `runs.py` calling; `cache.py` and `disk.py` where kernels are kept; `failures.py` and `reasons.py` numba's
errors in plain words; `decorator.py` `ff.jit`; `parallel.py` functions with numba's own threads. numba's compiler is touched in
`pipeline.py`, `shortcuts.py`, `glue.py` and `load.py` alone. docs/plans/user_functions.md has the reasons.
"""
