"""Texts made to use up memory or time, or to be shown at length: refused, or done in time and memory that follow from their length."""

from __future__ import annotations

import datetime
import decimal

import pytest

import fastframe as ff
from fastframe.errors import ArgumentError, ColumnNotFound, DTypeError, FastFrameError, IntegerOverflow, LossyCast, QueryError
from fastframe.frame.query_tokens import MAX_OPERATORS

LONG = 100_000
DAY = datetime.datetime(2024, 2, 29, 13, 5)


def frame() -> ff.DataFrame:
    return ff.DataFrame({"a": [1, 2, -5], "b": [0.5, None, 2.0], "s": ["x", "yy", None], "t": [DAY, None, DAY]})


def doubling(first: str, n_lines: int, join: str = "{0} + {0}") -> str:
    return "\n".join([f"c0 = {first}", *(f"c{line + 1} = {join.format(f'c{line}')}" for line in range(n_lines))])


@pytest.mark.parametrize("first", ["s", "s.str.upper()", "'ab'", "a.astype('str')", "s.fillna('z')", "s.max()", "s.astype('category')"])
@pytest.mark.parametrize("join", ["{0} + {0}", "({0} + 'x').str.lower() + {0}.fillna({0})", "where(a > 0, {0} + {0}, {0})", "{0}.max() + {0}"])
def test_texts_that_double_with_every_line(first: str, join: str) -> None:
    if "category" in first:
        join = join.replace("{0}", "{0}.astype('str')")
    with pytest.raises(QueryError, match=rf"the text has \d+ texts joined in one value, more than the {MAX_OPERATORS}"):
        frame().eval(doubling(first, 60, join))


def test_texts_may_be_joined_often_enough() -> None:
    found = frame().eval(doubling("s", 9))
    assert found["c9"].str.len().tolist() == [512, 1024, None]
    df = frame()
    for _ in range(3):   # a frame that is there has the texts that it has
        df = df.eval("s = s + s")
    assert df["s"].tolist() == ["x" * 8, "y" * 16, None]


def test_numbers_may_be_joined_as_often_as_they_fit() -> None:
    assert frame().eval(doubling("a", 60))["c60"].tolist() == [1 << 60, 1 << 61, -5 << 60]
    with pytest.raises(IntegerOverflow, match="add of column 'c60'"):
        frame().eval(doubling("a", 61))
    df = ff.DataFrame({"d": [decimal.Decimal("1.5")]})
    with pytest.raises(FastFrameError):
        df.eval(doubling("d", 200))


SHOWN = {
    "column": "{0}", "quoted": "`{0}`", "function": "{0}(1)", "method": "a.{0}()", "text method": "s.str.{0}()", "local": "@{0}", "option": "a.round({0}=1)",
    "dtype": "a.astype('{0}')", "pattern": "s.str.contains('({0}')", "frequency": "t.dt.floor('{0}')", "time": "t == '{0}'", "choice": "a.between(1, 2, '{0}')",
}  # fmt: skip


@pytest.mark.parametrize("name", SHOWN)
def test_long_names_are_not_shown_at_length(name: str) -> None:
    with pytest.raises(FastFrameError) as caught:
        frame().eval(SHOWN[name].format("n" * LONG))
    assert len(str(caught.value)) < 5000
    assert " ... " in str(caught.value)


@pytest.mark.parametrize("freq", ["9" * 5000 + "h", "9" * 19 + "h", "000h", "0D", "1" + "0" * 30 + "s", "²h", "h" * 50])
def test_frequencies(freq: str) -> None:
    with pytest.raises(ArgumentError, match="was given freq="):
        frame().eval(f"t.dt.floor('{freq}')")
    with pytest.raises(ArgumentError, match="was given freq="):
        frame()["t"].dt.round(freq)


def test_an_option_is_given_once() -> None:
    with pytest.raises(QueryError, match="does not read on at position 20"):
        frame().eval("b.round(decimals=1, decimals=0)")


@pytest.mark.parametrize(("text", "example"), [("a.str", ".str.upper"), ("t.dt", ".dt.year"), ("a.str()", ".str.upper"), ("s.str.str.len()", ".str.upper")])
def test_str_and_dt_alone(text: str, example: str) -> None:
    with pytest.raises(QueryError, match=f"stands after a column and before what is wanted of it. Write for example {example}"):
        frame().eval(text)


@pytest.mark.parametrize("text", ["s == '{}'", "s in ['x', '{}']", "c = '{}'", "`{}` + 1", "s.str.contains('{}')", "{}", "a.astype('{}')", "@{}"])
def test_half_of_a_surrogate_pair_is_no_text(text: str) -> None:
    for half in ("\ud800", "x\udfff"):
        with pytest.raises(QueryError, match="half of a surrogate pair stands at position"):
            frame().eval(text.format(half))


def test_half_of_a_surrogate_pair_as_a_value() -> None:
    df = frame()
    for attempt in (lambda: df["s"] == "\ud800", lambda: df.eval("s == @half", local_dict={"half": "\ud800"}), lambda: df["s"].fillna("\ud800")):
        with pytest.raises(LossyCast, match=r"'\\ud800' does not fit dtype string"):
            attempt()
    assert df.eval("s in @halves", local_dict={"halves": ["x", "\ud800"]}).tolist() == [True, False, False]


STRANGE: dict[str, tuple[str, type[FastFrameError], str]] = {
    "and of C": ("a > 1 && b > 1", QueryError, "'&&' is no operator here at position 6.*Write 'and'"),
    "or of C": ("a > 1 || b > 1", QueryError, r"'\|\|' is no operator here at position 6.*Write 'or'"),
    "unequal of SQL": ("a <> 1", QueryError, "'<>' is no operator here at position 2.*Write '!='"),
    "equal of JavaScript": ("a === 1", QueryError, "'===' is no operator here at position 2.*Write '=='"),
    "unequal of JavaScript": ("a !== 1", QueryError, "'!==' is no operator here.*Write '!='"),
    "turned at least": ("a => 1", QueryError, "'=>' is no operator here at position 2.*Write '>='"),
    "turned at most": ("a =< 1", QueryError, "'=<' is no operator here at position 2.*Write '<='"),
    "shift": ("a << 2", QueryError, "'<<' is no operator here.*power of two"),
    "other shift": ("a >> 2", QueryError, "'>>' is no operator here.*power of two with '//'"),
    "generator": ("(i for i in a)", QueryError, "'for' is not allowed at position 3"),
    "dict comprehension": ("{i: 1 for i in a}", QueryError, "':' is not allowed at position 2"),
    "nested f-string": ("f\"{__import__('os')}\" == s", QueryError, "'f' stands before a quote at position 0"),
    "format by %": ("'%s' % s", DTypeError, "mod is not defined between string and string"),
    "starred list": ("where(*[a > 1, b, b])", QueryError, "does not read on"),
    "attribute of a local": ("@x.real > 1", QueryError, "'.real' is not allowed"),
    "item of a local": ("@x[0] > 1", QueryError, r"taken out with \[...\]"),
    "call of a local": ("@x() > 1", QueryError, "does not read on"),
    "local of a local": ("@@x > 1", QueryError, "'@' is not allowed at position 0"),
    "Python's own local": ("a > @__builtins__", QueryError, "two underscores in front are Python's own"),
    "attribute in backticks": ("`a`.`__class__`", QueryError, "'.__class__' is not allowed"),
    "two in backticks": ("`a` `b`", QueryError, "does not read on at position 4"),
    "line carried on": ("a \\\n> 1", QueryError, "Brackets carry a line on"),
    "yield": ("yield a", QueryError, "'yield' is not allowed at position 0.*Statements"),
    "octal": ("a > 0o17", QueryError, "not written as one at position 4"),
    "leading zero": ("a > 017", QueryError, "does not read on at position 4"),
    "two underscores": ("a > 1__0", QueryError, "does not read on at position 4"),
    "Cyrillic": ("\u0430 > 1", ColumnNotFound, "no column '\u0430'"),
    "wide operator": ("a \uff1e 1", QueryError, "'\uff1e' is not allowed at position 2"),
    "wide digit": ("a > \uff11", QueryError, "not written as one at position 4"),
    "zero width": ("a\u200b > 1", QueryError, r"'\\u200b' is not allowed at position 1"),
    "byte order mark": ("\ufeffa > 1", QueryError, r"'\\ufeff' is not allowed at position 0"),
    "hard space": ("a\xa0> 1", QueryError, r"'\\xa0' is not allowed at position 1"),
    "result called": ("a.mean()()", QueryError, "does not read on"),
    "call of a method's call": ("a.mean.__call__()", QueryError, "'.mean' is a method"),
    "text in a text": ("s in 'xyz'", QueryError, "'in' takes a list of values"),
    "list in a list": ("a in [1] in [2]", QueryError, "a list stands where one value"),
    "texts side by side": ("'x' 'y' == s", QueryError, "does not read on at position 4"),
    "raw bytes": ("s == rb'x'", QueryError, "'rb' stands before a quote at position 5"),
    "arrow": ("a -> b", QueryError, "does not read on"),
    "ellipsis": ("...", QueryError, "does not read on at position 0"),
    "power of literals": ("2 ** 64 > a", IntegerOverflow, "pow does not fit int64"),
    "half an angle": ("arctan2(a)", QueryError, "arctan2 was called in a way.*missing"),
    "three sides": ("hypot(a, b, a)", QueryError, "hypot was called in a way.*too many"),
    "side of a text": ("hypot(a, 's')", DTypeError, "hypot is not defined for dtype string. It works on numbers"),
    "remainder of one": ("fmod(a)", QueryError, "fmod was called in a way.*missing"),
    "remainder of a text": ("fmod(a, 's')", DTypeError, "fmod is not defined between int64 and string"),
    "finite text": ("isfinite('s')", DTypeError, "isfinite is not defined for dtype string. It works on numbers"),
    "angle of a list": ("arctan2([1], a)", QueryError, "a list stands where one value"),
    "decimals of a column": ("round(a, b)", QueryError, "decimals that is not an int"),
}  # fmt: skip


@pytest.mark.parametrize("method", ["query", "eval"])
@pytest.mark.parametrize("name", STRANGE)
def test_strange_texts_are_refused(name: str, method: str) -> None:
    text, kind, message = STRANGE[name]
    with pytest.raises(kind, match=message) as caught:
        getattr(frame(), method)(text, local_dict={"x": 3})
    assert type(caught.value) is kind
    assert len(str(caught.value)) < 1500


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("1 < a < b + 2 < 9", []), ("a == 1 == 1", [1]), ("a > -1e400", [1, 2, -5]), ("a < 0x" + "f" * 300, [1, 2, -5]), ("a > 1_0", []),
        ("s == '&&' or a == 1", [1]), ("a in {1, 2}", [1, 2]), ("a in []", []), ("- - - a == 5", [-5]), ("a == None or a == 2", [2]),
        ("isnull(b)", [2]), ("notnull(b) & (a<1)", [-5]),
    ],
)  # fmt: skip
def test_strange_texts_that_mean_something(text: str, rows: list[int]) -> None:
    assert frame().query(text)["a"].tolist() == rows
