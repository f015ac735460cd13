"""A kernel bound to its arguments (`Task`), and one parallel pass of it over rows (`Run`).

The only code that claims slices, polls the stop flag and calls kernels. It knows nothing of threads: every thread
that takes part calls `Run.work`, which releases the GIL once for all the slices that it does.
"""

from libc.stdint cimport int64_t, uint64_t, uintptr_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

cdef extern from "drive.hpp" namespace "ff" nogil:
    void start_run(RunState* run, kernel_t kernel, void* ctx, int64_t n_rows, int64_t slice_rows)
    bint drive(RunState* run, int64_t max_ns)
    cdef cppclass PostBox "ff::Mailbox":
        pass
    bint post(PostBox* box, RunState* run)
    void withdraw(PostBox* box, RunState* run)
    bint hush "ff::hush"(PostBox* box)
    void help "ff::help"(PostBox* box, RunState* run, int64_t linger_ns)
    bint wait_empty(RunState* run, int64_t max_ns)
    int64_t n_unclaimed(const RunState* run)
    void stop_run(RunState* run)
    int64_t failed_slice(RunState* run)
    int failed_status(RunState* run)
    ctypedef struct Stint:
        uint64_t thread
        int64_t begin_ns
        int64_t end_ns
        int64_t core_ns
    bint record_stints(RunState* run)
    int64_t n_stints(const RunState* run)
    Stint stint_at(const RunState* run, int64_t at)
    int64_t ff_now_ns "ff::now_ns"()
    int64_t ff_core_ns "ff::core_ns"()
    RunState* new_run()
    void delete_run(RunState* run)
    int ff_current_core "ff::current_core"()


cdef class Task:
    """A kernel and a private copy of its context struct; made by the functions of ``fastframe._kernels``."""

    def __dealloc__(self):
        free(self.ctx)

    @staticmethod
    cdef Task make(kernel_t kernel, const void* ctx, size_t ctx_bytes, object keep_alive):
        if kernel == NULL:
            raise TypeError("no kernel exists for these types; the caller must check support in resolve()")
        cdef Task task = Task.__new__(Task)
        task.kernel = kernel
        task.ctx = malloc(ctx_bytes if ctx_bytes > 0 else 1)
        if task.ctx == NULL:
            raise MemoryError()
        memcpy(task.ctx, ctx, ctx_bytes)
        task.keep_alive = keep_alive
        return task

    @staticmethod
    def at(uintptr_t address, bytes ctx not None, object keep_alive):
        """The kernel at an address, such as numba's compiler gives, on a copy of its context; ``keep_alive`` holds both's memory."""
        return Task.make(<kernel_t>address, <const char*>ctx, len(ctx), keep_alive)


cdef class Mailbox:
    """Where a worker listens for a moment after a run, so that the next one finds it awake."""

    cdef PostBox box

    def hush(self):
        """Have the worker that listens here go back to its queue at once; False where none listens."""
        return hush(&self.box)


cdef class Run:
    """One pass of a task over ``n_rows`` rows in slices of ``slice_rows``, shared by the threads that call `work`."""

    def __cinit__(self, Task task not None, int64_t n_rows, int64_t slice_rows):
        if n_rows < 0 or slice_rows <= 0:
            raise ValueError(f"n_rows={n_rows} and slice_rows={slice_rows} do not describe slices")
        self.state = new_run()
        if self.state == NULL:
            raise MemoryError()
        self.task = task
        start_run(self.state, task.kernel, task.ctx, n_rows, slice_rows)

    def __dealloc__(self):
        if self.state != NULL:   # refused before there was one
            delete_run(self.state)

    @property
    def n_slices(self):
        return self.state.n_slices

    @property
    def n_unclaimed(self):
        """Slices that nobody has begun."""
        return n_unclaimed(self.state)

    def record(self):
        """Note from now on who works when; before the first `work`."""
        if not record_stints(self.state):
            raise MemoryError()

    @property
    def stints(self):
        """``(thread, begin, end, time on a core)`` of each call of `work`, in nanoseconds; after `close`."""
        found = []
        for at in range(n_stints(self.state)):
            stint = stint_at(self.state, at)
            found.append((stint.thread, stint.begin_ns, stint.end_ns, stint.core_ns))
        return found

    def work(self, int64_t max_ns=0):
        """Do slices until none is left, or for ``max_ns`` nanoseconds; True where some may be left to claim."""
        cdef bint more
        with nogil:
            more = drive(self.state, max_ns)
        return more

    def help(self, Mailbox mailbox not None, int64_t linger_ns):
        """For a worker: `work`, then on whatever is posted to it, until nothing is for ``linger_ns`` nanoseconds."""
        with nogil:
            help(&mailbox.box, self.state, linger_ns)

    def post(self, Mailbox mailbox not None):
        """Have the worker that listens there take part; False where none listens."""
        return post(&mailbox.box, self.state)

    def withdraw(self, Mailbox mailbox not None):
        """Take a post back, unless the worker has begun."""
        withdraw(&mailbox.box, self.state)

    def wait(self, int64_t max_ns=0):
        """Wait for the other threads' slices, for ``max_ns`` nanoseconds at most; True where all have ended."""
        cdef bint empty
        with nogil:
            empty = wait_empty(self.state, max_ns)
        return empty

    def close(self):
        """No more claims; wait for the slices that run, and let go of the task's memory.

        A helper may still come later, from a queue: it finds the run stopped, and the task is not needed any more.
        """
        with nogil:
            stop_run(self.state)
            wait_empty(self.state, 0)
        self.task = None

    @property
    def failure(self):
        """``(slice, status)`` of the lowest failing slice, or None."""
        if failed_slice(self.state) >= self.state.n_slices:
            return None
        return failed_slice(self.state), failed_status(self.state)


def run_slice(Task task not None, int64_t n_rows):
    """All rows as slice 0 on the calling thread, without a `Run`; the kernel's status. For what one slice holds."""
    cdef int status = 0
    if n_rows > 0:
        with nogil:
            status = task.kernel(task.ctx, 0, n_rows, 0)
    return status


def current_core():
    """The number of the core that the calling thread is on; -1 where the system does not say."""
    return ff_current_core()


def now_ns():
    """Nanoseconds of the clock that stints are told in."""
    return ff_now_ns()


def core_ns():
    """Nanoseconds for which the calling thread has had a core."""
    return ff_core_ns()
