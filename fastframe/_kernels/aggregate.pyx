"""Tasks of aggregations by group code; see ``states.hpp``, ``aggregate.hpp``, ``reduce.hpp``, ``finalize.hpp``. Addresses are ints."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uintptr_t
from libc.stdlib cimport free, malloc

from fastframe._kernels.kernel cimport View, as_view
from fastframe._threads._drive cimport Task, kernel_t

cdef extern from "aggregations.hpp" namespace "ff" nogil:
    cdef struct Text:
        const uint8_t* offsets
        const uint8_t* data

    cdef struct StateColumns:
        uint8_t* fields[3]
        uint8_t* validity
        int64_t bit_offset

    cdef struct CGrouped "ff::Grouped":
        View view
        const uint8_t* codes
        Text text
        int64_t n_groups
        uint8_t* slots
        int32_t n_replicas
        int32_t prefetch
        int64_t n_slices
        const int32_t* starts
        int32_t shift
        StateColumns out

    cdef struct CMerge "ff::Merge":
        const StateColumns* states
        int64_t n_states
        StateColumns out

    cdef struct GroupedKernels:
        kernel_t update_slices
        kernel_t reduce_slices
        kernel_t combine_slices
        kernel_t update_partitions
        kernel_t merge_states
        int64_t slot_bytes

    GroupedKernels grouped_kernels(int operation, int physical)
    int SPARE_SLOTS_ "ff::SPARE_SLOTS"
    int MOST_REPLICAS_ "ff::MOST_REPLICAS"

cdef extern from "finalize.hpp" namespace "ff" nogil:
    cdef struct CFinalize "ff::Finalize":
        const uint8_t* fields[3]
        int64_t min_count
        int64_t ddof
        int64_t unit
        uint8_t* values
        uint8_t* validity

    kernel_t finalize_kernel(int finalizer, int physical)

SPARE_SLOTS = SPARE_SLOTS_
MOST_REPLICAS = MOST_REPLICAS_


def slot_bytes(int operation, int physical):
    """Bytes of one group's state in one slice; 0 where the operation has no meaning for the type."""
    return grouped_kernels(operation, physical).slot_bytes


cdef StateColumns state_columns(tuple fields, uintptr_t validity, int64_t bit_offset):
    cdef StateColumns columns
    cdef int field
    for field in range(3):
        columns.fields[field] = <uint8_t*><uintptr_t>(fields[field] if field < len(fields) else 0)
    columns.validity = <uint8_t*>validity
    columns.bit_offset = bit_offset
    return columns


cdef class Grouped:
    """One aggregation of one column by group: its arguments, and the tasks of its phases."""

    cdef CGrouped ctx
    cdef GroupedKernels kernels
    cdef object keep_alive

    def __init__(self, int operation, int physical, view, uintptr_t codes, *, int64_t n_groups, tuple text, keep_alive):
        self.kernels = grouped_kernels(operation, physical)
        self.ctx.view = as_view(tuple(view))                            # IN
        self.ctx.codes = <const uint8_t*>codes                   # IN
        self.ctx.text.offsets = <const uint8_t*><uintptr_t>text[0]   # IN
        self.ctx.text.data = <const uint8_t*><uintptr_t>text[1]      # IN
        self.ctx.n_groups = n_groups
        self.keep_alive = keep_alive

    def emit_to(self, tuple fields, uintptr_t validity):
        """Where the state's columns go."""
        self.ctx.out = state_columns(fields, validity, 0)        # OUT

    def update_slices(self, uintptr_t slots, *, int64_t n_slices, int n_replicas, bint prefetch):
        """Over rows: each slice into its own slots."""
        self.ctx.slots = <uint8_t*>slots                         # OUT
        self.ctx.n_slices = n_slices
        self.ctx.n_replicas = n_replicas
        self.ctx.prefetch = prefetch
        cdef kernel_t kernel = self.kernels.update_slices if self.ctx.codes != NULL else self.kernels.reduce_slices
        return Task.make(kernel, &self.ctx, sizeof(self.ctx), self.keep_alive)

    def combine_slices(self):
        """Over groups, after `update_slices`: the slots of all slices to the state's columns."""
        return Task.make(self.kernels.combine_slices, &self.ctx, sizeof(self.ctx), self.keep_alive)

    def update_partitions(self, uintptr_t starts, *, int shift):
        """Over partitions of scattered values and codes: to the state's columns."""
        self.ctx.starts = <const int32_t*>starts                 # IN
        self.ctx.shift = shift
        return Task.make(self.kernels.update_partitions, &self.ctx, sizeof(self.ctx), self.keep_alive)


cdef class Merge:
    """States of the same groups, from several parts of the rows in order, to one state."""

    cdef StateColumns* states
    cdef CMerge ctx
    cdef GroupedKernels kernels
    cdef object keep_alive

    def __init__(self, int operation, int physical, list states, tuple out_fields, uintptr_t out_validity, *, keep_alive):
        """``states``: of each, ``(fields, validity, bit_offset)``."""
        cdef int64_t index
        self.states = <StateColumns*>malloc(len(states) * sizeof(StateColumns))
        if self.states == NULL:
            raise MemoryError()
        for index in range(len(states)):
            fields, validity, bit_offset = states[index]
            self.states[index] = state_columns(fields, validity, bit_offset)   # IN
        self.kernels = grouped_kernels(operation, physical)
        self.ctx.states = self.states
        self.ctx.n_states = len(states)
        self.ctx.out = state_columns(out_fields, out_validity, 0)              # OUT
        self.keep_alive = keep_alive

    def __dealloc__(self):
        free(self.states)

    def merge(self):
        """Over groups."""
        return Task.make(self.kernels.merge_states, &self.ctx, sizeof(self.ctx), (self, self.keep_alive))


def finalize(int finalizer, int physical, tuple fields, *, int64_t min_count, int64_t ddof, int64_t unit, uintptr_t values,
             uintptr_t validity, keep_alive):
    """Over groups: results of type ``physical`` from a state's columns."""
    cdef CFinalize ctx
    cdef int field
    for field in range(3):
        ctx.fields[field] = <const uint8_t*><uintptr_t>(fields[field] if field < len(fields) else 0)   # IN
    ctx.min_count = min_count
    ctx.ddof = ddof
    ctx.unit = unit
    ctx.values = <uint8_t*>values                                # OUT
    ctx.validity = <uint8_t*>validity                            # OUT
    return Task.make(finalize_kernel(finalizer, physical), &ctx, sizeof(ctx), keep_alive)
