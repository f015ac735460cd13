"""Plain text row by row: comparison, and several texts joined to one. Encoded operands are decoded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fastframe._kernels import text as kernels
from fastframe._kernels.bitmap import EVERYWHERE, combine_bits
from fastframe._threads import fine_slice_rows, run
from fastframe.column import Column
from fastframe.column.memory import allocate_bits
from fastframe.engines.cpu.forms import ALL_VALID, Validity, text_array, text_source, validity_bits
from fastframe.engines.cpu.operands import Operand
from fastframe.engines.cpu.results import bits_result
from fastframe.engines.cpu.take import decode

if TYPE_CHECKING:
    from fastframe._kernels.bitmap import BitOperand
    from fastframe._kernels.text import TextSource

_JOINING = "joining text"


def compare_texts(operation: str, left: Operand, right: Operand, n_rows: int) -> Column:
    """eq, ne, lt, le of two text (or binary) operands, neither one null for all rows, by bytes; never null.

    Bytes of UTF-8 have the order of their characters. A row with a null is False (``ne``: True).
    """
    one, other = _decoded([left, right])
    out = allocate_bits(n_rows, operation)
    task = kernels.compare_text(operation, _source(one), _source(other), _presence(one), _presence(other), out.address, (one, other, out))
    return bits_result(task, n_rows, out, operation, fine_slice_rows(n_rows))


def join_texts(operands: Sequence[Operand], n_rows: int) -> Column:
    """Texts of several operands, none of them one null for all rows, behind one another; null where one is null."""
    parts = _decoded(operands)
    sources = tuple(_source(one) for one in parts)
    validity = _of_all(parts, n_rows)
    valid = EVERYWHERE if validity.bits is None else (validity.bits.address, 0, True)
    keep = (parts, validity)
    joined = text_array(
        parts[0].column.array.type,
        n_rows,
        lambda sizes: kernels.join_text_sizes(sources, valid, sizes, keep),
        lambda sink: kernels.join_text_copy(sources, valid, sink, keep),
        lambda: validity,
        operation=_JOINING,
    )
    return Column(joined, parts[0].dtype)


def _decoded(operands: Sequence[Operand]) -> list[Operand]:
    return [Operand(decode(one.column), one.scalar) for one in operands]


def _source(operand: Operand) -> TextSource:
    return text_source(operand.column.array, constant=operand.scalar)


def _presence(operand: Operand) -> BitOperand:
    return validity_bits(operand.column) if operand.has_nulls else EVERYWHERE


def _of_all(operands: Sequence[Operand], n_rows: int) -> Validity:
    """Which rows no operand has a null in."""
    nullable = [one for one in operands if one.has_nulls]
    if not nullable:
        return ALL_VALID
    bits = allocate_bits(n_rows, _JOINING)
    run(combine_bits("copy", (_presence(nullable[0]),), bits.address, (nullable, bits)), n_rows, operation=_JOINING)
    for other in nullable[1:]:
        both = ((bits.address, 0, True), _presence(other))
        run(combine_bits("and", both, bits.address, (nullable, bits)), n_rows, operation=_JOINING)
    return Validity(bits, -1)
