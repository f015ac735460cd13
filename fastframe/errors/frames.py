"""Errors of frames, columns, files and engines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from math import prod
from typing import Any

from fastframe.errors.base import FastFrameError, KernelStatus, counted, listed, suggestion


class ColumnNotFound(FastFrameError, KeyError):
    """A name is not among a frame's columns."""

    @classmethod
    def among(cls, name: Any, available: Sequence[str]) -> ColumnNotFound:
        hint = suggestion(name, available)
        return cls(f"there is no column {name!r}.{hint} The columns are: {listed(available)}.")

    @classmethod
    def all_of(cls, names: Sequence[Any], available: Sequence[str]) -> ColumnNotFound:
        if len(names) == 1:
            return cls.among(names[0], available)
        hints = "".join(suggestion(name, available) for name in names)
        return cls(f"there are no columns {listed(names)}.{hints} The columns are: {listed(available)}.")

    @classmethod
    def in_file(cls, path: Any, wanted: Sequence[Any], detail: str) -> ColumnNotFound:
        return cls(f"not all of the columns {listed(wanted)} are in {path}: {detail}. Read it with nrows=0 to see its columns.")

    @classmethod
    def at(cls, position: int, n_columns: int) -> ColumnNotFound:
        return cls(f"there is no column at position {position}: the frame has {counted(n_columns, 'column')}, 0 to {n_columns - 1}.")


class OutOfRange(FastFrameError, IndexError):
    """A position is outside the rows."""

    @classmethod
    def of(cls, position: int, n_rows: int) -> OutOfRange:
        if n_rows == 0:
            return cls(f"position {position} was asked for, but there are no rows. Check .empty first.")
        return cls(f"position {position} is outside the {counted(n_rows, 'row')}. Positions run from {-n_rows} to {n_rows - 1}; use .loc for labels.")


class LabelNotFound(FastFrameError, KeyError):
    """A row label is not in the index."""

    @classmethod
    def of(cls, labels: Sequence[Any]) -> LabelNotFound:
        return cls(f"the row labels {listed(labels)} are not in the index. Use .iloc for positions.")

    @classmethod
    def of_group(cls, key: Any) -> LabelNotFound:
        return cls(f"there is no group {key!r}. Give the key as iteration over the groups does, for several keys a tuple.")


class DTypeError(FastFrameError, TypeError):
    """An operation has no meaning for a dtype."""

    @classmethod
    def of_operation(cls, operation: str, dtype: Any, column: str | None = None, allowed: str = "") -> DTypeError:
        where = f" of column {column!r}" if column is not None else ""
        hint = f" It works on {allowed}." if allowed else ""
        return cls(f"{operation} is not defined for dtype {dtype}{where}.{hint} Use .astype(...) to convert first.")

    @classmethod
    def of_pair(cls, operation: str, left: Any, right: Any) -> DTypeError:
        return cls(f"{operation} is not defined between {left} and {right}. Use .astype(...) to give both one dtype.")

    @classmethod
    def of_literal(cls, value: Any) -> DTypeError:
        return cls(f"{value!r} of type {type(value).__name__} is not one value. Give a number, text, bool, date, time or None.")

    @classmethod
    def of_logic(cls, operation: str, left: Any, right: Any) -> DTypeError:
        return cls(
            f"{operation} is not defined between {left} and {right}: it takes two columns of bool or of integers. Where comparisons were meant, "
            "put each in brackets, (a > 1) & (b < 2): & and | bind more tightly than < and ==."
        )

    @classmethod
    def of_zones(cls, operation: str, left: Any, right: Any) -> DTypeError:
        return cls(f"{operation} is not defined between {left} and {right}: one has a time zone. Use .dt.tz_localize(...) on one of them.")

    @classmethod
    def of_unordered(cls, operation: str) -> DTypeError:
        return cls(f"{operation} is not defined for categories without an order. Use .cat.as_ordered() or .astype('string') first.")

    @classmethod
    def of_categories(cls, operation: str) -> DTypeError:
        return cls(f"{operation} is not defined between category columns of different categories. Use .astype('string') on both.")

    @classmethod
    def unknown(cls, given: Any, available: Sequence[str]) -> DTypeError:
        return cls(f"{given!r} is not a dtype that fastframe knows.{suggestion(given, available)} Known are, among others: {listed(available, 20)}.")

    @classmethod
    def unsupported_arrow(cls, arrow_type: Any, column: str | None = None) -> DTypeError:
        where = f" of column {column!r}" if column is not None else ""
        return cls(f"the Arrow type {arrow_type}{where} is not supported. Cast it with pyarrow before handing it over.")

    @classmethod
    def of_pandas_extension(cls, kind: str, column: str | None = None) -> DTypeError:
        where = f" of column {column!r}" if column is not None else ""
        return cls(f"pandas' {kind} dtype{where} is not supported. Use .dt.to_timestamp() on periods, .left and .right of intervals, first.")

    @classmethod
    def not_tabular(cls, source: str, given: Any) -> DTypeError:
        return cls(f"{source} cannot be made from {type(given).__name__}. Give a dict of columns, a 2-D array, or a pandas, polars or Arrow object.")

    @classmethod
    def of_values(cls, column: str | None, detail: str) -> DTypeError:
        where = f" of column {column!r}" if column is not None else ""
        return cls(f"the values{where} have no common dtype: {detail}. Convert them to one type before handing them over.")

    @classmethod
    def of_set(cls) -> DTypeError:
        return cls("the rows of a set have no order. Use sorted(...) or list(...) on it first.")

    @classmethod
    def of_results(cls, results: dict[str, Any]) -> DTypeError:
        given = ", ".join(f"{name!r}: {dtype}" for name, dtype in list(results.items())[:10])
        return cls(f"the results have no common dtype for one series ({given}). Pass numeric_only=True, or select columns of one kind first.")

    @classmethod
    def of_labels(cls, left: Any, right: Any) -> DTypeError:
        return cls(f"row labels of dtypes {left} and {right} cannot stand in one index. Pass ignore_index=True, or use reset_index() first.")

    @classmethod
    def not_a_mask(cls, dtype: Any) -> DTypeError:
        return cls(f"a mask must be of dtype bool, but it is {dtype}. Compare first, for example df[df['x'] > 0].")


class ShapeError(FastFrameError, ValueError):
    """Lengths or dimensions do not fit together."""

    @classmethod
    def of_lengths(cls, lengths: dict[str, int]) -> ShapeError:
        given = ", ".join(f"{name!r}: {length}" for name, length in list(lengths.items())[:10])
        return cls(f"all columns must have one length, but they have {given}. Pad or cut them to one length.")

    @classmethod
    def of_assignment(cls, name: str, given: int, n_rows: int) -> ShapeError:
        return cls(f"column {name!r} has {counted(given, 'value')}, but the frame has {counted(n_rows, 'row')}. Give one value, or one per row.")

    @classmethod
    def of_mask(cls, given: int, n_rows: int) -> ShapeError:
        return cls(f"the mask has {counted(given, 'value')}, but there are {n_rows} rows. A mask needs one bool per row.")

    @classmethod
    def too_many_rows(cls, n_rows: int) -> ShapeError:
        return cls(f"{n_rows} rows are more than the 2147483647 that one local table holds. Read or process it in parts.")

    @classmethod
    def of_dimensions(cls, given: int, expected: str) -> ShapeError:
        return cls(f"an array of {given} dimensions was given, but {expected} is needed. Reshape it first.")

    @classmethod
    def of_names(cls, n_names: int, n_columns: int) -> ShapeError:
        return cls(f"{n_names} names were given for {counted(n_columns, 'column')}. Give one name per column.")

    @classmethod
    def join_too_large(cls, n_rows: int) -> ShapeError:
        return cls(
            f"the join would make {n_rows} rows, more than the 2147483647 that one local table holds. "
            "Keys repeat on both sides: aggregate one side first, or check with validate='one_to_many'."
        )

    @classmethod
    def of_levels(cls, left: int, right: int) -> ShapeError:
        return cls(f"an index of {left} levels cannot be lined up with one of {right}. Use reset_index() or set_index() to give both the same.")

    @classmethod
    def of_sort(cls, n_ways: int, n_keys: int) -> ShapeError:
        return cls(f"ascending has {counted(n_ways, 'value')} for {counted(n_keys, 'sort key')}. Give one bool, or one per key.")

    @classmethod
    def of_comparison(cls) -> ShapeError:
        return cls("only operands with equal row labels can be compared. Use reset_index(drop=True) on both to compare by position.")

    @classmethod
    def ambiguous_truth(cls, kind: str) -> ShapeError:
        return cls(f"the truth value of a {kind} is ambiguous. Use .empty, .any(), .all(), or & | ~ instead of and, or, not.")

    @classmethod
    def of_targets(cls, given: int, n_targets: int) -> ShapeError:
        return cls(f"{given} values were given for {counted(n_targets, 'row')}. Give one value, or one per row that is replaced.")

    @classmethod
    def scalar_needed(cls, n_rows: int) -> ShapeError:
        return cls(f"one value is needed, but there are {n_rows} rows. Take one with .iloc[0], or aggregate.")


class DuplicateColumn(FastFrameError, ValueError):
    """Two columns would have the same name."""

    @classmethod
    def of(cls, names: Iterable[str], hint: str = "Rename them first, or pass names that differ.") -> DuplicateColumn:
        return cls(f"column names must be unique, but {listed(names)} would occur more than once. {hint}")


class DuplicateLabel(FastFrameError, ValueError):
    """Alignment needs unique labels and does not find them."""

    @classmethod
    def in_alignment(cls) -> DuplicateLabel:
        return cls("rows cannot be aligned by labels that occur more than once. Use reset_index(drop=True) to combine by position.")


class IntegerOverflow(FastFrameError, OverflowError):
    """An exact result does not fit its integer or decimal dtype."""

    @classmethod
    def in_aggregation(cls, name: str, column: str, dtype: Any, total: Any = None) -> IntegerOverflow:
        exact = f" The exact total is {total}." if total is not None else ""
        return cls(f"{name} of column {column!r} does not fit {dtype}.{exact} Use .astype('float64') to accept rounding.")

    @classmethod
    def in_arithmetic(cls, operation: str, dtype: Any, column: str | None = None) -> IntegerOverflow:
        where = f" of column {column!r}" if column else ""
        return cls(f"{operation}{where} does not fit {dtype}. Use .astype('float64'), or a wider integer, before computing.")


class LossyCast(FastFrameError, ValueError):
    """A cast would lose information and was not asked to."""

    @classmethod
    def of(cls, source: Any, target: Any, column: str | None = None, detail: str = "") -> LossyCast:
        where = f" column {column!r}" if column is not None else " values"
        because = f" ({detail})" if detail else ""
        return cls(f"casting{where} from {source} to {target} would lose information{because}. Pass safe=False to accept it.")

    @classmethod
    def of_value(cls, value: Any, dtype: Any, column: str | None = None) -> LossyCast:
        where = f" of column {column!r}" if column is not None else ""
        first = "Use .cat.set_categories(...) to add it" if dtype == "category" else "Use .astype(...) on the column"
        return cls(f"{value!r} does not fit dtype {dtype}{where}. {first} first.")

    @classmethod
    def of_assigned(cls, source: Any, dtype: Any, column: str | None = None) -> LossyCast:
        where = f" of column {column!r}" if column is not None else ""
        return cls(f"not all of the values, of dtype {source}, fit dtype {dtype}{where}. Use .astype(...) on the column first.")

    @classmethod
    def to_floats(cls, dtype: Any) -> LossyCast:
        return cls(f"{dtype} values beyond 2**53 beside missing ones have no exact floats. Use .to_arrow(), or .fillna(...) first.")

    @classmethod
    def of_text(cls, shown: str, dtype: Any, column: str | None = None) -> LossyCast:
        where = f" of column {column!r}" if column is not None else ""
        return cls(f"{shown}{where} cannot be read as {dtype}. Clean or replace such values first, for example with .str.replace.")


class UnsupportedOperation(FastFrameError, NotImplementedError):
    """A method, argument or spec that fastframe does not have; the message says what to write instead."""

    @classmethod
    def of_method(cls, owner: str, name: str, instead: str = "") -> UnsupportedOperation:
        return cls(f"{owner}.{name} is not supported. {instead or f'Use .to_pandas().{name} for this step.'}")

    @classmethod
    def of_argument(cls, method: str, argument: str, value: Any, instead: str) -> UnsupportedOperation:
        return cls(f"{method}({argument}={value!r}) is not supported. {instead}")

    @classmethod
    def of_keyword(cls, method: str, argument: str, value: Any, known: Sequence[str]) -> UnsupportedOperation:
        name = method.rpartition(".")[2]
        if argument == "inplace":
            return cls.of_argument(method, argument, value, f"Tables do not change: assign the result, as in df = df.{name}(...).")
        takes = f"It takes {listed(known)}.{suggestion(argument, known)}" if known else "It takes no other arguments."
        return cls.of_argument(method, argument, value, f"{takes} Use .to_pandas().{method.partition('.')[2]} for this step.")

    @classmethod
    def of_spec(cls, engine: str, spec: str, reason: str) -> UnsupportedOperation:
        return cls(f"the {engine} engine does not run {spec}: {reason}")


class MissingAttribute(FastFrameError, AttributeError):
    """An attribute that is neither a method nor a column."""

    @classmethod
    def of(cls, owner: str, name: str, available: Sequence[str]) -> MissingAttribute:
        return cls(f"{owner!r} has no attribute {name!r}.{suggestion(name, available)}")

    @classmethod
    def unsupported(cls, owner: str, name: str, instead: str) -> MissingAttribute:
        return cls(f"{owner}.{name} is not supported. {instead}")


class ArgumentError(FastFrameError, ValueError):
    """An argument has a value that the method does not know."""

    @classmethod
    def of_negative_power(cls, column: str | None = None) -> ArgumentError:
        where = f" of column {column!r}" if column else ""
        return cls(f"pow{where}: an integer to a negative power is not an integer. Use .astype('float64') first.")

    @classmethod
    def of(cls, method: str, argument: str, value: Any, allowed: Iterable[Any]) -> ArgumentError:
        allowed = list(allowed)
        return cls(f"{method} was given {argument}={value!r}.{suggestion(value, allowed)} Allowed are: {listed(allowed, 30)}.")

    @classmethod
    def of_kind(cls, method: str, argument: str, value: Any, kinds: Sequence[str]) -> ArgumentError:
        """The value is not of a kind that the argument takes."""
        shown = repr(value)
        given = f"{shown[:57]}..." if len(shown) > 60 else shown
        return cls(f"{method} was given {argument}={given}, of type {type(value).__name__}. It takes {' or '.join(kinds)}.")

    @classmethod
    def of_function(cls, function: str, detail: str) -> ArgumentError:
        """A function of the tables ``text.`` and ``time.`` refused its arguments or values; users call these str and dt."""
        shown = function.replace("text.", "str.").replace("time.", "dt.")
        hint = "Patterns are RE2: no look-around, no back-references." if "regular expression" in detail else "Check its arguments and the values."
        return cls(f"{shown}: {detail.splitlines()[0]}. {hint}")

    @classmethod
    def because(cls, method: str, what: str, instead: str) -> ArgumentError:
        return cls(f"{method}: {what}. {instead}")


class MergeError(FastFrameError, ValueError):
    """A join's keys do not satisfy what was asked of them."""

    @classmethod
    def not_unique(cls, validate: str, side: str, keys: Sequence[str], example: Any) -> MergeError:
        return cls(
            f"merge(validate={validate!r}) failed: the keys {listed(keys)} are not unique on the {side} side, "
            f"for example {example!r} occurs more than once."
        )

    @classmethod
    def no_common_columns(cls, left: Sequence[str], right: Sequence[str]) -> MergeError:
        return cls(f"merge found no common columns. Left has {listed(left)}; right has {listed(right)}. Pass on=, or left_on= and right_on=.")

    @classmethod
    def of_dtypes(cls, left_key: str, left: Any, right_key: str, right: Any) -> MergeError:
        return cls(f"merge cannot compare key {left_key!r} of dtype {left} with key {right_key!r} of dtype {right}. Use .astype(...) to give both one dtype.")

    @classmethod
    def beyond_float(cls, name: str, dtype: Any, other_name: str, other: Any) -> MergeError:
        return cls(
            f"merge cannot compare key {name!r} of dtype {dtype} with key {other_name!r} of dtype {other}: "
            "it has integers beyond 2**53, which float64 cannot tell apart. Use .astype('int64') on the float key."
        )


class InvalidData(FastFrameError, ValueError):
    """Input (a file, Arrow memory) is damaged or not what it says it is."""

    @classmethod
    def in_arrow(cls, detail: str, column: str | None = None) -> InvalidData:
        where = f" in column {column!r}" if column is not None else ""
        return cls(f"the Arrow data{where} is not valid: {detail}. It was refused before any of it was used.")

    @classmethod
    def in_file(cls, path: Any, kind: str, detail: str) -> InvalidData:
        return cls(f"{path} could not be read as {kind}: {detail.rstrip('.')}. The file may be truncated or damaged, or of another format.")


class FileMissing(FastFrameError, FileNotFoundError):
    """A path or pattern matches nothing."""

    @classmethod
    def of(cls, path: Any) -> FileMissing:
        return cls(f"no file matches {str(path)!r}. Check the path; relative paths start at the working directory.")

    @classmethod
    def of_folder(cls, folder: Any) -> FileMissing:
        return cls(f"there is no folder {str(folder)!r} to write into. Make it first; relative paths start at the working directory.")


class OutOfMemory(FastFrameError, MemoryError):
    """An allocation failed; nothing was changed. ``n_bytes`` is 0 where nobody knows."""

    operation: str
    n_bytes: int

    @classmethod
    def of(cls, operation: str, n_bytes: int) -> OutOfMemory:
        size = f"{n_bytes / 1e9:.3g} GB of memory, more" if n_bytes else "more memory"   # 0: a kernel does not say
        error = cls(f"{operation} needs {size} than the system gives. Nothing was changed. Drop columns or rows, or work in parts.")
        error.operation, error.n_bytes = operation, n_bytes
        return error

    @classmethod
    def of_join(cls, n_rows: int, n_bytes: int, available: int) -> OutOfMemory:
        error = cls(
            f"the join would make {n_rows} rows of {n_bytes / 1e9:.3g} GB, and {available / 1e9:.3g} GB of memory are free. Nothing was "
            "allocated. Where keys repeat on both sides, aggregate one side first, or check with validate='one_to_many'; or drop columns."
        )
        error.operation, error.n_bytes = "join", n_bytes
        return error

    @classmethod
    def within(cls, operation: str, error: MemoryError) -> OutOfMemory:
        """The failure of a step of ``operation``; the steps of NumPy and Arrow know neither of them."""
        if isinstance(error, OutOfMemory):
            return error if error.operation == operation else cls.of(f"{operation} ({error.operation})", error.n_bytes)
        return cls.of(operation, _wanted_bytes(error))


def _wanted_bytes(error: MemoryError) -> int:
    """What NumPy or Arrow tell of the allocation that failed, else 0."""
    if hasattr(error, "shape") and hasattr(error, "dtype"):   # numpy's
        return prod(error.shape) * int(error.dtype.itemsize)
    found = re.search(r"of size (\d+) failed", str(error))    # pyarrow's
    return int(found[1]) if found else 0


class EngineUnavailable(FastFrameError, ImportError):
    """An optional dependency is not installed."""

    @classmethod
    def of(cls, what: str, extra: str) -> EngineUnavailable:
        return cls(f"{what} is not installed. Install it with: pip install 'fastframe[{extra}]'")


class JoblibMismatch(FastFrameError, ImportError):
    """The installed joblib lacks something that the backend "fastframe" is built on."""

    @classmethod
    def of(cls, version: str, lacking: Sequence[str]) -> JoblibMismatch:
        return cls(
            f'the joblib backend "fastframe" does not fit joblib {version}: it finds no {", ".join(lacking)}. '
            'Use joblib.parallel_config("threading"), or another version of joblib.'
        )


class ProfileError(FastFrameError, RuntimeError):
    """A profile was used before its block had ended, or for two blocks."""

    @classmethod
    def not_ended(cls) -> ProfileError:
        return cls("the profile's block has not ended. Look at it after: with ff.profile() as p: ...")

    @classmethod
    def entered_twice(cls) -> ProfileError:
        return cls("the profile has recorded a block already. Call ff.profile() for each block.")


class MixedEngineError(FastFrameError, TypeError):
    """Tables of different engines met in one operation."""

    @classmethod
    def of(cls, left: str, right: str) -> MixedEngineError:
        return cls(f"a table of engine {left!r} cannot be combined with one of engine {right!r}. Move one with .to_engine({left!r}).")


class KernelError(FastFrameError, RuntimeError):
    """A kernel failed in a way that no caller expected: a bug of ours."""

    @classmethod
    def of(cls, operation: str, status: int, row: int) -> KernelError:
        name = KernelStatus(status).name if status in set(KernelStatus) else str(status)
        return cls(f"the kernel of {operation} returned {name} at row {row}. This is a bug of fastframe; please report it.")
