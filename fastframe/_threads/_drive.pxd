from libc.stdint cimport int64_t

cdef extern from "drive.hpp" namespace "ff" nogil:
    ctypedef int (*kernel_t)(void* ctx, int64_t start, int64_t stop, int64_t slice)

    cdef cppclass RunState:
        int64_t n_slices


cdef class Task:
    cdef kernel_t kernel
    cdef void* ctx
    cdef object keep_alive

    @staticmethod
    cdef Task make(kernel_t kernel, const void* ctx, size_t ctx_bytes, object keep_alive)


cdef class Run:
    cdef RunState* state
    cdef readonly Task task
