"""One row at a time through a forest, on the calling thread; see ``forest_row.hpp``. Addresses are ints."""

cimport cython
from cpython.bool cimport PyBool_Check
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.dict cimport PyDict_CheckExact
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_Check
from cpython.list cimport PyList_CheckExact, PyList_GET_ITEM, PyList_GET_SIZE
from cpython.long cimport PyLong_CheckExact
from cpython.ref cimport PyObject
from cpython.tuple cimport PyTuple_Check, PyTuple_GET_ITEM, PyTuple_GET_SIZE
from cpython.unicode cimport PyUnicode_CheckExact
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t, uintptr_t

from fastframe._threads._drive cimport Task, kernel_t

import numpy as np

_empty = np.empty

cdef extern from "Python.h":
    PyObject* PyDict_GetItemWithError(object p, object key) except? NULL
    long long PyLong_AsLongLongAndOverflow(object obj, int* overflow) except? -1

cdef extern from "forest_row.hpp" namespace "ff" nogil:
    cdef cppclass Front:
        pass
    cdef cppclass RowScratch:
        bint busy
    cdef struct CRowForest "ff::RowForest":
        const Front* front
        const uint8_t* nodes
        const uint32_t* set_words
        const uint8_t* is_class
        int64_t n_columns
        int64_t n_fields
        int64_t n_trees
        int64_t n_groups
        const uint32_t* root
        const int32_t* tree
        const int32_t* steps
        const int32_t* groups
        const uint8_t* values
        const uint8_t* base
        const int32_t* tree_output
        int64_t width
        int64_t n_outputs
        double divide
        int32_t narrow_sums
        int32_t wide_nodes
        int32_t categories
        int32_t inside
    cdef struct CRowPack "ff::RowPack":
        const int64_t* tree_start
        const int32_t* left
        const int32_t* right
        const int32_t* column
        const uint64_t* threshold
        const uint8_t* category
        int64_t* n_places
        const int64_t* first
        uint8_t* nodes

    RowScratch* row_scratch(const CRowForest& forest)
    void put_double(RowScratch* scratch, int64_t at, double value)
    void put_integer(RowScratch* scratch, int64_t at, int64_t value)
    void put_code(RowScratch* scratch, int64_t at, int32_t code)
    void answer_row(const CRowForest& forest, RowScratch* scratch, void* sums)
    kernel_t pack_rows_kernel(bint wide)

cdef double MOST_WHOLE = 9007199254740992.0   # up to which a float64 has all whole numbers
LANES, CHUNK = 16, 256                   # ROW_LANES, ROW_TREES
NODE_BYTES = (8, 16)                     # narrow, wide
MOST_COLUMNS, MOST_PLACES = 512, 1 << 21   # of narrow nodes
DOUBLE, FLOAT, INTEGER, TEXT, NUMBERS = 0, 1, 2, 3, 4   # what a field takes: the last two are of categories
UNSEEN_ELSEWHERE = -2                    # what an unseen value's code is where the policy refuses it


def pack(bint wide, tuple forest, uintptr_t n_places, uintptr_t first, uintptr_t nodes, *, keep_alive):
    """Over trees: how many places it takes, or its nodes where ``n_places`` is 0.

    ``forest``: tree_start, left, right, column, threshold (uint64), category (or 0).
    """
    cdef CRowPack ctx
    ctx.tree_start = <const int64_t*><uintptr_t>forest[0]     # IN
    ctx.left = <const int32_t*><uintptr_t>forest[1]           # IN
    ctx.right = <const int32_t*><uintptr_t>forest[2]          # IN
    ctx.column = <const int32_t*><uintptr_t>forest[3]         # IN
    ctx.threshold = <const uint64_t*><uintptr_t>forest[4]     # IN
    ctx.category = <const uint8_t*><uintptr_t>forest[5]       # IN
    ctx.n_places = <int64_t*>n_places                         # OUT
    ctx.first = <const int64_t*>first                         # IN
    ctx.nodes = <uint8_t*>nodes                               # OUT
    return Task.make(pack_rows_kernel(wide), &ctx, sizeof(ctx), keep_alive)


# Those whose `item` is a Python number: not longdouble, whose `item` is itself, nor times.
_NUMPY_SCALARS = tuple(np.dtype(one).type for one in "fdebhilqBHILQ?")


@cython.final
cdef class RowWalker:
    """A forest that answers for one row; any number of threads may call `sums` at once.

    Parameters
    ----------
    forest : tuple
        Addresses and numbers, in the order of ``RowForest``.
    names : tuple of str
        Keys of a row that is a dict.
    release : bool
        Whether walks are long enough for other threads to run meanwhile.
    fields : list of tuple
        ``(kind, nullable, lowest, highest, codes, unseen)``: see `fastframe.predict.engines.one_row`.
    keep_alive : object
        What owns the memory at the addresses.
    """

    cdef CRowForest forest
    cdef tuple names
    cdef list codes
    cdef object keep_alive, dtype, shape
    cdef bint release
    cdef int[:] kind
    cdef int[:] nullable
    cdef int[:] unseen
    cdef int64_t[:] lowest
    cdef int64_t[:] highest

    def __init__(self, tuple forest, tuple names, list fields, bint release, keep_alive):
        self.forest.front = <const Front*><uintptr_t>forest[0]
        self.forest.nodes = <const uint8_t*><uintptr_t>forest[1]
        self.forest.set_words = <const uint32_t*><uintptr_t>forest[2]
        self.forest.is_class = <const uint8_t*><uintptr_t>forest[3]
        self.forest.n_columns, self.forest.n_fields, self.forest.n_trees, self.forest.n_groups = forest[4:8]
        self.forest.root = <const uint32_t*><uintptr_t>forest[8]
        self.forest.tree = <const int32_t*><uintptr_t>forest[9]
        self.forest.steps = <const int32_t*><uintptr_t>forest[10]
        self.forest.groups = <const int32_t*><uintptr_t>forest[11]
        self.forest.values = <const uint8_t*><uintptr_t>forest[12]
        self.forest.base = <const uint8_t*><uintptr_t>forest[13]
        self.forest.tree_output = <const int32_t*><uintptr_t>forest[14]
        self.forest.width, self.forest.n_outputs, self.forest.divide = forest[15:18]
        self.forest.narrow_sums, self.forest.wide_nodes, self.forest.categories, self.forest.inside = forest[18:22]
        self.names = names
        self.release = release
        self.keep_alive = keep_alive
        self.dtype = np.dtype(np.float32 if self.forest.narrow_sums else np.float64)
        self.shape = (1, self.forest.n_outputs)
        self.codes = [field[4] for field in fields]
        self.kind, self.nullable, self.unseen = (np.array([field[at] for field in fields], np.intc) for at in (0, 1, 5))
        self.lowest, self.highest = (np.array([field[at] for field in fields], np.int64) for at in (2, 3))

    def sums(self, row):
        """``(1, n_outputs)``; None where the row needs a closer look: by the contract, which refuses it or not."""
        cdef RowScratch* scratch = row_scratch(self.forest)
        if scratch == NULL:   # this thread answers for another row, of which this one is a part
            return None
        cdef Py_buffer memory
        try:
            if not self.read(scratch, row):
                return None
            out = _empty(self.shape, self.dtype)
            PyObject_GetBuffer(out, &memory, PyBUF_SIMPLE)
            self.answer(scratch, memory.buf)
            PyBuffer_Release(&memory)
            return out
        finally:
            scratch.busy = False

    def value(self, row):
        """The sum of a forest of one output, as a float; else as `sums`."""
        cdef RowScratch* scratch = row_scratch(self.forest)
        cdef double wide = 0
        cdef float narrow = 0
        if scratch == NULL:
            return None
        try:
            if self.forest.n_outputs != 1 or not self.read(scratch, row):
                return None
            if self.forest.narrow_sums:
                self.answer(scratch, &narrow)
                return narrow
            self.answer(scratch, &wide)
            return wide
        finally:
            scratch.busy = False

    cdef void answer(self, RowScratch* scratch, void* sums) noexcept:
        if self.release:
            with nogil:
                answer_row(self.forest, scratch, sums)
        else:
            answer_row(self.forest, scratch, sums)

    cdef bint read(self, RowScratch* scratch, object row) except -1:
        """The row's columns into the scratch; False where it needs a closer look."""
        cdef int64_t at, n_fields = self.forest.n_fields
        cdef PyObject* found
        if PyTuple_Check(row):
            if PyTuple_GET_SIZE(row) != n_fields:
                return False
            for at in range(n_fields):
                if not self.put(scratch, at, <object>PyTuple_GET_ITEM(row, at)):
                    return False
            return True
        if PyDict_CheckExact(row):
            for at in range(n_fields):
                found = PyDict_GetItemWithError(row, <object>PyTuple_GET_ITEM(self.names, at))
                if found == NULL or not self.put(scratch, at, <object>found):
                    return False
            return True
        if PyList_CheckExact(row):
            for at in range(n_fields):
                if PyList_GET_SIZE(row) != n_fields or not self.put(scratch, at, <object>PyList_GET_ITEM(row, at)):
                    return False
            return PyList_GET_SIZE(row) == n_fields
        if type(row) is np.ndarray and row.ndim == 1 and row.dtype.kind in "fiub" and len(row) == n_fields:
            return self.read(scratch, row.tolist())
        return False

    cdef bint put(self, RowScratch* scratch, int64_t at, object value) except -1:
        cdef double number
        cdef int64_t whole
        cdef int overflow = 0
        cdef int kind = self.kind[at]
        if kind >= 3:
            return self.put_category(scratch, at, value)
        if PyFloat_Check(value):
            number = PyFloat_AS_DOUBLE(value)
            if number == number:
                if kind == 1 and <double><float>number != number:
                    return False
                if kind == 2 and not (-MOST_WHOLE <= number <= MOST_WHOLE and number == <double><int64_t>number
                                      and self.lowest[at] <= <int64_t>number <= self.highest[at]):
                    return False
            elif not self.nullable[at]:
                return False
            put_double(scratch, at, number)
            return True
        if PyLong_CheckExact(value) or PyBool_Check(value):
            whole = PyLong_AsLongLongAndOverflow(value, &overflow)
            if overflow or not self.lowest[at] <= whole <= self.highest[at]:
                return False
            put_integer(scratch, at, whole)
            return True
        if value is None and self.nullable[at]:
            put_double(scratch, at, float("nan"))
            return True
        if isinstance(value, _NUMPY_SCALARS):   # a row of a frame or an array holds NumPy's own numbers
            return self.put(scratch, at, value.item())
        return False

    cdef bint put_category(self, RowScratch* scratch, int64_t at, object value) except -1:
        cdef PyObject* found
        cdef int32_t code
        cdef double number
        if value is None:
            put_code(scratch, at, -1)
            return self.nullable[at]
        if self.kind[at] == 3:
            if not PyUnicode_CheckExact(value):
                return False
        elif PyFloat_Check(value):
            number = PyFloat_AS_DOUBLE(value)
            if number != number:
                put_code(scratch, at, -1)
                return self.nullable[at]
        elif isinstance(value, _NUMPY_SCALARS):
            return self.put_category(scratch, at, value.item())
        elif not PyLong_CheckExact(value) and not PyBool_Check(value):
            return False
        found = PyDict_GetItemWithError(<object>PyList_GET_ITEM(self.codes, at), value)
        code = self.unseen[at] if found == NULL else <int32_t><object>found
        if code == -2 or (code == -1 and not self.nullable[at]):
            return False
        put_code(scratch, at, code)
        return True
