"""Key columns to codes and words (``codes.hpp``). Addresses come as ints."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from fastframe._kernels.kernel cimport Task, View, as_view, code_t, row_t

WHOLE, UPPER, LOWER, HIGH64 = 0, 1, 2, 3   # codes.hpp::Field


cdef class KeyParts:
    """The digits of a packed key, first digit first."""

    def __cinit__(self, list parts not None):
        self.n_parts = 0
        self.keep = []
        self.may_drop = False
        self.parts = <KeyPart*>calloc(max(len(parts), 1), sizeof(KeyPart))
        if self.parts == NULL:
            raise MemoryError()
        for part in parts:
            self._add(part)

    def __dealloc__(self):
        free(self.parts)

    @property
    def address(self):
        """Of the parts, for kernels that make codes block by block as they need them."""
        return <size_t>self.parts

    cdef _add(self, dict given):
        cdef KeyPart* part = self.parts + self.n_parts
        cdef View view = as_view(tuple(given["view"]))
        part.values = view.values
        part.validity = view.validity
        part.bit_offset = view.bit_offset
        part.physical = given["physical"]
        part.field = given["field"]
        part.base = given["base"]
        part.base_high = given["base_high"]
        part.n_values = given["n_values"]
        part.stride = given["stride"]
        part.lut = <const code_t*><uintptr_t>given["lut"]
        part.may_miss = given["may_miss"]
        part.drop_missing = given["drop_missing"]
        part.check = given["check"]
        part.step = given["step"]
        self.may_drop = self.may_drop or part.drop_missing or part.check
        self.keep.append(given["keep"])
        self.n_parts += 1


cdef void set_keys(PackContext* ctx, KeyParts parts, size_t rows, bint wide) noexcept:
    """The inputs of a context; no output is wanted yet."""
    memset(ctx, 0, sizeof(PackContext))
    ctx.parts = parts.parts
    ctx.n_parts = parts.n_parts
    ctx.rows = <const row_t*><uintptr_t>rows
    ctx.wide = wide
    ctx.may_drop = parts.may_drop


def pack(
    KeyParts parts not None,
    bint wide,
    *,
    size_t rows=0,
    size_t codes=0,
    int code_bytes=4,
    size_t words=0,
    size_t hashes=0,
    size_t counts=0,
    int bits=1,
    size_t present=0,
    int64_t n_present=0,
    object keep,
):
    """One word per row: the sum of its digits times their strides.

    # IN  parts, wide (words need 64 bits), rows (row numbers to take, or 0), code_bytes, bits, n_present
    # OUT codes, words, hashes (0: not wanted); rows without a key get a code of all bits set, NO_WORD, NO_HASH
    #     counts (of hashes, per slice and partition), present (a bit per word; ``n_present`` cells)
    """
    cdef PackContext ctx
    set_keys(&ctx, parts, rows, wide)
    ctx.codes = <uint8_t*><uintptr_t>codes
    ctx.code_bytes = code_bytes
    ctx.bits = bits
    ctx.words = <uint64_t*><uintptr_t>words
    ctx.hashes = <uint64_t*><uintptr_t>hashes
    ctx.counts = <uint32_t*><uintptr_t>counts
    ctx.present = <uint64_t*><uintptr_t>present
    ctx.n_present = n_present
    return Task.make(pack_keys, &ctx, sizeof(ctx), (parts, keep))
