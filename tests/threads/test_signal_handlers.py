"""Operations started by a signal handler in the middle of another operation."""

import textwrap

from tests.threads.probing import python


def test_a_signal_handler_may_run_operations() -> None:
    code = """
    import signal
    from tests.threads.probing import Probe
    from fastframe._threads import run_calls
    from fastframe.options import options
    options.threads = 2
    inner = []
    def handler(signum, frame):
        probe = Probe(20, 10_000)
        probe.run()
        inner.append(probe.is_complete)
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.002)
    outer = []
    for _ in range(200):
        probe = Probe(20, 100_000)
        probe.run()
        outer.append(probe.is_complete)
        outer.append(run_calls([lambda: 1, lambda: 2]) == [1, 2])
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(all(outer), len(outer), all(inner), len(inner) > 5)
    """
    done = python(textwrap.dedent(code))
    assert done.stdout == "True 400 True True\n", done.stderr
