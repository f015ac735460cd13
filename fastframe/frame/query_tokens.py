"""The words of a text for ``eval`` and ``query``: what may occur at all, before anything else looks at it.

Every name, text and local variable is replaced by a placeholder, so that Python's parser sees brackets, operators, numbers
and placeholders only: no name of the text is ever looked up by Python, and names keep their exact characters.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import field

from fastframe.errors import QueryError
from fastframe.records import record

MAX_CHARACTERS, MAX_OPERATORS, MAX_NESTING, MAX_DIGITS = 200_000, 1000, 50, 400

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\f]+)
    |(?P<line>\n)
    |(?P<number>(?:0[xX][0-9a-fA-F]+|(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?)(?![\w.]))
    |(?P<text>[rR]?(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"))
    |(?P<prefix>[^\W\d]\w*(?=['"]))
    |(?P<quoted>`[^`\n]*`)
    |(?P<local>@[^\W\d]\w*)
    |(?P<name>[^\W\d]\w*)
    |(?P<operator>\*\*|//|<=|>=|==|!=|[-+*/%<>=&|^~()\[\]{},.])""",
    re.VERBOSE,
)
_WORDS = {"and", "or", "not", "in", "True", "False", "None"}
_REFUSED = {
    "lambda": "Functions are not allowed.", "for": "Loops and comprehensions are not allowed.", "if": "Write where(condition, x, y).",
    "else": "Write where(condition, x, y).", "is": "Write x == y, x.isna() or x.notna().", "import": "Nothing is imported here.",
    **dict.fromkeys(
        ("while", "def", "class", "return", "yield", "await", "async", "with", "try", "except", "raise", "del", "global", "nonlocal",
         "assert", "pass", "from", "as", "break", "continue", "finally", "elif"), "Statements are not allowed."),
}  # fmt: skip
_INSTEAD = {
    ":": "Slices, dicts, ':=' and lambda are not allowed; write x.str.slice(1, 3) for parts of texts.", "!": "Write 'not' or '!='.",
    "'": "The text in quotes does not end.", '"': "The text in quotes does not end.", "`": "The name in backticks does not end.",
    "@": "A variable's name must follow: @name.", ";": "Write each assignment on a line of its own.", "\\": "Brackets carry a line on.",
    "#": "Comments are not allowed.",
}  # fmt: skip
_FOREIGN = {
    "&&": "Write 'and'.", "||": "Write 'or'.", "<>": "Write '!='.", "===": "Write '=='.", "!==": "Write '!='.", "=>": "Write '>='.",
    "=<": "Write '<='.", "<<": "Multiply by a power of two.", ">>": "Divide by a power of two with '//'.",
}  # fmt: skip
_ESCAPE = re.compile(r"\\(?:([\\'\"ntr0])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))")
_SURROGATE = re.compile("[\ud800-\udfff]")   # Python's texts may hold them, UTF-8 does not
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}
_OPENING, _CLOSING = "([{", ")]}"
_BOOLEAN = {"&": "and", "|": "or"}   # they bind as `and` and `or` do, as in pandas' queries


@record()
class Line:
    """One statement, ready for Python's parser.

    ``words`` have placeholders for ``names`` (columns, functions, methods), ``texts`` and ``locals``; ``positions`` are
    where they stand in the user's text.
    """

    target: str | None = None
    words: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    locals: dict[str, str] = field(default_factory=dict)
    positions: list[int] = field(default_factory=list)

    def add(self, word: str, position: int) -> None:
        """Another word, from a position of the user's text."""
        self.words.append(word)
        self.positions.append(position)

    @property
    def source(self) -> str:
        """What Python's parser reads."""
        return " ".join(self.words)

    def origin(self, offset: int) -> int:
        """The position in the user's text of a position in ``source``."""
        ends = itertools.accumulate(len(word) + 1 for word in self.words)
        return next((position for end, position in zip(ends, self.positions, strict=True) if offset < end), max(self.positions, default=0))


@record()
class Word:
    """A token of the text: its kind (a group of the pattern), what is written, and where."""

    kind: str
    text: str
    position: int


def lines_of(text: str, *, several: bool) -> list[Line]:
    """The statements of a text, one per line; line ends within brackets (or everywhere, unless ``several``) are spaces.

    Raises
    ------
    QueryError
        Something that is never allowed, or too much of it.
    """
    if len(text) > MAX_CHARACTERS:
        raise QueryError.too_long("characters", len(text), MAX_CHARACTERS)
    half = _SURROGATE.search(text)
    if half is not None:
        raise QueryError.at(text, half.start(), "half of a surrogate pair stands", "No column holds such texts; decode the text anew.")
    lines = [_line(text, words) for words in _split(_words(text), several=several) if words]
    if not lines:
        raise QueryError.empty()
    return lines


def _words(text: str) -> Iterator[Word]:
    position, operators, before = 0, 0, ""
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise _refused(text, position)
        kind, word = str(found.lastgroup), found[0]
        if kind == "prefix" and word not in _WORDS:
            raise QueryError.at(text, position, f"{word!r} stands before a quote", "Texts are written 'x', or r'x'; there are no f-strings.")
        kind = "name" if kind == "prefix" else kind
        if kind == "number" and len(word) > MAX_DIGITS:
            raise QueryError.at(text, position, f"a number of {len(word)} digits is written", "No dtype holds it.")
        sign = word in "+-" and before in ("", ",", *_OPENING)   # of a number in a list, most likely
        if (kind == "operator" and word not in "()[]{},." and not sign) or word in ("and", "or", "not", "in"):
            operators += 1
            if operators > MAX_OPERATORS:
                raise QueryError.too_long("operators or more", operators, MAX_OPERATORS)
        if kind != "space":
            yield Word(kind, word, position)
            before = word
        position = found.end()


def _refused(text: str, position: int) -> QueryError:
    character = text[position]
    if character.isdigit() or character == ".":
        return QueryError.at(text, position, "a number is not written as one", "Put a space or an operator behind it.")
    return QueryError.at(text, position, f"the character {character!r} is not allowed", _INSTEAD.get(character, "Put unusual column names in backticks."))


def _split(words: Iterator[Word], *, several: bool) -> Iterator[list[Word]]:
    """Words by line."""
    line: list[Word] = []
    depth = 0
    for word in words:
        if word.kind == "line":
            if several and depth == 0:
                yield line
                line = []
            continue
        depth += (word.text in _OPENING) - (word.text in _CLOSING) if word.kind == "operator" else 0
        if depth > MAX_NESTING:
            raise QueryError.too_deep(MAX_NESTING)
        line.append(word)
    yield line


def _refuse_foreign(text: str, words: list[Word]) -> None:
    """Raise `QueryError` for operators of other languages, which are two words here."""
    for one, other in itertools.pairwise(words):
        both = one.text + other.text
        if both in _FOREIGN and one.position + len(one.text) == other.position and "text" not in (one.kind, other.kind):
            raise QueryError.at(text, one.position, f"{both!r} is no operator here", _FOREIGN[both])


def _line(text: str, words: list[Word]) -> Line:
    """One statement with placeholders; ``name =`` in front is the target."""
    line = Line()
    _refuse_foreign(text, words)
    if len(words) > 1 and words[1].text == "=" and words[0].kind in ("name", "quoted"):
        line.target = _checked_name(text, words[0])
        words = words[2:]
    inside = [0]   # kinds of the brackets that are open: 1 for those of calls, where name=value is an option
    for number, word in enumerate(words):
        after = words[number + 1].text if number + 1 < len(words) else ""
        if word.kind == "operator":
            _operator(text, line, word, inside, words[number - 1] if number else None)
        else:
            _operand(text, line, word, is_option=inside[-1] == 1 and after == "=")
    return line


def _operator(text: str, line: Line, word: Word, inside: list[int], before: Word | None) -> None:
    if word.text in _OPENING:
        inside.append(int(word.text == "(" and before is not None and before.kind == "name"))
    elif word.text in _CLOSING and len(inside) > 1:
        inside.pop()
    elif word.text == "=" and inside[-1] != 1:
        raise QueryError.assignment(text, word.position)
    line.add(_BOOLEAN.get(word.text, word.text), word.position)


def _operand(text: str, line: Line, word: Word, *, is_option: bool) -> None:
    """A number or word of the language as it is, anything else as a placeholder."""
    if word.kind == "number" or (word.text in _WORDS and word.kind == "name"):
        line.add(word.text, word.position)
        return
    if is_option:
        if not word.text.isascii() or not word.text.isidentifier() or word.text in _REFUSED:
            raise QueryError.assignment(text, word.position)
        line.add(word.text, word.position)
        return
    placeholder = f"_{len(line.names) + len(line.texts) + len(line.locals)}"
    if word.kind == "text":
        line.texts[placeholder] = _decoded(word.text)
    elif word.kind == "local":
        line.locals[placeholder] = word.text[1:]
    else:
        line.names[placeholder] = _checked_name(text, word)
    line.add(placeholder, word.position)


def _checked_name(text: str, word: Word) -> str:
    if word.kind == "quoted":
        if len(word.text) == 2:
            raise QueryError.at(text, word.position, "the name in backticks is empty", "Write a column's name between them.")
        if word.text[1] < " ":
            raise QueryError.at(text, word.position, "the name in backticks starts with a control character", "Rename the column.")
        return word.text[1:-1]
    if word.text in _REFUSED:
        raise QueryError.at(text, word.position, f"{word.text!r} is not allowed", f"{_REFUSED[word.text]} A column of that name is written in backticks.")
    if word.text in _WORDS:
        raise QueryError.at(text, word.position, f"{word.text!r} is not a name", "A column of that name is written in backticks.")
    return word.text


def _decoded(literal: str) -> str:
    """The text between quotes; an unknown escape stays as it is written, so that patterns need no ``r``."""
    if literal[0] in "rR":
        return literal[2:-1]
    return _ESCAPE.sub(_unescaped, literal[1:-1])


def _unescaped(found: re.Match[str]) -> str:
    if found[1]:
        return _ESCAPED.get(found[1], found[1])
    code = int(found[2] or found[3] or found[4], 16)
    return chr(code) if code <= 0x10FFFF and not 0xD800 <= code < 0xE000 else found[0]
