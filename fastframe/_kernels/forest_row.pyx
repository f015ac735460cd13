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
from libc.string cimport memcpy

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
    cdef struct CRowLink "ff::RowLink":
        kernel_t kernel
        int64_t width
        double scale
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
        const int32_t* leaf_kind
        int64_t n_kinds
        int64_t* n_places
        const int64_t* first
        uint8_t* nodes

    RowScratch* row_scratch(int64_t n_fields, int64_t n_columns, int64_t most_width)
    void put_double(RowScratch* scratch, int64_t at, double value)
    void put_integer(RowScratch* scratch, int64_t at, int64_t value)
    void put_code(RowScratch* scratch, int64_t at, int32_t code)
    void copy_columns(RowScratch* scratch, int64_t n_fields, void* columns, void* slots)
    void answer_row(const CRowForest& forest, RowScratch* scratch, void* sums)
    const void* answer_links(const CRowForest& forest, const CRowLink* links, int64_t n_links, RowScratch* scratch)
    bint start_walk(int most)
    void stop_walk()
    int64_t kinds_of_leaves(const uint8_t* values, int64_t n_leaves, int64_t n_bytes, int64_t most, int32_t* kind, int64_t* first)
    void write_pairs(bint wide, const uint64_t* key, int64_t n_kinds, uint8_t* nodes)
    kernel_t pack_rows_kernel(bint wide)

cdef extern from "forest_links.hpp" namespace "ff" nogil:
    kernel_t link_kernel(int kind, int is_double)

cdef extern from "forest_planes.hpp" namespace "ff" nogil:
    kernel_t fill_kernel(int form)

cdef extern from "row_tape.hpp" namespace "ff" nogil:
    ctypedef void (*ufunc_loop_t)(char**, const Py_ssize_t*, const Py_ssize_t*, void*)
    cdef struct UfuncHead:
        int n_in
        int n_out
        int n_args
        const ufunc_loop_t* functions
        void* const* data
        int n_types
        const char* name
        const char* types
    cdef struct CRowStep "ff::RowStep":
        pass
    void run_steps(const CRowStep* steps, int64_t n_steps, RowScratch* scratch)
    const void* cell_at(RowScratch* scratch, int64_t place)

cdef double MOST_WHOLE = 9007199254740992.0   # up to which a float64 has all whole numbers
LANES, CHUNK = 16, 256                   # ROW_LANES, ROW_TREES
COLUMN_BYTES = 40                        # of a FrontColumn
MOST_LINKS = 4                           # after a forest, in `RowAnswer`
LINE_NODES = (8, 4)                      # nodes of a cache line: narrow, wide
NODE_BYTES = (8, 16)                     # narrow, wide
MOST_COLUMNS, MOST_PLACES = 512, 1 << 21   # of narrow nodes
DOUBLE, FLOAT, INTEGER, TEXT, NUMBERS = 0, 1, 2, 3, 4   # what a field takes: the last two are of categories
UNSEEN_ELSEWHERE = -2                    # what an unseen value's code is where the policy refuses it


def pack(bint wide, tuple forest, uintptr_t n_places, uintptr_t first, uintptr_t nodes, *, keep_alive):
    """Over trees: how many places it takes, or its nodes where ``n_places`` is 0.

    ``forest``: tree_start, left, right, column, threshold (uint64), category (or 0), leaf_kind (or 0), n_kinds.
    """
    cdef CRowPack ctx
    ctx.tree_start = <const int64_t*><uintptr_t>forest[0]     # IN
    ctx.left = <const int32_t*><uintptr_t>forest[1]           # IN
    ctx.right = <const int32_t*><uintptr_t>forest[2]          # IN
    ctx.column = <const int32_t*><uintptr_t>forest[3]         # IN
    ctx.threshold = <const uint64_t*><uintptr_t>forest[4]     # IN
    ctx.category = <const uint8_t*><uintptr_t>forest[5]       # IN
    ctx.leaf_kind = <const int32_t*><uintptr_t>forest[6]      # IN
    ctx.n_kinds = forest[7]
    ctx.n_places = <int64_t*>n_places                         # OUT
    ctx.first = <const int64_t*>first                         # IN
    ctx.nodes = <uint8_t*>nodes                               # OUT
    return Task.make(pack_rows_kernel(wide), &ctx, sizeof(ctx), keep_alive)


def leaf_kinds(uintptr_t values, int64_t n_leaves, int64_t n_bytes, *, int64_t most, uintptr_t kind, uintptr_t first):
    """How many kinds of leaves there are, -1 if more than ``most``; fills ``kind`` (int32, by leaf) and ``first`` (int64, of ``most``)."""
    return kinds_of_leaves(<const uint8_t*>values, n_leaves, n_bytes, most, <int32_t*>kind, <int64_t*>first)


def pairs_of_leaves(bint wide, uintptr_t key, int64_t n_kinds, uintptr_t nodes):
    """Nodes of all pairs of leaves, ``2 * n_kinds ** 2`` places; ``key`` (uint64): a leaf's of each kind."""
    write_pairs(wide, <const uint64_t*>key, n_kinds, <uint8_t*>nodes)


# Those whose `item` is a Python number: not longdouble, whose `item` is itself, nor times.
_NUMPY_SCALARS = tuple(np.dtype(one).type for one in "fdebhilqBHILQ?")


cdef class RowReader:
    """Reads a row's fields: a tuple, list, dict or 1-D array.

    Parameters
    ----------
    names : tuple of str
        Keys of a row that is a dict.
    fields : list of tuple
        ``(kind, nullable, lowest, highest, codes, unseen)``: see `fastframe.predict.engines.one_row`.
    """

    cdef int64_t n_fields
    cdef tuple names
    cdef list codes
    cdef int[:] kind
    cdef int[:] nullable
    cdef int[:] unseen
    cdef int64_t[:] lowest
    cdef int64_t[:] highest

    def __init__(self, tuple names, list fields):
        self.n_fields = len(fields)
        self.names = names
        self.codes = [field[4] for field in fields]
        self.kind, self.nullable, self.unseen = (np.array([field[at] for field in fields], np.intc) for at in (0, 1, 5))
        self.lowest, self.highest = (np.array([field[at] for field in fields], np.int64) for at in (2, 3))

    def columns(self, row, columns, slots):
        """The row as columns of one value (``FrontColumn``) in ``slots`` (8 bytes a field); False where it needs a closer look."""
        cdef RowScratch* scratch = row_scratch(self.n_fields, 0, 0)
        cdef Py_buffer table, values
        if scratch == NULL:
            return False
        try:
            if not self.read(scratch, row):
                return False
            PyObject_GetBuffer(columns, &table, PyBUF_SIMPLE)
            PyObject_GetBuffer(slots, &values, PyBUF_SIMPLE)
            assert table.len == self.n_fields * COLUMN_BYTES and values.len == self.n_fields * 8
            copy_columns(scratch, self.n_fields, table.buf, values.buf)
            PyBuffer_Release(&values)
            PyBuffer_Release(&table)
            return True
        finally:
            scratch.busy = False

    cdef bint read(self, RowScratch* scratch, object row) except -1:
        """The row's columns into the scratch; False where it needs a closer look."""
        cdef int64_t at, n_fields = self.n_fields
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


@cython.final
cdef class RowWalker(RowReader):
    """A forest that answers for one row; any number of threads may call `sums` at once.

    Parameters
    ----------
    forest : tuple
        Addresses and numbers, in the order of ``RowForest``.
    names, fields
        See `RowReader`.
    beside : int
        How many threads may be without the interpreter's lock, walking or waiting for it; 0 where walks are too short to hand it over.
    keep_alive : object
        What owns the memory at the addresses.
    """

    cdef CRowForest forest
    cdef object keep_alive, dtype, shape
    cdef int beside

    def __init__(self, tuple forest, tuple names, list fields, int beside, keep_alive):
        RowReader.__init__(self, names, fields)
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
        self.beside = beside
        self.keep_alive = keep_alive
        self.dtype = np.dtype(np.float32 if self.forest.narrow_sums else np.float64)
        self.shape = (1, self.forest.n_outputs)

    def sums(self, row):
        """``(1, n_outputs)``; None where the row needs a closer look: by the contract, which refuses it or not."""
        cdef RowScratch* scratch = self.scratch(self.forest.n_outputs)
        if scratch == NULL:   # this thread answers for another row, of which this one is a part
            return None
        try:
            if not self.read(scratch, row):
                return None
            return array_of(self.answer(scratch, NULL, 0), self.shape, self.dtype)
        finally:
            scratch.busy = False

    def packed(self):
        """The address of the forest, which lives as long as this; how many planes of keys it reads; whether its sums are float32."""
        return <uintptr_t>&self.forest, self.forest.n_columns, bool(self.forest.narrow_sums)

    cdef RowScratch* scratch(self, int64_t most_width) noexcept:
        return row_scratch(self.n_fields, self.forest.n_columns, most_width)

    cdef const void* answer(self, RowScratch* scratch, const CRowLink* links, int64_t n_links) noexcept:
        cdef const void* values
        if start_walk(self.beside):
            with nogil:
                values = answer_links(self.forest, links, n_links, scratch)
            stop_walk()
        else:
            values = answer_links(self.forest, links, n_links, scratch)
        return values


cdef array_of(const void* values, shape, dtype):
    cdef Py_buffer memory
    out = _empty(shape, dtype)
    PyObject_GetBuffer(out, &memory, PyBUF_SIMPLE)
    memcpy(memory.buf, values, memory.len)
    PyBuffer_Release(&memory)
    return out


@cython.final
cdef class RowAnswer:
    """A method's whole answer for one row: a forest's sums, then links, then a number, an array or a label.

    Parameters
    ----------
    walker : RowWalker
    links : sequence of tuple
        ``(kind, width, scale)``: of ``forest_links``, each defined for the forest's dtype; ``width`` values go in.
    width : int
        How many values the last one gives.
    labels : list or None
        What the last link's one int64 stands for.
    scalar : bool
        Whether an answer of one value is a float, not an array.
    """

    cdef RowWalker walker
    cdef CRowLink links[4]   # MOST_LINKS
    cdef int64_t n_links, most_width
    cdef tuple shape
    cdef list labels
    cdef bint scalar

    def __init__(self, RowWalker walker, links, int64_t width, labels, bint scalar):
        self.walker, self.n_links, self.shape, self.labels, self.scalar = walker, len(links), (width,), labels, scalar
        self.most_width = max(width, walker.forest.n_outputs)
        assert self.n_links <= MOST_LINKS and not (scalar and width != 1)
        for at, (kind, link_width, scale) in enumerate(links):
            self.links[at].kernel = link_kernel(kind, not walker.forest.narrow_sums)
            self.links[at].width = link_width
            self.links[at].scale = scale
            self.most_width = max(self.most_width, link_width)
            assert self.links[at].kernel != NULL

    def answer(self, row):
        """None where the row needs a closer look."""
        cdef RowScratch* scratch = self.walker.scratch(self.most_width)
        cdef const void* values
        if scratch == NULL:
            return None
        try:
            if not self.walker.read(scratch, row):
                return None
            values = self.walker.answer(scratch, self.links, self.n_links)
            if self.labels is not None:
                return self.labels[(<const int64_t*>values)[0]]
            if not self.scalar:
                return array_of(values, self.shape, self.walker.dtype)
            if self.walker.forest.narrow_sums:
                return <double>(<const float*>values)[0]
            return (<const double*>values)[0]
        finally:
            scratch.busy = False


STEP_BYTES = sizeof(CRowStep)


def link_address(int kind, bint is_double):
    """Of a link's kernel; 0 where there is none for the dtype."""
    return <uintptr_t>link_kernel(kind, is_double)


def fill_address(bint is_double):
    """Of the kernel that writes a front's values as a row."""
    return <uintptr_t>fill_kernel(3 if is_double else 2)


def loop_of(ufunc, str signature):
    """``(function, data)`` of a NumPy ufunc's inner loop for dtypes such as ``"dd->d"``; None if it has none, or is laid out otherwise."""
    cdef UfuncHead* head
    cdef int at, one
    if type(ufunc) is not np.ufunc or signature not in ufunc.types:
        return None
    head = <UfuncHead*><PyObject*>ufunc
    kinds = signature.replace("->", "")
    if (head.n_in, head.n_out, head.n_args) != (ufunc.nin, ufunc.nout, len(kinds)) or head.n_types != len(ufunc.types):
        return None
    at = ufunc.types.index(signature)
    if head.name != ufunc.__name__.encode():
        return None
    if any([head.types[at * head.n_args + one] != np.dtype(kinds[one]).num for one in range(len(kinds))]):
        return None
    return <uintptr_t>head.functions[at], <uintptr_t>head.data[at]


@cython.final
cdef class RowTape(RowReader):
    """A method's whole answer for one row, by steps on cells; any number of threads may call `answer` at once.

    Parameters
    ----------
    steps : numpy.ndarray
        Records of ``RowStep``, which this holds.
    n_bytes : int
        Of a row's cells.
    result : int
        Bytes from the first cell to the answer's.
    form : tuple
        The answer's dtype, its shape, the labels that its one int64 stands for or None, and whether it is a number, not an array of one.
    n_columns, n_planes, beside : int
        Columns that fronts read, those that the steps make included; the most planes of a forest; see `RowWalker`.
    """

    cdef object table, keep_alive, dtype, shape
    cdef list labels
    cdef bint scalar, narrow
    cdef const CRowStep* steps
    cdef int64_t n_steps, n_cells, result, n_columns, n_planes
    cdef int beside

    def __init__(self, tuple names, list fields, steps, int64_t n_bytes, int64_t result, tuple form, *, int64_t n_columns, int64_t n_planes,
                 int beside, keep_alive):
        RowReader.__init__(self, names, fields)
        assert steps.itemsize == STEP_BYTES and steps.flags.c_contiguous and n_columns >= self.n_fields
        self.table, self.keep_alive = steps, keep_alive
        self.steps, self.n_steps = <const CRowStep*><uintptr_t>steps.ctypes.data, len(steps)
        self.n_cells, self.result, self.n_columns, self.n_planes, self.beside = (n_bytes + 7) // 8, result, n_columns, n_planes, beside
        self.dtype, self.shape, self.labels, self.scalar = form
        self.narrow = self.dtype == np.float32

    def answer(self, row):
        """None where the row needs a closer look."""
        cdef RowScratch* scratch = row_scratch(self.n_columns, self.n_planes, self.n_cells // 2 + 1)
        cdef const void* values
        if scratch == NULL:
            return None
        try:
            if not self.read(scratch, row):
                return None
            if start_walk(self.beside):
                with nogil:
                    run_steps(self.steps, self.n_steps, scratch)
                stop_walk()
            else:
                run_steps(self.steps, self.n_steps, scratch)
            values = cell_at(scratch, self.result)
            if self.labels is not None:
                return self.labels[(<const int64_t*>values)[0]]
            if not self.scalar:
                return array_of(values, self.shape, self.dtype)
            return <double>(<const float*>values)[0] if self.narrow else (<const double*>values)[0]
        finally:
            scratch.busy = False
