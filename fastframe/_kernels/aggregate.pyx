"""Tasks of aggregations by group code; see ``program.hpp`` and the headers that it names. Addresses are ints."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uintptr_t
from libc.stdlib cimport free, malloc
from libcpp.vector cimport vector

from fastframe._kernels.kernel cimport View, as_view
from fastframe._threads._drive cimport Task, kernel_t

cdef extern from "aggregations.hpp" namespace "ff" nogil:
    ctypedef void (*convert_t)(const View&, int64_t, int, int64_t, void*)

    cdef struct Given:
        const uint8_t* offsets
        const uint8_t* data
        int64_t smallest
        int64_t other_smallest

    cdef struct StateColumns:
        uint8_t* fields[6]
        uint8_t* validity
        int64_t bit_offset

    cdef struct StepKernels:
        int32_t slot_bytes
        int32_t n_words
        void (*init)(uint8_t*)
        kernel_t merge

    cdef struct PairRuns:
        pass

    cdef struct CStep "ff::Step":
        const StepKernels* kernels
        int32_t input
        int32_t other
        int64_t offset
        int32_t half
        Given given
        convert_t convert[2]
        convert_t convert_scattered[2]
        const PairRuns* runs

    cdef struct CPresence "ff::Presence":
        int32_t input
        int32_t other
        int32_t nan_bytes
        int32_t nan_other
        int32_t counted
        int32_t first_step
        int32_t stop_step
        bint found_nan

    cdef struct CInput "ff::Input":
        View view
        int32_t width
        int32_t offset

    cdef struct CEmit "ff::Emit":
        int32_t step
        int32_t presence
        bint needs_n
        bint poisons
        StateColumns out
        kernel_t finalize
        int64_t min_count
        int64_t ddof
        int64_t unit
        uint8_t* values
        uint8_t* validity
        int64_t value_bytes

    cdef cppclass CProgram "ff::Program":
        vector[CInput] inputs
        vector[View] views
        vector[CStep] steps
        vector[CPresence] presences
        vector[CEmit] emits
        vector[uint8_t] first_state
        const uint8_t* codes
        uint32_t base
        int64_t n_groups
        int64_t stride
        int64_t size_offset
        int32_t size_half
        int64_t n_counted
        int64_t n_slices
        int64_t n_replicas
        int64_t state_bytes
        bint prefetch
        bint far
        uint8_t* states
        uint32_t* missing
        uint8_t* touched
        uint32_t lane_offsets[256]
        uint32_t lane_spares[256]
        int64_t share_groups
        int64_t first_share
        int64_t n_rows
        int64_t shift
        int64_t n_partitions
        int64_t record_bytes
        int64_t first_partition
        int64_t stop_partition
        int64_t first_row
        int64_t first_slice
        bint begins
        bint ends
        bint has_mask
        int32_t* places
        const int32_t* starts
        uint8_t* records

    cdef struct Bound:
        CProgram* program

    cdef struct CMerge "ff::Merge":
        const StateColumns* states
        int64_t n_states
        StateColumns out

    cdef struct Fold:
        const CProgram* program

    cdef struct FoldKernels:
        kernel_t begin
        kernel_t rows
        kernel_t end

    const StepKernels* step_kernels(int operation, int physical)
    CInput input_kernels(int source)
    convert_t pair_convert(int operation, int physical, bint scattered)
    const PairRuns* exact_pair_runs(int operation, int physical, int other)
    kernel_t slices_kernel(const CProgram& program, int code_bytes)
    FoldKernels fold_kernels(const CProgram& program, int code_bytes)
    kernel_t count_kernel(int code_bytes)
    kernel_t scatter_kernel(int code_bytes)
    kernel_t shares_kernel(int code_bytes)
    kernel_t combine_slices_kernel "ff::combine_slices"
    kernel_t update_partitions_kernel "ff::update_partitions"
    int SPARE_SLOTS_ "ff::SPARE_SLOTS"
    int REPLICAS_ "ff::REPLICAS"
    int STEP_ROWS_ "ff::STEP_ROWS"
    int MOST_RECORD_BYTES_ "ff::MOST_RECORD_BYTES"

cdef extern from "finalize.hpp" namespace "ff" nogil:
    cdef struct CFinalize "ff::Finalize":
        const uint8_t* fields[6]
        int64_t min_count
        int64_t ddof
        int64_t unit
        uint8_t* values
        uint8_t* validity

    kernel_t finalize_kernel(int finalizer, int physical)

SPARE_SLOTS = SPARE_SLOTS_
REPLICAS = REPLICAS_
MOST_RECORD_BYTES = MOST_RECORD_BYTES_
ROW_NUMBERS = 100
WHOLE, LOW, HIGH = 0, 1, 2   # see `Half`
EMIT_N = -1
EMIT_MISSING = -2


def slot_bytes(int operation, int physical):
    """Bytes of one group's state; 0 where the operation has no meaning for the type."""
    cdef const StepKernels* kernels = step_kernels(operation, physical)
    return kernels.slot_bytes if kernels != NULL else 0


cdef StateColumns state_columns(tuple fields, uintptr_t validity, int64_t bit_offset):
    cdef StateColumns columns
    cdef int field
    for field in range(6):
        columns.fields[field] = <uint8_t*><uintptr_t>(fields[field] if field < len(fields) else 0)
    columns.validity = <uint8_t*>validity
    columns.bit_offset = bit_offset
    return columns


cdef class Program:
    """One pass for several aggregations: its inputs, steps and results, and the tasks of its phases.

    Built in order: inputs, then presences each with its steps, then `lay_out`, then results.
    """

    cdef CProgram* program
    cdef int code_bytes
    cdef list keep_alive

    def __cinit__(self):
        self.program = new CProgram()

    def __dealloc__(self):
        del self.program

    def __init__(self, tuple codes, *, int64_t n_groups, keep_alive):
        """``codes`` are ``(address, bytes, code 0)``, address 0 where all rows are of one group."""
        self.program.codes = <const uint8_t*><uintptr_t>codes[0]         # IN
        self.code_bytes = codes[1]
        self.program.base = codes[2]
        self.program.n_groups = n_groups
        self.program.n_counted = 0
        self.program.size_offset = -1
        self.program.size_half = WHOLE
        self.keep_alive = [keep_alive]

    def keep(self, one):
        """Hold what addresses point into for as long as the program lives."""
        self.keep_alive.append(one)

    def over(self, tuple codes, list views not None, list results not None, *, int64_t n_groups, keep_alive):
        """The same steps and results over other memory: ``views`` of all inputs, ``(values, validity)`` of all results.

        For programs whose states know nothing of the columns (no text, no smallest value) and whose results all come of
        finalizers.
        """
        cdef Program other = Program.__new__(Program)
        cdef Py_ssize_t number
        other.program[0] = self.program[0]
        other.program.codes = <const uint8_t*><uintptr_t>codes[0]        # IN
        other.code_bytes = codes[1]
        other.program.base = codes[2]
        other.program.n_groups = n_groups
        other.keep_alive = [keep_alive]
        if len(views) != <Py_ssize_t>self.program.inputs.size() or len(results) != <Py_ssize_t>self.program.emits.size():
            raise ValueError(f"{len(views)} inputs and {len(results)} results for a program of other numbers")
        for number in range(len(views)):
            other.program.inputs[number].view = as_view(tuple(views[number]))   # IN
            other.program.views[number] = other.program.inputs[number].view
        for number in range(len(results)):
            other.program.emits[number].values = <uint8_t*><uintptr_t>results[number][0]     # OUT
            other.program.emits[number].validity = <uint8_t*><uintptr_t>results[number][1]   # OUT
        return other

    def add_input(self, int source, view):
        """A column as steps read it: a physical id, ROW_NUMBERS, or -1 where only validity is read; its number."""
        cdef CInput one = input_kernels(source)
        one.view = as_view(tuple(view))                                  # IN
        self.program.inputs.push_back(one)
        self.program.views.push_back(one.view)
        return <int>self.program.inputs.size() - 1

    def add_presence(self, int first, int other, int nan_bytes, int nan_other, bint counted):
        """Which rows the steps added next take: those where both inputs (-1: none) have a value; its number."""
        cdef CPresence one
        one.input = first
        one.other = other
        one.nan_bytes = nan_bytes
        one.nan_other = nan_other
        one.counted = -1
        one.found_nan = False
        if counted:
            one.counted = <int32_t>self.program.n_counted
            self.program.n_counted += 1
        one.first_step = one.stop_step = <int32_t>self.program.steps.size()
        self.program.presences.push_back(one)
        return <int>self.program.presences.size() - 1

    def add_step(self, int operation, int first, int first_physical, int other=-1, int other_physical=-1, *,
                 tuple text=(0, 0), int64_t smallest=0, int64_t other_smallest=0):
        """A state that takes rows of the latest presence; its number."""
        cdef CStep step
        step.kernels = step_kernels(operation, first_physical)
        if step.kernels == NULL:
            raise TypeError("no kernel exists for these types; the caller must check support in resolve()")
        step.input = first
        step.other = other
        step.offset = 0
        step.half = WHOLE
        step.given.offsets = <const uint8_t*><uintptr_t>text[0]          # IN
        step.given.data = <const uint8_t*><uintptr_t>text[1]             # IN
        step.given.smallest = smallest
        step.given.other_smallest = other_smallest
        step.convert[0] = pair_convert(operation, first_physical, False)
        step.convert[1] = pair_convert(operation, other_physical, False)
        step.convert_scattered[0] = pair_convert(operation, first_physical, True)
        step.convert_scattered[1] = pair_convert(operation, other_physical, True)
        step.runs = exact_pair_runs(operation, first_physical, other_physical)
        self.program.steps.push_back(step)
        self.program.presences.back().stop_step = <int32_t>self.program.steps.size()
        return <int>self.program.steps.size() - 1

    @property
    def slot_bytes(self):
        """Bytes of each step's field."""
        return [self.program.steps[step].kernels.slot_bytes for step in range(self.program.steps.size())]

    @property
    def adds_words(self):
        """Whether each step adds words, which must be neighbours in the state, in the order of the steps."""
        return [self.program.steps[step].kernels.n_words > 0 for step in range(self.program.steps.size())]

    def lay_out(self, list offsets, list halves, int64_t stride, int counter):
        """Where each step's field lies in a state of ``stride`` bytes: WHOLE, or the LOW or HIGH half of a word.

        ``counter`` is the step that counts rows (-1: none).
        """
        cdef size_t step
        self.program.stride = stride
        self.program.first_state.assign(stride, 0)
        for step in range(self.program.steps.size()):
            self.program.steps[step].offset = offsets[step]
            self.program.steps[step].half = halves[step]
            self.program.steps[step].kernels.init(self.program.first_state.data() + <int64_t>offsets[step])
        if counter >= 0:
            self.program.size_offset = offsets[counter]
            self.program.size_half = halves[counter]

    def emit_fields(self, int step, int presence, bint needs_n, tuple fields, uintptr_t validity):
        """A step's fields (or EMIT_N, EMIT_MISSING: an int64 column) as columns."""
        cdef CEmit one
        one.step = step
        one.presence = presence
        one.needs_n = needs_n
        one.poisons = False
        one.out = state_columns(fields, validity, 0)                     # OUT
        one.finalize = NULL
        one.min_count = one.ddof = one.unit = one.value_bytes = 0
        one.values = one.validity = NULL
        self.program.emits.push_back(one)

    def emit_result(self, int step, int presence, bint needs_n, bint poisons, *, int finalizer, int physical, int64_t min_count,
                    int64_t ddof, int64_t unit, uintptr_t values, uintptr_t validity, int64_t value_bytes):
        """What a finalizer makes of a step's fields."""
        cdef CEmit one
        one.step = step
        one.presence = presence
        one.needs_n = needs_n
        one.poisons = poisons
        one.out = state_columns((), 0, 0)
        one.finalize = finalize_kernel(finalizer, physical)
        if one.finalize == NULL:
            raise TypeError("no kernel exists for these types; the caller must check support in resolve()")
        one.min_count = min_count
        one.ddof = ddof
        one.unit = unit
        one.values = <uint8_t*>values                                    # OUT
        one.validity = <uint8_t*>validity                                # OUT
        one.value_bytes = value_bytes
        self.program.emits.push_back(one)

    @property
    def n_counted(self):
        return self.program.n_counted

    @property
    def found_nan(self):
        """Of each presence, once all rows have been taken: whether a value that was looked at was NaN."""
        return [self.program.presences[number].found_nan for number in range(self.program.presences.size())]

    cdef Task task(self, kernel_t kernel):
        cdef Bound bound
        bound.program = self.program
        return Task.make(kernel, &bound, sizeof(bound), self)

    def update_slices(self, uintptr_t states, uintptr_t missing, uintptr_t touched, *, int64_t n_slices, int64_t n_replicas, bint prefetch,
                      bint far):
        """Over rows: each slice into its own table."""
        cdef int lane
        self.program.states = <uint8_t*>states                           # OUT
        self.program.missing = <uint32_t*>missing                        # OUT
        self.program.touched = <uint8_t*>touched                         # OUT
        self.program.n_slices = n_slices
        self.program.n_replicas = n_replicas
        self.program.state_bytes = n_replicas * (self.program.n_groups + SPARE_SLOTS_) * self.program.stride
        self.program.prefetch = prefetch
        self.program.far = far
        cdef int64_t words = self.program.stride // 8
        for lane in range(STEP_ROWS_):
            self.program.lane_offsets[lane] = <uint32_t>((lane % n_replicas) * (self.program.n_groups + SPARE_SLOTS_) * words)
            self.program.lane_spares[lane] = <uint32_t>((self.program.n_groups + lane % SPARE_SLOTS_) * words)
        return self.task(slices_kernel(self.program[0], self.code_bytes))

    def fold(self):
        """In place of the task of `update_slices`, whose states it fills: begin a slice, take the rows of a block, end the slice.

        For inputs that are made block by block (fold.hpp). Gives the three tasks, the bytes of their context, and where the
        view of each input lies in it.
        """
        cdef int64_t n_inputs = self.program.views.size(), n_bytes = sizeof(Fold) + n_inputs * sizeof(View), number
        cdef FoldKernels kernels = fold_kernels(self.program[0], self.code_bytes)
        cdef Fold* fold = <Fold*>malloc(n_bytes)
        if fold == NULL:
            raise MemoryError()
        try:
            fold.program = self.program
            for number in range(n_inputs):
                (<View*>(fold + 1))[number] = self.program.views[number]
            begin = Task.make(kernels.begin, fold, n_bytes, self)
            rows = Task.make(kernels.rows, fold, n_bytes, self)
            end = Task.make(kernels.end, fold, n_bytes, self)
        finally:
            free(fold)
        return (begin, rows, end), n_bytes, [sizeof(Fold) + number * sizeof(View) for number in range(n_inputs)]

    def combine_slices(self):
        """Over groups, after `update_slices`: the tables of all slices to results."""
        return self.task(combine_slices_kernel)

    def record_bytes(self):
        """Bytes of a row as a record: its code, a mask of what is null where anything is, the values."""
        cdef size_t number
        cdef int32_t offset
        self.program.has_mask = False
        for number in range(self.program.inputs.size()):
            if self.program.inputs[number].view.validity != NULL:
                self.program.has_mask = True
        offset = 8 if self.program.has_mask else 4
        for number in range(self.program.inputs.size()):
            self.program.inputs[number].offset = offset
            offset += self.program.inputs[number].width
        self.program.record_bytes = offset
        return offset

    def update_shares(self, uintptr_t states, uintptr_t missing, uintptr_t touched, *, int64_t n_rows, int64_t share_groups,
                      int64_t first_share):
        """Over shares of so many groups (a multiple of 512), from ``first_share`` on: each adds its rows, to results."""
        self.program.states = <uint8_t*>states                           # OUT
        self.program.missing = <uint32_t*>missing                        # OUT
        self.program.touched = <uint8_t*>touched                         # OUT
        self.program.n_rows = n_rows
        self.program.share_groups = share_groups
        self.program.first_share = first_share
        return self.task(shares_kernel(self.code_bytes))

    def count_records(self, uintptr_t places, *, int64_t n_partitions, int shift):
        """Over rows: rows of each slice and partition."""
        self.program.n_partitions = n_partitions
        self.program.shift = shift
        self.program.places = <int32_t*>places                           # OUT of counting, IN OUT of scattering
        return self.task(count_kernel(self.code_bytes))

    def keep_states(self, uintptr_t states, uintptr_t missing, uintptr_t touched):
        """Where the states of a batch's partitions are kept until its next one; 0 where nothing needs to be."""
        self.program.states = <uint8_t*>states                           # IN OUT
        self.program.missing = <uint32_t*>missing                        # IN OUT
        self.program.touched = <uint8_t*>touched                         # IN OUT

    def batch(self, uintptr_t records, uintptr_t starts, *, tuple partitions, int64_t first_row, int64_t first_slice, bint begins,
              bint ends):
        """Once counts are places: over rows, the records of some partitions; then over these partitions, at the end to results."""
        self.program.records = <uint8_t*>records                         # OUT
        self.program.starts = <const int32_t*>starts                     # IN
        self.program.first_partition = partitions[0]
        self.program.stop_partition = partitions[1]
        self.program.first_row = first_row
        self.program.first_slice = first_slice
        self.program.begins = begins
        self.program.ends = ends
        return self.task(scatter_kernel(self.code_bytes)), self.task(update_partitions_kernel)


cdef class Merge:
    """States of the same groups, from several parts of the rows in order, to one state."""

    cdef StateColumns* states
    cdef CMerge ctx
    cdef kernel_t kernel
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
        self.kernel = step_kernels(operation, physical).merge
        self.ctx.states = self.states
        self.ctx.n_states = len(states)
        self.ctx.out = state_columns(out_fields, out_validity, 0)              # OUT
        self.keep_alive = keep_alive

    def __dealloc__(self):
        free(self.states)

    def merge(self):
        """Over groups."""
        return Task.make(self.kernel, &self.ctx, sizeof(self.ctx), (self, self.keep_alive))


def finalize(int finalizer, int physical, tuple fields, *, int64_t min_count, int64_t ddof, int64_t unit, uintptr_t values,
             uintptr_t validity, keep_alive):
    """Over groups: results of type ``physical`` from a state's columns."""
    cdef CFinalize ctx
    cdef int field
    for field in range(6):
        ctx.fields[field] = <const uint8_t*><uintptr_t>(fields[field] if field < len(fields) else 0)   # IN
    ctx.min_count = min_count
    ctx.ddof = ddof
    ctx.unit = unit
    ctx.values = <uint8_t*>values                                # OUT
    ctx.validity = <uint8_t*>validity                            # OUT
    return Task.make(finalize_kernel(finalizer, physical), &ctx, sizeof(ctx), keep_alive)
