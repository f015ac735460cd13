"""Large output buffers: page-aligned, huge-page-advised, reused.

A first touch of fresh 4 KiB pages can cost more than the operation that fills them, so blocks of 1 MiB and more come
from `mmap` with ``MADV_HUGEPAGE`` and go back to a small pool when their last owner (NumPy, Arrow or us) lets go.
They go back to the system when nobody has asked for them for ten seconds, or when the options say that too much is kept.
Blocks of 64 KiB and more are kept in the same way, but come from malloc (`medium.hpp`), as smaller
ones do. Memory is not cleared: whoever allocates fills every byte that it hands out.
Any thread may allocate and free. A forked child starts with an empty pool.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_FillInfo, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int64_t, uintptr_t

cdef extern from "medium.hpp" namespace "ff" nogil:
    void* block_allocate(int64_t n_bytes, int64_t* capacity)
    void block_release(void* address, int64_t capacity)
    void limit_kept(int64_t n_bytes)
    int64_t all_held()
    void clear_kept()
    void skip_idle(int64_t ns)
    void pool_forget_peak()
    int64_t c_count_ones "ff::count_ones"(const void* bits, int64_t n_bits)


cdef class Block:
    """``n_bytes`` of writable memory with a stable ``address``; the buffer protocol hands it to Arrow and NumPy."""

    cdef void* start
    cdef int64_t capacity
    cdef readonly int64_t n_bytes

    def __cinit__(self, int64_t n_bytes):
        if n_bytes < 0:
            raise ValueError(f"a block of {n_bytes} bytes")
        self.start = block_allocate(n_bytes, &self.capacity)
        if self.start == NULL:
            raise MemoryError()
        self.n_bytes = n_bytes

    def __dealloc__(self):
        if self.start != NULL:
            block_release(self.start, self.capacity)

    @property
    def address(self):
        return <uintptr_t>self.start

    def __len__(self):
        return self.n_bytes

    def count_ones(self, int64_t n_bits):
        """How many of the first ``n_bits`` bits are 1."""
        if not 0 <= n_bits <= 8 * self.n_bytes:
            raise ValueError(f"{n_bits} bits of a block of {self.n_bytes} bytes")
        return c_count_ones(self.start, n_bits)

    def __getbuffer__(self, Py_buffer* view, int flags):
        PyBuffer_FillInfo(view, self, self.start, self.n_bytes, 0, flags)   # the view keeps this block alive


def blocks(list sizes not None):
    """A block of each number of bytes."""
    return [Block(n_bytes) for n_bytes in sizes]


def set_limit(int64_t n_bytes):
    """Keep at most ``n_bytes`` of freed blocks for reuse; those unused for longest go first."""
    limit_kept(n_bytes)


def held_bytes():
    """Bytes of freed blocks that are kept now."""
    return all_held()


def clear():
    """Give all kept blocks back to the system."""
    clear_kept()


def skip_time(double seconds):
    """For tests: let ``seconds`` pass for the pool, and give back what is idle then."""
    skip_idle(<int64_t>(seconds * 1e9))


def forget_peak():
    """For tests: what is in use now is the most that ever was."""
    pool_forget_peak()


def address_of(memory):
    """The address of a contiguous buffer, a NumPy array's for example; `ndarray.ctypes.data` takes twenty times as long."""
    cdef Py_buffer view
    PyObject_GetBuffer(memory, &view, PyBUF_SIMPLE)
    cdef uintptr_t address = <uintptr_t>view.buf
    PyBuffer_Release(&view)
    return address
