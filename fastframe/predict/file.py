"""The ``.ffp`` file: a saved predictor in one flat, versioned, memory-mapped file.

========================= ============================================================================================
bytes                     what
========================= ============================================================================================
0 to 8                    ``MAGIC``: line ends and a high bit show files that went through text
8 to 48                   little-endian: version (u32), 0 (u32), header bytes (u64), file bytes (u64), CRC of the header (u32),
                          CRC of bytes 0 to 36 (u32), zeros
64 to 64 + header bytes   UTF-8 JSON: see `encode.py`; ``sections``: dtype, shape and CRC of each array
then                      the arrays' bytes, in order, little-endian, C order, each at the next multiple of 64, zeros between
========================= ============================================================================================

Offsets follow from sizes and there is no byte that nothing accounts for, so what is cut, moved or added shows. Arrays are
read-only views of the mapping: processes that load one file share its memory. There is no code in it, and no pickle.
"""

from __future__ import annotations

import math
import mmap
import os
import struct
import zlib
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from fastframe._version import __version__
from fastframe.errors import FileMissing, ModelError, ModelFileError
from fastframe.predict.encode import DTYPES, decode, encode
from fastframe.predict.model import Model

Array = np.ndarray[Any, Any]

MAGIC = b"\x89FFP\r\n\x1a\n"
VERSION = 1
ALIGNMENT = 64
_PREFIX = struct.Struct("<8sIIQQI")
_CRC = struct.Struct("<I")


def _aligned(n_bytes: int) -> int:
    return -(-n_bytes // ALIGNMENT) * ALIGNMENT


def file_bytes(model: Model, extra: dict[str, Any] | None = None) -> bytes:
    """The file of a model; ``extra`` is kept beside it as it is.

    Raises
    ------
    ModelFileError
        Where a part of the model cannot be kept.
    """
    described, arrays = encode(model)
    plain = [np.ascontiguousarray(array, array.dtype.newbyteorder("<")) for array in arrays]
    sections = [[one.dtype.str, list(one.shape), zlib.crc32(one.tobytes())] for one in plain]
    import json

    header = json.dumps({"fastframe": __version__, **described, "extra": extra or {}, "sections": sections}, ensure_ascii=False).encode()
    body = bytearray(_aligned(ALIGNMENT + len(header)) - ALIGNMENT - len(header))
    for one in plain:
        body += one.tobytes()
        body += bytes(_aligned(len(one.tobytes())) - one.nbytes)
    return prefix(header, ALIGNMENT + len(header) + len(body)) + header + bytes(body)


def prefix(header: bytes, total: int) -> bytes:
    """The first 64 bytes of a file with this header and of ``total`` bytes."""
    start = _PREFIX.pack(MAGIC, VERSION, 0, len(header), total, zlib.crc32(header))
    return (start + _CRC.pack(zlib.crc32(start))).ljust(ALIGNMENT, b"\0")


def _path(given: Any) -> str:
    if not isinstance(given, str | os.PathLike):   # open() would take a number for an open file
        raise ModelFileError.no_path(given)
    return os.fspath(given)


def save_model(model: Model, path: Any, extra: dict[str, Any] | None = None) -> None:
    """Write a model, whole or not at all."""
    from fastframe.io.paths import whole_file

    path = _path(path)
    if os.path.isdir(path):
        raise ModelFileError.is_folder(path)
    content = file_bytes(model, extra)
    with whole_file(path) as temporary, open(temporary, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def load_model(path: Any) -> tuple[Model, dict[str, Any]]:
    """The model of a file, and what was kept beside it; the arrays share the file's memory.

    Raises
    ------
    FileMissing
    ModelFileError
        Where the file is no saved predictor, of a later version, or damaged.
    """
    path = _path(path)
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size < ALIGNMENT:
                raise ModelFileError.not_one(path)
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (FileNotFoundError, IsADirectoryError):
        raise FileMissing.of(path) from None
    return model_of(content, path)


def model_of(content: Any, path: Any = "these bytes") -> tuple[Model, dict[str, Any]]:
    """As `load_model`, of what supports the buffer protocol."""
    try:
        return _read(memoryview(content), path)
    except ModelFileError:
        raise
    except ModelError as error:
        raise ModelFileError.damaged(path, str(error)) from error
    except Exception as error:   # whatever a header from outside makes Python or NumPy say
        raise ModelFileError.damaged(path, f"{type(error).__name__}: {error}") from error


def _read(content: memoryview, path: Any) -> tuple[Model, dict[str, Any]]:
    if len(content) < ALIGNMENT or bytes(content[:8]) != MAGIC:
        raise ModelFileError.not_one(path)
    _, version, flags, header_bytes, total, header_crc = _PREFIX.unpack_from(content)
    (own_crc,) = _CRC.unpack_from(content, _PREFIX.size)
    if own_crc != zlib.crc32(content[: _PREFIX.size]) or flags or any(content[_PREFIX.size + _CRC.size : ALIGNMENT]):
        raise ModelFileError.damaged(path, "its first 64 bytes were changed")
    if version != VERSION:
        raise ModelFileError.of_version(path, version, VERSION)
    if total != len(content) or header_bytes > total - ALIGNMENT:
        raise ModelFileError.damaged(path, f"it has {len(content)} bytes instead of {total}")
    header = content[ALIGNMENT : ALIGNMENT + header_bytes]
    if zlib.crc32(header) != header_crc:
        raise ModelFileError.damaged(path, "its header was changed")
    described = _parsed(bytes(header).decode())
    if type(described["extra"]) is not dict:
        raise ModelFileError.damaged(path, f"what it keeps beside the model is {described['extra']!r:.40}")
    arrays = _arrays(content, ALIGNMENT + header_bytes, described["sections"], path)
    return decode(described, arrays), described["extra"]


class _Json:
    """How CPython's own JSON scanner is to read: as `json.loads`, whose package costs a load 2 ms to import."""

    strict, object_hook, object_pairs_hook, parse_float, parse_int = True, None, None, float, int
    parse_constant = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}.__getitem__
    memo: ClassVar[dict[str, str]] = {}


def _parsed(text: str) -> Any:
    """What a text says in JSON."""
    try:
        from _json import make_scanner
    except ImportError:   # another Python
        import json

        return json.loads(text)
    value, end = make_scanner(_Json)(text, 0)   # type: ignore[arg-type]
    if end != len(text):
        raise ValueError(f"the header has {len(text) - end} characters after its end")
    return value


def _arrays(content: memoryview, offset: int, sections: Sequence[Any], path: Any) -> list[Array]:
    """Views of the sections, checked against their checksums."""
    arrays = []
    for number, (dtype, shape, crc) in enumerate(sections):
        start = _aligned(offset)
        if dtype not in DTYPES or not all(type(one) is int and one >= 0 for one in shape) or len(shape) > 4:
            raise ModelFileError.damaged(path, f"section {number} is {dtype} of shape {shape}")
        count = 1
        for one in shape:
            count *= one
        stop = start + count * np.dtype(dtype).itemsize
        if stop > len(content) or any(content[offset:start]):
            raise ModelFileError.damaged(path, f"section {number} does not fit")
        if zlib.crc32(content[start:stop]) != crc:
            raise ModelFileError.damaged(path, f"section {number} was changed")
        array = np.frombuffer(content, np.dtype(dtype), count, start).reshape(shape)
        if dtype == "|b1" and count and array.view(np.uint8).max() > 1:
            raise ModelFileError.damaged(path, f"section {number} has bools that are neither 0 nor 1")
        arrays.append(array)
        offset = stop
    if _aligned(offset) != len(content) or any(content[offset:]):
        raise ModelFileError.damaged(path, "it has bytes that belong to nothing")
    return arrays
