"""A reader of UBJSON, the binary JSON that XGBoost saves models in: every length is checked before it is used.

https://ubjson.org, with the typed arrays that XGBoost writes (``src/common/json.cc``): they become NumPy arrays.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from fastframe.errors.models import ModelError

_NUMBERS = {b"i": ">b", b"U": ">B", b"I": ">h", b"l": ">i", b"L": ">q", b"d": ">f", b"D": ">d", b"C": ">b"}
_MAX_DEPTH = 64   # of arrays and objects inside each other; a model has 8


def loads(data: bytes | bytearray) -> Any:
    """The value that ``data`` holds: dicts, lists, str, int, float, bool, None, and NumPy arrays where arrays are typed.

    Raises
    ------
    ModelError
        If the data ends early, goes on after its value, or is not UBJSON.
    """
    reader = _Reader(memoryview(data))
    value = reader.value(0)
    if reader.at != len(data):
        raise ModelError.not_ubjson(reader.at, "nothing more")
    return value


class _Reader:
    """A place in the data that only moves forward."""

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.at = 0

    def take(self, n_bytes: int) -> bytes:
        if not 0 <= n_bytes <= len(self.data) - self.at:
            raise ModelError.not_ubjson(self.at, f"{n_bytes} more bytes")
        start, self.at = self.at, self.at + n_bytes
        return self.data[start : self.at].tobytes()

    def peek(self) -> bytes:
        return self.data[self.at : self.at + 1].tobytes()

    def expect(self, marker: bytes) -> None:
        if self.take(1) != marker:
            raise ModelError.not_ubjson(self.at - 1, repr(marker))

    def number(self, marker: bytes) -> Any:
        form = _NUMBERS[marker]
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def length(self) -> int:
        marker = self.take(1)
        if marker not in (b"i", b"U", b"I", b"l", b"L"):
            raise ModelError.not_ubjson(self.at - 1, "a length")
        return int(self.number(marker))

    def text(self) -> str:
        start = self.at
        try:
            return self.take(self.length()).decode()
        except UnicodeDecodeError:
            raise ModelError.not_ubjson(start, "text in UTF-8") from None

    def value(self, depth: int) -> Any:
        marker = self.take(1)
        if marker in _NUMBERS:
            return self.number(marker)
        if marker == b"S":
            return self.text()
        if marker in (b"T", b"F", b"Z"):
            return {b"T": True, b"F": False, b"Z": None}[marker]
        if marker not in (b"[", b"{") or depth >= _MAX_DEPTH:
            raise ModelError.not_ubjson(self.at - 1, "a value")
        return self.array(depth + 1) if marker == b"[" else self.object(depth + 1)

    def array(self, depth: int) -> Any:
        if self.peek() == b"$":
            return self.typed_array()
        if self.peek() == b"#":
            self.take(1)
            count = self.length()
            if not 0 <= count <= len(self.data) - self.at:   # every value takes a byte
                raise ModelError.not_ubjson(self.at, f"{count} more values")
            return [self.value(depth) for _ in range(count)]
        values = []
        while self.peek() != b"]":
            values.append(self.value(depth))
        self.take(1)
        return values

    def typed_array(self) -> np.ndarray[Any, Any]:
        self.expect(b"$")
        marker = self.take(1)
        if marker not in _NUMBERS:
            raise ModelError.not_ubjson(self.at - 1, "a type of numbers")
        self.expect(b"#")
        dtype = np.dtype(_NUMBERS[marker])
        values = np.frombuffer(self.take(self.length() * dtype.itemsize), dtype)
        return values.astype(dtype.newbyteorder("="))

    def object(self, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while self.peek() != b"}":
            name = self.text()
            values[name] = self.value(depth)
        self.take(1)
        return values
