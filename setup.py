"""The Cython extensions; everything else about the package is in ``pyproject.toml``.

An extension is a thin ``.pyx`` beside the C++ headers that hold its loops. ``FASTFRAME_DEBUG_KERNELS=1`` turns
bounds checks on, ``FASTFRAME_SANITIZE=address,undefined`` builds with sanitizers (see ``make test-slow``), and
``FASTFRAME_ONLY=sort,join`` builds the named extensions alone.
"""

import os
import platform
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

ROOT = Path(__file__).parent
DEBUG = os.environ.get("FASTFRAME_DEBUG_KERNELS") == "1"
SANITIZE = os.environ.get("FASTFRAME_SANITIZE", "")
ONLY = set(filter(None, os.environ.get("FASTFRAME_ONLY", "").split(",")))

# Contraction to FMA would make results depend on the machine; -fwrapv makes wrapping a definition, not a bug.
FLAGS = ["-std=c++17", "-O3", "-ffp-contract=off", "-fwrapv", "-fno-math-errno", "-fvisibility=hidden", "-g0"]
if platform.machine() in {"x86_64", "AMD64"}:
    FLAGS.append("-march=x86-64-v2")
LINK: list[str] = []
if DEBUG:
    FLAGS += ["-O1", "-g", "-D_GLIBCXX_ASSERTIONS", "-DFASTFRAME_DEBUG=1"]
if SANITIZE:
    FLAGS += ["-O1", "-g", f"-fsanitize={SANITIZE}", "-fno-omit-frame-pointer", "-fno-sanitize-recover=undefined"]
    LINK += [f"-fsanitize={SANITIZE}"]


def extension(source: Path) -> Extension:
    """One extension per ``.pyx``; any header or ``.pxd`` of the two native folders rebuilds what may include it."""
    folders = ("fastframe/_threads", "fastframe/_kernels")
    headers = [str(path.relative_to(ROOT)) for folder in folders for path in (ROOT / folder).glob("*.[hp][px][pd]")]
    texts = {path: (ROOT / path).read_text() for path in headers}
    everywhere = [path for path in headers if path.endswith((".pxd", "kernel.hpp", "drive.hpp"))]
    found, unread = set(everywhere), [source.read_text()]
    while unread:   # what an included header includes, too
        text = unread.pop()
        new = {path for path in headers if Path(path).name in text} - found
        found |= new
        unread += [texts[path] for path in new]
    return Extension(
        name=".".join(source.relative_to(ROOT).with_suffix("").parts),
        sources=[str(source.relative_to(ROOT))],
        depends=sorted(found),
        extra_compile_args=FLAGS,
        extra_link_args=LINK,
        include_dirs=["fastframe/_threads", "fastframe/_kernels"],
        language="c++",
    )


sources = [path for folder in ("_threads", "_kernels") for path in sorted((ROOT / "fastframe" / folder).glob("*.pyx"))]

setup(
    ext_modules=cythonize(
        [extension(path) for path in sources if not ONLY or path.stem in ONLY],
        compiler_directives={
            "language_level": 3,
            "boundscheck": DEBUG,
            "wraparound": False,
            "initializedcheck": DEBUG,
            "cdivision": True,
            "embedsignature": True,
        },
        nthreads=0,
    )
)
