"""numba's errors in one plain sentence, with the user's line."""
# ruff: noqa: E501

from __future__ import annotations

import re
from typing import Any

from fastframe._jit.function import UserFunction
from fastframe.errors import JITError
from fastframe.errors.jit import SourceLine

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_WHERE = re.compile(r'File "(?P<file>[^"\n]+)", line (?P<number>\d+)')
_DURING = re.compile(r"During: .*? at (?P<file>[^\n]+?) \((?P<number>\d+)\)")

# The first that is found in the message decides: pattern, reason, what to change; names are of the pattern's groups.
_REASONS: list[tuple[str, str, str]] = [
    (r"Use of unsupported opcode \(?(?:IMPORT_NAME|IMPORT_FROM)|IMPORT_NAME", "it imports a module inside", "import at the top of the file"),
    (r"NameError: name '(?P<name>\w+)' is not defined", "the name {name} is not defined", "define {name} before the function is used"),
    (r"[Uu]ndefined variable '(?P<name>\w+)'|variable '(?P<name2>\w+)' referenced before assignment",
     "{name} may have no value when it is used", "give {name} a value in every branch"),
    (r"Cannot determine Numba type of <class 'pandas[\w.]*\.(?P<name>\w+)'>|(?:module|Module)\(<module 'pandas'|Untyped global name '(?P<name2>\w+)'[^\n]*\n?[^\n]*pandas",
     "it uses pandas, and compiled code knows NumPy arrays and numbers only", "use NumPy functions on the arrays it is given"),
    (r"Untyped global name '(?P<name>[^']+)':?[^\n]*?<class '(?P<kind>[^']+)'>",
     "it uses {name} (a {kind}) from outside, which compiled code does not know", "pass what it needs from {name} as arguments: numbers or NumPy arrays"),
    (r"Untyped global name '(?P<name>[^']+)'", "it uses {name} from outside, which compiled code does not know",
     "pass what it needs from {name} as arguments: numbers or NumPy arrays"),
    (r"Unknown attribute '(?P<name>\w+)' of type Module\(<module '(?P<of>[\w.]+)'",
     "compiled code has no {of}.{name}", "use another function of {of}, or write it as a loop"),
    (r"Unknown attribute '(?P<name>\w+)' of type array", "arrays have no .{name} in compiled code", "use a function of NumPy, or write it as a loop"),
    (r"Unknown attribute '(?P<name>\w+)' of type (?P<of>[^\n]+)", "values of type {of} have no .{name} in compiled code", "do without .{name}"),
    (r"Cannot unify (?P<a>[^\n]+?) and (?P<b>[^\n]+?) for '(?P<name>[\w.$]+)'",
     "{variable} is {a} in one place and {b} in another", "give it one type everywhere, for example by float(...)"),
    (r"Can't unify return type from the following types: (?P<types>[^\n]+)",
     "it returns different types in different branches ({types})", "return the same type in every branch"),
    (r"unsupported nested memory-managed object|reflected list\(reflected list|cannot be compiled[^\n]*reflected",
     "it nests lists, which compiled code cannot", "use arrays"),
    (r"(?:Unsupported|unsupported)[^\n]*(?:try|SETUP_FINALLY|exception)|unsupported control flow[^\n]*try", "it uses a form of try that compiled code has not",
     "test for the case beforehand, without try"),
    (r"FORMAT_VALUE|format spec|unsupported.*format|FORMAT_SIMPLE|FORMAT_WITH_SPEC", "it formats text with an f-string", "leave the text out"),
    (r"Use of unsupported opcode \(?(?P<name>\w+)|unsupported opcode[^\n]*?(?P<name2>[A-Z_]{4,})", "it uses a form of Python that compiled code has not ({name})",
     "write that line with loops, numbers and arrays"),
    (r"The use of (?P<what>[^\n]+?) is not supported|(?:Use|use) of (?P<what2>[^\n]+?)(?: is)? (?:not supported|unsupported)", "it uses {what}, which compiled code has not", "write that line differently"),
    (r"No implementation of function Function\(<built-in function (?P<name>getitem|setitem)>\) found for signature:\s*\n?\s*>>> \w+\((?P<args>[^\n]*)\)",
     "indexing with these types is not possible in compiled code ({args})", "index arrays by integers, slices, or one mask or index array"),
    (r"No implementation of function Function\(<(?:built-in )?(?:function|ufunc|class) '?(?P<name>[\w.]+)'?[^\n]*?>\) found for signature:\s*\n?\s*>>> [\w.]+\((?P<args>[^\n]*)\)",
     "{name} does not take these types in compiled code ({args})", "convert the arguments, or write it as a loop"),
    (r"Invalid use of [^\n]*?(?P<name>\w+)[^\n]* with (?:parameters|argument\(s\) of type\(s\)): \((?P<args>[^\n]*)\)",
     "{name} does not take these types in compiled code ({args})", "convert the arguments, or write it as a loop"),
    (r"Cannot (?:modify|assign to) ?(?:value of type )?readonly|Cannot modify readonly array",
     "it writes into an array it was given, and these are read-only", "write into a copy: x = x.copy()"),
    (r"[Cc]annot determine Numba type of (?P<kind><class '[^']+'>)", "it uses a value of {kind}, which compiled code does not know",
     "use numbers and NumPy arrays"),
    (r"got an unexpected keyword argument '(?P<name>\w+)'", "it passes {name}= to a function that does not take it in compiled code", "leave {name}= out"),
]  # fmt: skip


def jit_error(function: UserFunction, error: BaseException) -> JITError:
    """numba's error about a function, in plain words."""
    text = _COLOURS.sub("", str(error))
    reason, change = _reason(text)
    return JITError.because(function.name, _line(function, error, text), reason, change)


def _reason(text: str) -> tuple[str, str]:
    for pattern, reason, change in _REASONS:
        match = re.search(pattern, text)
        if match is not None:
            words = _words(match.groupdict())
            return reason.format_map(words), change.format_map(words)
    return _last_line(text), "write that line with numbers, loops and NumPy functions"


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


_TYPES = [
    (r"array\((?P<of>[\w\[\]]+), 1d, \w+\)|[Rr]eadonly (?:buffer|array)\((?P<of2>[\w\[\]]+), 1d, \w+\)", r"array of \g<of>\g<of2>"),
    (r"Literal\[\w+\]\((.+?)\)", r"\1"),
    (r"reflected list\((\w+)\)(?:<iv=[^>]*>)?", r"list of \1"),
    (r"unicode_type", "text"),
]  # fmt: skip


def _plain(text: str) -> str:
    """numba's names of types, as a reader of NumPy would say them."""
    for pattern, plain in _TYPES:
        text = re.sub(pattern, plain, text)
    return re.sub(r"\s+", " ", text).strip()


_ABOUT_WHERE = (
    "During:", "File ", "Failed in", "^", "-", "There are", ">>>", "def ", "Enable logging", "raised from", "For more",
    "This error", "To ", "http", "<source", "[", "*",
)  # fmt: skip


def _last_line(text: str) -> str:
    """What a message says at its most exact: the last sentence that is not about where."""
    lines = [line.strip() for line in text.splitlines()]
    told = [line for line in lines if line and not line.startswith(_ABOUT_WHERE)]
    return _plain(told[-1]).rstrip(".:") if told else "numba gives no reason"


def _line(function: UserFunction, error: BaseException, text: str) -> SourceLine:
    """The line that is to blame: the last of the function's own that the message tells."""
    file = function.function.__code__.co_filename
    found = [match for match in (*_WHERE.finditer(text), *_DURING.finditer(text)) if _same_file(match["file"], file)]
    own = [int(match["number"]) for match in found if int(match["number"]) >= function.function.__code__.co_firstlineno]
    if own:
        return function.line(own[-1])
    loc = getattr(error, "loc", None)
    if loc is not None and _same_file(str(loc.filename), file):
        return function.line(int(loc.line))
    return function.line()


def _same_file(shown: str, file: str) -> bool:
    """numba shows paths relative to the working directory."""
    return file == shown or file.endswith("/" + shown.lstrip("./")) or shown.lstrip("./") == file
