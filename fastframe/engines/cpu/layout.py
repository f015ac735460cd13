"""Where the states of a pass over the rows lie: drawn once, and kept, for all passes that ask the same of alike columns.

A layout refers to no column and no memory; `Layout.put_into` makes a program of it, over the columns of one call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from fastframe._kernels import aggregate as kernels
from fastframe.column.column import Column, ColumnView
from fastframe.dtypes import Kind, Physical
from fastframe.engines.cpu.facts import lacks_nan, lies_within, note_no_nan
from fastframe.engines.cpu.requests import COUNTS, EXTREMES, OWN_COUNT, POSITIONS, PROOF_ROWS, Operation, Request, Source, source_of

_CODE_BYTES = 4   # whatever the width of the codes is: nothing may depend on it
_NONE = -1        # no second column, no input, no text
_FLOATS = (Physical.F32, Physical.F64)
_INTEGERS = {Kind.INT, Kind.UINT}

Pairs = tuple[tuple[int, int], ...]   # steps whose totals share a word, the low half first


class _Held(NamedTuple):
    """What a layout depends on of a column."""

    physical: int
    width: int
    nan_bytes: int   # the width of a float that may be NaN, else 0
    nullable: bool


class _Asked(NamedTuple):
    """What a layout depends on of a request; columns by number."""

    operation: Operation
    column: int
    other: int
    all_rows: bool
    missing_matters: bool
    needs_n: bool


class StatePlace(NamedTuple):
    """Where a request's state is in the program."""

    step: int
    presence: int
    needs_n: bool


class _Step(NamedTuple):
    """Arguments of ``Program.add_step``, and where the rest of them comes from: a request, the text of a column."""

    operation: Operation
    first: int
    physical: int
    other: int = _NONE
    other_physical: int = _NONE
    request: int = _NONE
    text: int = _NONE


class _Presence(NamedTuple):
    """Arguments of ``Program.add_presence``, and the steps that follow it."""

    inputs: tuple[int, int]
    nan_bytes: tuple[int, int]
    counted: bool
    steps: list[_Step]


class Operands(NamedTuple):
    """The columns of a pass as kernels read them, each once; ``columns``: where facts of them are of use."""

    sources: list[Source]
    n_rows: int
    columns: Sequence[Column] = ()

    def nan_free(self, column: int) -> bool:
        """Whether a column is known to hold no NaN."""
        return bool(self.columns) and lacks_nan(self.columns[column])


class Layout(NamedTuple):
    """A program without its columns.

    Attributes
    ----------
    inputs : list of (column, physical)
        ``column`` -1: row numbers.
    presences : list
        Who has a value; each with the steps of its states.
    places : list of StatePlace
        Per request.
    counter : int
        The step that counts rows; -1: none.
    words : list of (step, request)
        The steps that add to a word, in order; request -1: the step that counts rows.
    offsets, halves : list of int
        Of each step's field, and whether it is a whole word or which half of one.
    stride, row_bytes : int
        Bytes of a state, and of a row in all inputs and its code.
    """

    inputs: list[tuple[int, int]]
    presences: list[_Presence]
    places: list[StatePlace]
    counter: int
    words: list[tuple[int, int]]
    offsets: list[int]
    halves: list[int]
    stride: int
    row_bytes: int

    def put_into(self, program: kernels.Program, requests: Sequence[Request], operands: Operands) -> None:
        """Inputs, presences and steps; ``Program.lay_out`` comes next."""
        for column, physical in self.inputs:
            program.add_input(physical, operands.sources[column].view if column >= 0 else ColumnView(0, 0, 0, operands.n_rows))
        for pair, nans, counted, steps in self.presences:
            first, second = [0 if nan and operands.nan_free(self.inputs[one][0]) else nan for one, nan in zip(pair, nans, strict=True)]
            program.add_presence(*pair, first, second, counted)
            for operation, value, physical, other, other_physical, request, text in steps:
                if request < 0:
                    program.add_step(operation, value, physical)
                elif text >= 0:
                    program.add_step(operation, value, physical, text=operands.sources[text].text)
                else:
                    one = requests[request]
                    program.add_step(operation, value, physical, other, other_physical,
                                     smallest=one.smallest, other_smallest=one.other_smallest)  # fmt: skip

    def note_nan(self, found: Sequence[bool], operands: Operands) -> None:
        """Keep which columns hold no NaN, from what a pass over all rows ``found`` of each presence."""
        if not operands.columns:
            return
        for (pair, nans, _, _), some in zip(self.presences, found, strict=True):
            for one, nan in zip(pair, nans, strict=True):
                if nan and not some:
                    note_no_nan(operands.columns[self.inputs[one][0]])


def layout_of(
    requests: Sequence[Request], *, filled: bool, grouped: bool, source: Callable[[Column], Source] = source_of
) -> tuple[Layout, Operands]:
    """The layout for requests, and what to put into it; ``filled``: every group has a row."""
    numbers: dict[int, int] = {}
    columns: list[Column] = []
    asked = []
    for one in requests:
        places = []
        for column in (one.column, one.other):
            number = _NONE if column is None else numbers.setdefault(id(column), len(columns))
            if column is not None and number == len(columns):
                columns.append(column)
            places.append(number)
        needs_n = one.result is None or one.result.needs_n
        asked.append((one.operation, places[0], places[1], one.all_rows, one.missing_matters, needs_n))   # `_Asked` costs more
    sources = [source(column) for column in columns]
    held = tuple([_held(column, source) for column, source in zip(columns, sources)])
    operands = Operands(sources, len(columns[0]), columns if grouped and len(columns[0]) >= PROOF_ROWS else ())
    drawing = tuple(asked), held, filled
    layout = _drawn(*drawing, ())
    if grouped and operands.n_rows >= PROOF_ROWS and len(layout.words) > 1:
        layout = _drawn(*drawing, _sharing(layout.words, requests, operands.n_rows))
    return layout, operands


def _sharing(words: Sequence[tuple[int, int]], requests: Sequence[Request], n_rows: int) -> Pairs:
    """Successive totals that the columns' ranges prove to fit 32 bits share a word."""
    pairs = []
    low: tuple[int, int] | None = None
    for word in words:
        one = _of(word, requests)
        if one is not None and one.operation is not Operation.SUM_PROVEN and (
            one.operation is not Operation.SUM or one.column.dtype.kind not in _INTEGERS
        ):
            low = None
        elif low is not None and _fits_half(_of(low, requests), n_rows) and _fits_half(one, n_rows):
            pairs.append((low[0], word[0]))
            low = None
        else:
            low = word
    return tuple(pairs)


def _of(word: tuple[int, int], requests: Sequence[Request]) -> Request | None:
    """The request of a word; None: it counts rows."""
    return requests[word[1]] if word[1] >= 0 else None


def _fits_half(one: Request | None, n_rows: int) -> bool:
    """Whether no total passes 31 bits and a sign."""
    return one is None or lies_within(one.column, 2**31 // n_rows)


def _held(column: Column, source: Source) -> tuple[int, int, int, bool]:
    width = column.dtype.width
    return source.physical, width or 8, width if source.physical in _FLOATS else 0, source.view.validity != 0


@lru_cache(maxsize=256)
def _drawn(asked: tuple[tuple[Any, ...], ...], columns: tuple[tuple[int, int, int, bool], ...], filled: bool, pairs: Pairs) -> Layout:
    return _Drawing([_Asked(*one) for one in asked], [_Held(*one) for one in columns], filled=filled).layout(pairs)


class _Drawing:
    """Requests as inputs, presences (who has a value) and a step per state."""

    def __init__(self, asked: Sequence[_Asked], columns: Sequence[_Held], *, filled: bool) -> None:
        self.asked, self.columns, self.filled = asked, columns, filled
        self.inputs: dict[tuple[int, int], int] = {}
        self.presences: list[_Presence] = []
        self.row_bytes = _CODE_BYTES
        self.n_steps = 0

    def layout(self, pairs: Pairs) -> Layout:
        places, counter = self._places()
        sizes, adds_words = _fields(self.presences)
        steps = [step for presence in self.presences for step in presence.steps]
        words = [(number, step.request) for number, step in enumerate(steps) if adds_words[number]]
        halves = [kernels.WHOLE] * len(steps)
        for low, high in pairs:
            halves[low], halves[high] = kernels.LOW, kernels.HIGH
        offsets, stride = _laid_out(sizes, adds_words, halves)
        return Layout(list(self.inputs), self.presences, places, counter, words, offsets, halves, stride, self.row_bytes)

    def _places(self) -> tuple[list[StatePlace], int]:
        """Presences with their steps; requests that lack the same rows share one."""
        places: dict[int, StatePlace] = {}
        by_presence: dict[tuple[int, int] | None, list[int]] = {None: []}
        for number, one in enumerate(self.asked):
            by_presence.setdefault(self._lacking(one), []).append(number)
        needs = [self._needs_n(one) for one in self.asked]
        self.presences.append(_Presence((_NONE, _NONE), (0, 0), False, []))
        counter = self._add_step(_Step(Operation.COUNT, 0, _NONE)) if any(needs) else _NONE
        for key, numbers in by_presence.items():
            if key is not None:
                self._add_presence(key, [self.asked[number] for number in numbers], any(needs[number] for number in numbers))
            shared: dict[tuple[Operation, int, int], int] = {}
            for number in numbers:
                one = self.asked[number]
                step = kernels.EMIT_N if one.operation is Operation.COUNT else kernels.EMIT_MISSING
                if one.operation not in COUNTS:
                    same = (one.operation, one.column, one.other)
                    if same not in shared:
                        shared[same] = self._add_step(self._step(number, one))
                    step = shared[same]
                places[number] = StatePlace(step, len(self.presences) - 1, needs[number])
        return [places[number] for number in range(len(self.asked))], counter

    def _lacking(self, one: _Asked) -> tuple[int, int] | None:
        """Equal for requests that lack the same rows; None where none can be lacking."""
        pair = (one.column, one.other)
        held = [self.columns[column] for column in pair if column >= 0]
        return pair if not one.all_rows and any(column.nan_bytes or column.nullable for column in held) else None

    def _needs_n(self, one: _Asked) -> bool:
        """Whether each group's number of values must be known."""
        if one.operation is Operation.COUNT:
            return True
        if one.operation in EXTREMES:
            return not self.filled or self._lacking(one) is not None
        if one.operation in OWN_COUNT or one.operation is Operation.MISSING:
            return False
        return one.operation is Operation.MOMENTS_EXACT or one.needs_n

    def _add_presence(self, pair: tuple[int, int], asked: Iterable[_Asked], needs_n: bool) -> None:
        counted = needs_n or any(one.missing_matters for one in asked)
        reads_values = any(one.operation not in COUNTS and one.operation not in POSITIONS for one in asked)
        nans = [self.columns[column].nan_bytes if column >= 0 else 0 for column in pair]
        inputs = [
            self._input(column, values=reads_values or nan > 0) if column >= 0 else _NONE
            for column, nan in zip(pair, nans, strict=True)
        ]
        self.presences.append(_Presence((inputs[0], inputs[1]), (nans[0], nans[1]), counted, []))

    def _add_step(self, step: _Step) -> int:
        self.presences[-1].steps.append(step)
        self.n_steps += 1
        return self.n_steps - 1

    def _step(self, number: int, one: _Asked) -> _Step:
        physical = self.columns[one.column].physical
        if one.operation in POSITIONS:
            rows = self._add_input(_NONE, kernels.ROW_NUMBERS, 0)
            return _Step(one.operation, rows, physical, request=number, text=one.column)
        first = self._input(one.column, values=True)
        if one.other < 0:
            return _Step(one.operation, first, physical, request=number)
        return _Step(one.operation, first, physical, self._input(one.other, values=True), self.columns[one.other].physical, number)

    def _input(self, column: int, *, values: bool) -> int:
        held = self.columns[column]
        return self._add_input(column, held.physical if values else _NONE, held.width)

    def _add_input(self, column: int, physical: int, width: int) -> int:
        key = (column, physical)
        if key not in self.inputs:
            self.inputs[key] = len(self.inputs)
            self.row_bytes += width
        return self.inputs[key]


def _fields(presences: Iterable[_Presence]) -> tuple[list[int], list[bool]]:
    """Of each step the bytes of its field, and whether it adds to a word."""
    program = kernels.Program((0, _CODE_BYTES, 0), n_groups=0, keep_alive=None)
    for presence in presences:
        for step in presence.steps:
            program.add_presence(_NONE, _NONE, 0, 0, False)
            program.add_step(step.operation, step.first, step.physical, step.other, step.other_physical)
    return program.slot_bytes, program.adds_words


def _laid_out(sizes: list[int], words: list[bool], halves: list[int]) -> tuple[list[int], int]:
    """Offsets and stride: words in the order of their steps, between wider and narrower fields; no gaps."""
    offsets, end, most = [0] * len(sizes), 0, 8
    for number in sorted(range(len(sizes)), key=lambda number: -8.5 if words[number] else -_alignment(sizes[number])):
        if halves[number] == kernels.HIGH:   # in the word before
            offsets[number] = end - sizes[number]
            continue
        offsets[number] = end
        end += sizes[number]
        most = max(most, 8 if words[number] else _alignment(sizes[number]))
    return offsets, -(-max(end, 1) // most) * most


def _alignment(n_bytes: int) -> int:
    return min(n_bytes & -n_bytes, 16)
