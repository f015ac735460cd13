"""Programs: tasks of other kernels run one after another over blocks of rows, with temporaries as long as a block."""

from libc.stdint cimport int64_t, uint8_t, uintptr_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from fastframe._threads._drive cimport Task, kernel_t

cdef extern from "fused.hpp" namespace "ff" nogil:
    cdef struct ProgramStep:
        kernel_t kernel
        int64_t context
        int64_t first_patch
        int64_t beyond_patch

    cdef struct ProgramPatch:
        int64_t place
        int64_t base
        int64_t bits_per_row

    cdef struct Program:
        int64_t n_steps
        int64_t n_before
        int64_t n_after
        int64_t steps
        int64_t patches
        int64_t contexts
        int64_t context_bytes
        int64_t scratch_bytes
        int64_t block_rows

    int run_program(void* ctx, int64_t start, int64_t stop, int64_t slice)


cdef int64_t rounded(int64_t n_bytes):
    return (n_bytes + 63) // 64 * 64


def program(list steps not None, int64_t block_rows, int64_t scratch_bytes, *, int64_t n_before=0, int64_t n_after=0):
    """The task that runs the steps block by block.

    Parameters
    ----------
    steps : list of (Task, context size, patches, words)
        ``patches`` are ``(offset in the context, offset in the scratch, bits per row)`` of temporaries, ``words`` are
        ``(offset in the context, 8 bytes)``: addresses of memory as long as a column, flags. The tasks are kept alive.
    block_rows : int
        A multiple of 512.
    scratch_bytes : int
        That the temporaries of one block take.
    n_before, n_after : int
        The first and the last steps run once per slice, before and after its blocks; they have no patches.

    Statuses: those of the steps; OUT_OF_MEMORY.
    """
    if block_rows <= 0 or block_rows % 512:
        raise ValueError(f"block_rows={block_rows} is not a multiple of 512")
    if n_before < 0 or n_after < 0 or n_before + n_after > len(steps):
        raise ValueError(f"{n_before} steps before and {n_after} after the blocks are not among {len(steps)}")
    cdef int64_t n_patches = sum(len(step[2]) for step in steps)
    cdef int64_t context_bytes = sum(rounded(step[1]) for step in steps)
    cdef Program head
    head.n_steps, head.n_before, head.n_after = len(steps), n_before, n_after
    head.steps = rounded(sizeof(Program))
    head.patches = head.steps + rounded(head.n_steps * sizeof(ProgramStep))
    head.contexts = head.patches + rounded(n_patches * sizeof(ProgramPatch))
    head.context_bytes = context_bytes
    head.scratch_bytes = rounded(scratch_bytes)
    head.block_rows = block_rows
    cdef int64_t n_bytes = head.contexts + context_bytes
    cdef uint8_t* memory = <uint8_t*>calloc(n_bytes, 1)
    if memory == NULL:
        raise MemoryError()
    try:
        memcpy(memory, &head, sizeof(head))
        fill(memory, &head, steps)
        return Task.make(<kernel_t>&run_program, memory, n_bytes, [step[0] for step in steps])
    finally:
        free(memory)


cdef int fill(uint8_t* memory, Program* head, list steps) except -1:
    cdef ProgramStep* out = <ProgramStep*>(memory + head.steps)
    cdef ProgramPatch* patch_out = <ProgramPatch*>(memory + head.patches)
    cdef int64_t context = 0, n_patches = 0, size, place
    cdef uintptr_t word
    cdef Task task
    for number, (given, given_size, patches, words) in enumerate(steps):
        task, size = given, given_size
        out[number].kernel = task.kernel
        out[number].context = context
        out[number].first_patch = n_patches
        memcpy(memory + head.contexts + context, task.ctx, size)
        for place, base, bits_per_row in patches:
            if place < 0 or place + 8 > size:
                raise ValueError(f"no word at byte {place} of a context of {size} bytes")
            patch_out[n_patches].place = context + place
            patch_out[n_patches].base = base
            patch_out[n_patches].bits_per_row = bits_per_row
            n_patches += 1
        for place, word in words:
            if place < 0 or place + 8 > size:
                raise ValueError(f"no word at byte {place} of a context of {size} bytes")
            memcpy(memory + head.contexts + context + place, &word, sizeof(word))
        out[number].beyond_patch = n_patches
        context += rounded(size)
    return 0
