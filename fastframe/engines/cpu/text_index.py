"""Where the texts of one column stand among those of another: `TextIndex`, for texts that hardly repeat."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from fastframe._kernels import encode as kernels
from fastframe._kernels.memory import address_of
from fastframe._threads import SLICE_ROWS, run, thread_count
from fastframe.column.column import text_view
from fastframe.column.memory import allocate_array
from fastframe.engines.cpu.forms import exclusive_sums, slice_array

NOWHERE = 0xFFFFFFFF
_SHARED_ROWS = 1 << 14   # from so many rows on threads share the filling
_MOST_PARTS = 6          # as bits
_OPERATION = "text index"

Rows = np.ndarray[tuple[int], np.dtype[np.uint32]]


class TextIndex:
    """The first row of each distinct text of an array of plain text, nulls being equal texts, too.

    Which threads fill it does not change what is found. Beside the array it holds 16 bytes per row, and 16 to 32 per distinct text.

    Parameters
    ----------
    texts : pyarrow.Array
        Of string or binary type, any width of offsets.

    Attributes
    ----------
    first_rows : numpy.ndarray of uint32
        Per row the first row with the same text.
    missing : int
        The first row with a null, or `NOWHERE`.
    """

    def __init__(self, texts: pa.Array) -> None:
        n_rows = len(texts)
        self.missing = int(np.argmin(texts.is_valid().to_numpy(zero_copy_only=False))) if texts.null_count else NOWHERE
        self.first_rows: Rows = allocate_array(n_rows, np.uint32, _OPERATION)
        keys = allocate_array(n_rows * kernels.KEY_BYTES, np.uint8, _OPERATION)
        part_bits = min((thread_count() - 1).bit_length(), _MOST_PARTS) if n_rows >= _SHARED_ROWS else 0
        self._index = kernels.TextIndex(text_view(texts), address_of(keys), part_bits, self.missing, (texts, keys))
        run(self._index.keys(), n_rows, SLICE_ROWS, operation=_OPERATION)
        run(self._index.fill(address_of(self.first_rows), self.first_rows), 1 << part_bits, 1, operation=_OPERATION)

    def number(self, codes: np.ndarray) -> np.ndarray:
        """Write each row's code, in order of first appearance, into ``codes`` (uint32, `NOWHERE` for null); per code its first row comes back."""
        n_rows = len(self.first_rows)
        counts = slice_array(n_rows, np.int64, _OPERATION)
        rows, kept = address_of(self.first_rows), (self, codes, counts)
        run(kernels.number(kernels.NUMBER_COUNT, rows, self.missing, counts=address_of(counts), keep=kept), n_rows, SLICE_ROWS, operation=_OPERATION)
        distinct = allocate_array(exclusive_sums(counts), np.int32, _OPERATION)
        out = {"counts": address_of(counts), "distinct": address_of(distinct), "codes": address_of(codes)}
        for phase in (kernels.NUMBER_FIRST, kernels.NUMBER_RESOLVE):
            run(kernels.number(phase, rows, self.missing, **out, keep=(kept, distinct)), n_rows, SLICE_ROWS, operation=_OPERATION)
        return distinct

    def find(self, texts: pa.Array, missing: int = NOWHERE) -> Rows:
        """Per row of another array (of the same type but for the width of offsets) the first row here with its text, or `NOWHERE`.

        Nulls become ``missing``.
        """
        found: Rows = allocate_array(len(texts), np.uint32, _OPERATION)
        run(self._index.find(text_view(texts), missing, address_of(found), (texts, found)), len(texts), SLICE_ROWS, operation=_OPERATION)
        return found
