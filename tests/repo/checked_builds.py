"""Run the kernels' tests against checked builds: with bounds checks, and with sanitizers. `make test-slow` calls it.

The builds live in a scratch copy of the tree, so the working tree keeps its fast kernels:

- ``bounds``: ``FASTFRAME_DEBUG_KERNELS=1``: libstdc++'s assertions and Cython's bounds checks;
- ``sanitizers``: ``FASTFRAME_SANITIZE=address,undefined``: AddressSanitizer and UndefinedBehaviorSanitizer, which have
  to be loaded before Python is. CPython keeps memory until its end, so leaks are not looked for, and Python's and
  Arrow's own allocators give way to malloc, whose blocks AddressSanitizer watches.

    python tests/repo/checked_builds.py                              # both, all of TESTS
    python tests/repo/checked_builds.py sanitizers --tests tests/kernels/test_sort.py
    python tests/repo/checked_builds.py --scratch /tmp/checked       # keeps the builds: the next run compiles what changed
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
COPIED = ("fastframe", "tests", "setup.py", "setup.cfg", "pyproject.toml", "README.md", "LICENSE")
NOT_COPIED = shutil.ignore_patterns("*.so", "*.cpp", "__pycache__", ".hypothesis")
TESTS = ["tests/kernels", "tests/engines", "tests/column"]
BUILD_FLAGS = {
    "bounds": {"FASTFRAME_DEBUG_KERNELS": "1"},
    "sanitizers": {"FASTFRAME_SANITIZE": "address,undefined"},
}
RUNTIMES = ("libasan.so", "libubsan.so", "libstdc++.so")   # the last: ASAN looks for its __cxa_throw at start
NICE = 10
REPORT_CHARACTERS = 5000


def main() -> int:
    """Build and test; the exit status says whether all tests passed in all builds."""
    arguments = parsed()
    scratch = arguments.scratch or Path(tempfile.mkdtemp(prefix="fastframe-checked-"))
    try:
        failed = [name for name in arguments.builds or BUILD_FLAGS if not check(name, scratch / name, arguments.tests or TESTS)]
    finally:
        if arguments.scratch is None:
            shutil.rmtree(scratch)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return len(failed)


def parsed() -> argparse.Namespace:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("builds", nargs="*", help=f"of {', '.join(BUILD_FLAGS)}; all where none is given")
    parser.add_argument("--tests", nargs="+", help=f"instead of {' '.join(TESTS)}")
    parser.add_argument("--scratch", type=Path, help="where the builds are made and kept")
    arguments = parser.parse_args()
    unknown = set(arguments.builds) - set(BUILD_FLAGS)
    if unknown:
        parser.error(f"no such build: {', '.join(unknown)}")
    return arguments


def check(name: str, tree: Path, tests: list[str]) -> bool:
    """Whether the tests pass against a build of that name, made in ``tree``."""
    copy_sources(tree)
    started = time.monotonic()
    nice([sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"], tree, BUILD_FLAGS[name]).check_returncode()
    built = time.monotonic()
    print(f"{name}: built in {built - started:.0f} s", flush=True)
    environment = {"PYTHONPATH": str(tree), "FASTFRAME_HYPOTHESIS": "checked", "PYTHONDONTWRITEBYTECODE": "1"}
    if name == "sanitizers":
        environment |= sanitizer_environment(tree)
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", str(os.cpu_count() or 1), *tests]
    tested = nice(command, tree, environment)
    passed = tested.returncode == 0
    for report in sorted(tree.glob("report.*")):
        print(report.read_text()[:REPORT_CHARACTERS], file=sys.stderr)
        report.unlink()
    print(f"{name}: {'passed' if passed else 'FAILED'} in {time.monotonic() - built:.0f} s", flush=True)
    return passed


def copy_sources(tree: Path) -> None:
    """What builds and tests need, with its times, so that an older build in ``tree`` compiles what changed only."""
    tree.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(tree / "tests", ignore_errors=True)   # an older copy may hold tests that are gone
    for part in COPIED:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, tree / part, ignore=NOT_COPIED, dirs_exist_ok=True)
        elif source.exists():
            shutil.copy2(source, tree / part)


def sanitizer_environment(tree: Path) -> dict[str, str]:
    """Reports go to files, because pytest holds back what a process writes before it aborts."""
    runtimes = [subprocess.check_output(["gcc", f"-print-file-name={name}"], text=True).strip() for name in RUNTIMES]
    return {
        "LD_PRELOAD": " ".join(runtimes),
        "ASAN_OPTIONS": f"detect_leaks=0:allocator_may_return_null=1:abort_on_error=1:disable_coredump=1:log_path={tree}/report",
        "UBSAN_OPTIONS": f"print_stacktrace=1:halt_on_error=1:abort_on_error=1:log_path={tree}/report",
        "PYTHONMALLOC": "malloc",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
    }


def nice(command: list[str], folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, behind everybody else's work."""
    return subprocess.run(
        ["nice", "-n", str(NICE), *command], cwd=folder, env={**os.environ, **environment}, text=True, check=False
    )


if __name__ == "__main__":
    sys.exit(main())
