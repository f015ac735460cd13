"""numba's errors in one plain sentence, with the user's line."""

from __future__ import annotations

import dis
import linecache
import os
import re
from typing import Any

from fastframe._jit.function import UserFunction
from fastframe._jit.reasons import REASONS, TYPES
from fastframe.errors import JITError
from fastframe.errors.jit import SourceLine

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_WHERE = re.compile(r'File "(?P<file>[^"\n]+)", line (?P<number>\d+)')
_OPCODE = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+\b")
_DURING = re.compile(r"During: .*? at (?P<file>[^\n]+?) \((?P<number>\d+)\)")


def jit_error(function: UserFunction, error: BaseException) -> JITError:
    """numba's error about a function, in plain words."""
    text = _COLOURS.sub("", str(error))
    reason, change = _reason(text)
    return JITError.because(function.name, _line(function, error, text), reason, change)


def _reason(text: str) -> tuple[str, str]:
    for pattern, reason, change in REASONS:
        match = re.search(pattern, text)
        if match is not None:
            words = _words(match.groupdict())
            return reason.format_map(words), change.format_map(words)
    return _first_line(text), "write that line with numbers, loops and NumPy functions"


def _words(groups: dict[str, Any]) -> dict[str, str]:
    words: dict[str, str] = {}
    for key, value in groups.items():
        if value is not None:
            words[key.rstrip("2")] = _plain(value)
    name = words.get("name", "")
    words.setdefault("name", "something")
    words.setdefault("what", "something")
    words["variable"] = "a value" if name.startswith("$") else name.partition(".")[0]
    return words


def _plain(text: str) -> str:
    """numba's names of types, as a reader of NumPy would say them."""
    for pattern, plain in TYPES:
        text = re.sub(pattern, plain, text)
    return re.sub(r"\s+", " ", text).strip()


_ABOUT_WHERE = (
    "During:", "File ", "Failed in", "^", "-", "There are", ">>>", "def ", "Enable logging", "raised from", "For more",
    "This error", "To ", "http", "<source", "[", "*",
)  # fmt: skip


def _first_line(text: str) -> str:
    """What a message says first that is not about where."""
    lines = [line.strip() for line in text.splitlines()]
    told = [line for line in lines if line and not line.startswith(_ABOUT_WHERE)]
    return _plain(told[0]).rstrip(".:") if told else "numba gives no reason"


def _line(function: UserFunction, error: BaseException, text: str) -> SourceLine:
    """The innermost line to blame that is not numba's: of the function, or of one that it calls."""
    file = function.function.__code__.co_filename
    places = sorted((match.start(), match["file"], int(match["number"])) for pattern in (_WHERE, _DURING) for match in pattern.finditer(text))
    for _, shown, number in places:
        if _same_file(shown, file):
            return function.line(number)
        if "numba/" not in shown and "<" not in shown:
            path = os.path.abspath(shown)
            return SourceLine(path, number, linecache.getline(path, number))
    loc = getattr(error, "loc", None)
    if loc is not None and _same_file(str(loc.filename), file):
        return function.line(int(loc.line))
    return function.line(_line_of_opcode(function, text))


def _line_of_opcode(function: UserFunction, text: str) -> int | None:
    """Where the function does what numba's message names by its opcode: such messages tell no line."""
    named = set(_OPCODE.findall(text))
    if "f-string" in text:
        named |= {"FORMAT_VALUE", "FORMAT_WITH_SPEC"}
    for instruction in dis.get_instructions(function.function):
        if instruction.opname in named and instruction.positions is not None:
            return instruction.positions.lineno
    return None


def _same_file(shown: str, file: str) -> bool:
    """numba shows paths relative to the working directory."""
    return file == shown or os.path.abspath(shown) == os.path.abspath(file) or file.endswith("/" + shown.lstrip("./"))
