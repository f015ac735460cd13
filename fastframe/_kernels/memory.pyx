"""Large output buffers: page-aligned, huge-page-advised, reused.

A first touch of fresh 4 KiB pages can cost more than the operation that fills them, so blocks of 1 MiB and more come
from `mmap` with ``MADV_HUGEPAGE`` and go back to a small pool when their last owner (NumPy, Arrow or us) lets go.
Smaller blocks come from malloc. Memory is not cleared: whoever allocates fills every byte that it hands out.
Any thread may allocate and free. A forked child starts with an empty pool.
"""

from cpython.buffer cimport PyBuffer_FillInfo
from libc.stdint cimport int64_t, uintptr_t

cdef extern from "memory.hpp" namespace "ff" nogil:
    void* pool_allocate(int64_t n_bytes, int64_t* capacity)
    void pool_release(void* address, int64_t capacity)
    void pool_limit(int64_t n_bytes)
    int64_t pool_held()
    void pool_clear()


cdef class Block:
    """``n_bytes`` of writable memory with a stable ``address``; the buffer protocol hands it to Arrow and NumPy."""

    cdef void* start
    cdef int64_t capacity
    cdef readonly int64_t n_bytes

    def __cinit__(self, int64_t n_bytes):
        if n_bytes < 0:
            raise ValueError(f"a block of {n_bytes} bytes")
        self.start = pool_allocate(n_bytes, &self.capacity)
        if self.start == NULL:
            raise MemoryError()
        self.n_bytes = n_bytes

    def __dealloc__(self):
        if self.start != NULL:
            pool_release(self.start, self.capacity)

    @property
    def address(self):
        return <uintptr_t>self.start

    def __len__(self):
        return self.n_bytes

    def __getbuffer__(self, Py_buffer* view, int flags):
        PyBuffer_FillInfo(view, self, self.start, self.n_bytes, 0, flags)   # the view keeps this block alive


def set_limit(int64_t n_bytes):
    """Keep at most ``n_bytes`` of freed blocks for reuse; those unused for longest go first."""
    pool_limit(n_bytes)


def held_bytes():
    """Bytes of freed blocks that are kept now."""
    return pool_held()


def clear():
    """Give all kept blocks back to the system."""
    pool_clear()
