"""Paths, lists and globs of files; writing whole files or none; errors of readers as ours."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from fastframe.errors import FastFrameError, FileMissing, InvalidData

# What pyarrow raises for damaged bytes.
_DAMAGE = (pa.ArrowException, OSError, EOFError, UnicodeDecodeError, ValueError, KeyError)


def expand(source: Any) -> list[str]:
    """The files of a path, a list of paths, a folder or a glob, sorted within each.

    Raises
    ------
    FileMissing
        Where nothing matches.
    """
    if isinstance(source, list | tuple):
        return [path for one in source for path in expand(one)]
    path = os.fspath(source)
    if os.path.isdir(path):
        found = sorted(str(one) for one in Path(path).iterdir() if one.is_file() and not one.name.startswith((".", "_")))
    elif os.path.exists(path):
        found = [path]
    else:
        import glob

        found = sorted(glob.glob(path)) if glob.has_magic(path) else []
    if not found:
        raise FileMissing.of(path)
    return found


@contextmanager
def reading(path: Any, kind: str) -> Iterator[None]:
    """Turn what a reader raises for missing or damaged files into our errors."""
    try:
        yield
    except FastFrameError:
        raise
    except FileNotFoundError:
        raise FileMissing.of(path) from None
    except PermissionError:
        raise
    except MemoryError:
        raise
    except _DAMAGE as error:
        raise InvalidData.in_file(path, kind, " ".join(str(error).split())[:300]) from error


@contextmanager
def whole_file(path: Any) -> Iterator[str]:
    """A temporary name beside ``path`` that takes its place only if nothing fails, so no half-written file is left."""
    import tempfile  # it imports random and every compression

    target = os.fspath(path)
    folder = os.path.dirname(target) or "."
    if not os.path.isdir(folder):
        raise FileMissing.of_folder(folder)
    handle, name = tempfile.mkstemp(prefix=f".{os.path.basename(target)}.", dir=folder)
    os.close(handle)
    try:
        yield name
        os.replace(name, target)
    except BaseException:
        if os.path.exists(name):
            os.unlink(name)
        raise
