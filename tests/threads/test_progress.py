"""The progress line."""

import io
import threading
from contextlib import redirect_stderr

import pytest

from fastframe._threads import progress
from fastframe.options import option_context


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(params=[io.StringIO, Terminal])
def stderr(request: pytest.FixtureRequest) -> io.StringIO:
    return request.param()


def test_nothing_is_shown_unless_asked_for(stderr: io.StringIO) -> None:
    with redirect_stderr(stderr), progress(10, "reading") as report:
        report.advance(10)
    assert stderr.getvalue() == ""


def test_a_line_is_shown(stderr: io.StringIO) -> None:
    with redirect_stderr(stderr), option_context(progress=True), progress(2000, "reading a.csv") as report:
        report.advance(500)
        report.advance(1000)
    last = stderr.getvalue().rpartition("\r")[2]
    assert last.startswith("reading a.csv: 1,500 of 2,000 (75%) in ")
    assert last.endswith(" s\n")
    assert (stderr.getvalue().count("\r") > 1) == stderr.isatty()


def test_an_unknown_total(stderr: io.StringIO) -> None:
    with redirect_stderr(stderr), option_context(progress=True), progress(None, "writing") as report:
        report.advance(7)
    assert "writing: 7 in " in stderr.getvalue()


def test_the_line_ends_also_after_an_error(stderr: io.StringIO) -> None:
    with pytest.raises(OSError), redirect_stderr(stderr), option_context(progress=True), progress(4, "reading"):
        raise OSError
    assert stderr.getvalue().endswith("\n")


def test_threads_advance_it_together(stderr: io.StringIO) -> None:
    with redirect_stderr(stderr), option_context(progress=True), progress(4000, "reading") as report:
        threads = [threading.Thread(target=lambda: [report.advance() for _ in range(1000)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert report.done == 4000
    assert "4,000 of 4,000 (100%)" in stderr.getvalue()
