"""Texts that were read before: they are not read again, and mean what they mean now."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

import fastframe as ff
from fastframe.errors import ColumnNotFound, DTypeError, QueryError
from fastframe.frame import evaluating
from fastframe.frame.query_memory import MOST_CHARACTERS, MOST_TEXTS, remembered


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    remembered.cache_clear()
    yield
    remembered.cache_clear()


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were read, one by one."""
    texts: list[str] = []
    lines_of = evaluating.lines_of

    def counting(text: str, **options: Any) -> Any:
        texts.append(text)
        return lines_of(text, **options)

    monkeypatch.setattr(evaluating, "lines_of", counting)
    return texts


def test_a_text_is_read_once(read: list[str]) -> None:
    for values, wanted in (([1, 2, 3], [2, 3]), ([5, 0], [5]), ([], []), ([1.5, None], [1.5])):
        assert ff.DataFrame({"a": ff.Series(values, dtype="float64")}).query("a > 1")["a"].tolist() == wanted
    assert read == ["a > 1"]
    assert ff.DataFrame({"a": [1]}).eval("a > 1").tolist() == [False]
    assert read == ["a > 1", "a > 1"]   # eval reads line by line


def test_dtypes_may_change() -> None:
    found = [
        ff.DataFrame({"a": ff.Series([7, 8], dtype=dtype)}).eval("a / 2 + a * 3")
        for dtype in ("int8", "float32", "int64", "float64", "int8")
    ]  # fmt: skip
    assert [one.tolist() for one in found] == [[24.5, 28.0]] * 5
    assert str(found[0].dtype) == str(found[4].dtype)
    with pytest.raises(DTypeError, match="truediv is not defined"):
        ff.DataFrame({"a": ["x"]}).eval("a / 2 + a * 3")


def test_names_are_looked_up_again(read: list[str]) -> None:
    by_column = ff.DataFrame({"x": [1, 2], "y": [5, 6]})
    by_label = by_column.set_index("x")
    both = ff.DataFrame({"x": [2, 1], "y": [5, 6]}).set_index("x")
    both["x"] = [7, 8]
    for _ in range(2):
        assert by_column.query("x > 1")["y"].tolist() == [6]
        assert by_label.query("x > 1")["y"].tolist() == [6]
        assert both.query("x > 1")["y"].tolist() == [5, 6]   # the column, not the label
        with pytest.raises(ColumnNotFound, match="no column 'x'. The columns are: 'z'"):
            ff.DataFrame({"z": [1]}).query("x > 1")
    assert by_label.set_index("y", append=True).query("y == 6").shape == (1, 0)
    assert read.count("x > 1") >= 4


def test_names_that_a_text_assigns(read: list[str]) -> None:
    text = "c = a + 1\nd = c * 2"
    assert ff.DataFrame({"a": [1]}).eval(text)["d"].tolist() == [4]
    assert ff.DataFrame({"a": [1], "c": [9]}).eval(text)["d"].tolist() == [4]
    assert ff.DataFrame({"a": [2], "c": [5]}).set_index("c").eval(text)["d"].tolist() == [6]
    assert read == [text]
    shadowing = "d = c * 2\nc = a + 1"
    assert ff.DataFrame({"a": [1], "c": [9]}).eval(shadowing)["d"].tolist() == [18]
    assert ff.DataFrame({"a": [2], "c": [5]}).set_index("c").eval(shadowing)["d"].tolist() == [10]
    with pytest.raises(ColumnNotFound, match="no column 'c'"):
        ff.DataFrame({"a": [1]}).eval(shadowing)


def test_local_variables_are_read_each_time() -> None:
    df = ff.DataFrame({"a": [1, 2, 3]})
    assert [df.query("a > @least")["a"].tolist() for least in (0, 2)] == [[1, 2, 3], [3]]
    assert [df.query("a > @least", local_dict={"least": least})["a"].tolist() for least in (0, 2)] == [[1, 2, 3], [3]]
    with pytest.raises(QueryError, match="@least is not among local_dict"):
        df.query("a > @least", local_dict={})


def test_refused_texts_stay_refused(read: list[str]) -> None:
    df = ff.DataFrame({"a": [1]})
    for _ in range(2):
        with pytest.raises(QueryError, match="'.__class__' is not allowed"):
            df.query("a.__class__")
        with pytest.raises(QueryError):
            df.query("c = a")
        assert df.eval("c = a")["c"].tolist() == [1]
    assert read.count("c = a") == 3


def test_what_is_kept_is_bounded(read: list[str]) -> None:
    df = ff.DataFrame({"a": [1]})
    long = "a in [" + ", ".join(map(str, range(MOST_CHARACTERS))) + "]"
    for _ in range(2):
        assert len(df.query(long)) == 1
    assert read == [long, long]
    for number in range(MOST_TEXTS + 10):
        df.query(f"a > {number}")
    assert remembered.cache_info().currsize == MOST_TEXTS


def test_threads_share_what_is_known() -> None:
    frames = [ff.DataFrame({"a": ff.Series([1, 2, 3], dtype=dtype)}) for dtype in ("int64", "float64", "int8", "uint16")]
    wanted = [frame.eval("(a - 1) * 2 + a / 2").tolist() for frame in frames]
    failures: list[Any] = []

    def ask(number: int) -> None:
        for turn in range(200):
            at = (number + turn) % len(frames)
            found = frames[at].eval("(a - 1) * 2 + a / 2").tolist()
            if found != wanted[at]:
                failures.append((at, found))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not failures
