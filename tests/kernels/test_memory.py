"""Blocks of memory and the pool that keeps freed ones."""

import gc
import os
import threading

import numpy as np
import pyarrow as pa
import pytest

from fastframe._kernels import memory
from fastframe._kernels.memory import Block, held_bytes
from fastframe.column.memory import allocate, as_buffer
from fastframe.errors import ArgumentError, OutOfMemory
from fastframe.options import option_context, options
from tests.threads.probing import python

KIB, MIB = 1 << 10, 1 << 20


@pytest.fixture(autouse=True)
def empty_pool():
    memory.clear()
    yield
    memory.clear()


SIZES = [0, 1, 63, 64, 1000, 64 * KIB - 1, 64 * KIB, 100_001, MIB - 65, MIB - 64, MIB - 1, MIB, MIB + 1, 4 * MIB - 1, 4 * MIB, 9 * MIB + 5]


@pytest.mark.parametrize("n_bytes", SIZES)
def test_a_block_has_exactly_its_bytes(n_bytes: int) -> None:
    block = Block(n_bytes)
    assert (len(block), block.n_bytes, memoryview(block).nbytes) == (n_bytes, n_bytes, n_bytes)
    assert block.address % 64 == 0
    values = np.frombuffer(block, np.uint8) if n_bytes else np.empty(0, np.uint8)
    assert values.flags.writeable
    values[:] = 0xA5
    assert values.size == n_bytes
    assert bytes(memoryview(block)[-3:]) == b"\xa5" * min(n_bytes, 3)
    assert as_buffer(block).size == n_bytes
    assert n_bytes == 0 or as_buffer(block).address == block.address


def test_large_blocks_start_at_a_huge_page() -> None:
    blocks = [Block(5 * MIB) for _ in range(4)]
    if os.uname().sysname == "Linux":
        assert {block.address % (2 * MIB) for block in blocks} == {0}
    assert len({block.address for block in blocks}) == 4


@pytest.mark.parametrize("n_bytes", [-1, -(2**63)])
def test_a_negative_size_is_refused(n_bytes: int) -> None:
    with pytest.raises(ValueError, match="bytes"):
        Block(n_bytes)


@pytest.mark.parametrize("n_bytes", [2**46 + 1, 2**62, 2**63 - 1])
def test_a_size_that_no_system_has(n_bytes: int) -> None:
    with pytest.raises(MemoryError):
        Block(n_bytes)
    with pytest.raises(OutOfMemory, match=r"sorting rows needs .* GB"):
        allocate(n_bytes, "sorting rows")


def test_freed_blocks_are_reused() -> None:
    block = Block(8 * MIB)
    address = block.address
    del block
    assert held_bytes() == 8 * MIB
    again = Block(7 * MIB)   # an eighth less: fits well enough
    assert again.address == address
    assert (held_bytes(), len(again)) == (0, 7 * MIB)


def test_a_far_larger_block_is_cut_and_the_rest_stays() -> None:
    block = Block(40 * MIB)
    address = block.address
    del block
    small = Block(7 * MIB)
    assert small.address == address
    assert held_bytes() == 32 * MIB   # cut at a huge page
    next_one = Block(32 * MIB)
    assert (next_one.address, held_bytes()) == (address + 8 * MIB, 0)


def test_neighbours_serve_a_request_that_none_of_them_could() -> None:
    block = Block(40 * MIB)
    address = block.address
    del block
    parts = [Block(size * MIB) for size in (8, 12, 20)]
    assert [part.address - address for part in parts] == [0, 8 * MIB, 20 * MIB]
    parts[1:] = []
    assert held_bytes() == 32 * MIB
    joined = Block(30 * MIB)   # the 12 and the 20
    assert (joined.address, held_bytes()) == (address + 8 * MIB, 2 * MIB)
    assert parts[0].address == address
    values = np.frombuffer(joined, np.uint8)
    values[:] = 3
    assert values.sum(dtype=np.int64) == 3 * 30 * MIB


def test_blocks_with_a_gap_between_are_not_joined() -> None:
    block = Block(40 * MIB)
    del block
    parts = [Block(size * MIB) for size in (8, 12, 20)]
    within = parts[0].address, parts[2].address + 20 * MIB
    parts = [parts[1]]   # the first and the last are kept, the middle one is in use
    other = Block(28 * MIB)
    assert not within[0] <= other.address < within[1]
    assert len(parts) == 1


def test_the_best_fit_is_taken() -> None:
    blocks = [Block(size * MIB) for size in (24, 20, 22)]
    addresses = [block.address for block in blocks]
    blocks.clear()
    assert Block(20 * MIB).address == addresses[1]


def test_small_blocks_are_not_held() -> None:
    for _ in range(10):
        Block(64 * KIB - 1)
    assert held_bytes() == 0


@pytest.mark.parametrize("n_bytes", [64 * KIB, 100_000, 800_000, MIB - 64, MIB - 1])
def test_a_medium_block_is_used_again(n_bytes: int) -> None:
    blocks = [Block(n_bytes), Block(n_bytes)]
    addresses = {block.address for block in blocks}
    assert len(addresses) == 2
    blocks.clear()
    held = held_bytes()
    assert 2 * n_bytes <= held <= 2 * n_bytes * 9 // 8
    again = [Block(n_bytes), Block(n_bytes)]
    assert ({block.address for block in again}, held_bytes()) == (addresses, 0)
    for block in again:
        np.frombuffer(block, np.uint8)[:] = 7
        assert bytes(memoryview(block)[-3:]) == b"\7\7\7"


def test_fresh_medium_blocks_start_at_a_page() -> None:
    blocks = [Block(n_bytes) for n_bytes in (64 * KIB, 100_000, 800_000, MIB - 1)]
    assert {block.address % 4096 for block in blocks} == {0}


def test_medium_blocks_of_other_sizes_stay() -> None:
    block = Block(128 * KIB)
    address = block.address
    del block
    assert (Block(200 * KIB).address != address, held_bytes()) == (True, (128 + 208) * KIB)
    assert Block(128 * KIB - 100).address == address   # rounded up to the same size


def test_medium_blocks_that_are_kept_are_bounded() -> None:
    blocks = [Block(512 * KIB) for _ in range(100)]
    newest = {block.address for block in blocks[-64:]}
    while blocks:
        del blocks[0]
    assert held_bytes() == 32 * MIB
    assert {block.address for block in [Block(512 * KIB) for _ in range(64)]} == newest
    with option_context(pool_bytes=MIB):
        assert held_bytes() == MIB
        Block(700 * KIB)
        assert held_bytes() <= MIB
    with option_context(pool_bytes=0):
        Block(700 * KIB)
        assert held_bytes() == 0


def test_idle_medium_blocks_go_back() -> None:
    first, second = Block(512 * KIB), Block(256 * KIB)
    del first
    memory.skip_time(6)
    del second
    memory.skip_time(6)
    assert held_bytes() == 256 * KIB
    memory.skip_time(6)
    assert held_bytes() == 0


@pytest.mark.parametrize("export", ["numpy", "arrow", "memoryview"])
def test_only_the_last_owner_returns_a_block(export: str) -> None:
    block = Block(4 * MIB)
    np.frombuffer(block, np.int64)[:] = np.arange(4 * MIB // 8)
    if export == "numpy":
        owner = np.frombuffer(block, np.int64)[1000:2000][::2]
    elif export == "arrow":
        owner = pa.Array.from_buffers(pa.int64(), 4 * MIB // 8, [None, as_buffer(block)]).slice(1000, 1000)
    else:
        owner = memoryview(block).cast("q")[1000:2000]
    del block
    gc.collect()
    assert held_bytes() == 0
    Block(4 * MIB)   # would be the same memory, were it free
    assert owner[3].as_py() == 1003 if export == "arrow" else owner[0] == 1000
    del owner
    gc.collect()
    assert held_bytes() == 8 * MIB   # this block and the one above


def test_the_limit_is_kept_and_the_longest_unused_go_first() -> None:
    with option_context(pool_bytes=20 * MIB):
        blocks = [Block(8 * MIB) for _ in range(4)]
        addresses = [block.address for block in blocks]
        while blocks:
            del blocks[0]
        assert held_bytes() == 16 * MIB
        kept = {Block(8 * MIB).address, Block(8 * MIB).address} | {Block(8 * MIB).address}
        assert kept <= set(addresses[2:])
        del blocks
        Block(21 * MIB)   # more than the limit: never kept
        assert held_bytes() <= 20 * MIB


def test_what_is_idle_goes_back_to_the_system() -> None:
    first = Block(8 * MIB)
    second = Block(9 * MIB)
    del first
    memory.skip_time(6)
    del second
    assert held_bytes() == 17 * MIB
    memory.skip_time(6)   # the first has been idle for 12 seconds, the second for 6
    assert held_bytes() == 9 * MIB
    memory.skip_time(6)
    assert held_bytes() == 0


def test_what_is_used_again_is_not_idle() -> None:
    for _ in range(4):
        Block(8 * MIB)
        memory.skip_time(6)
    assert held_bytes() == 8 * MIB


def test_idle_blocks_go_back_without_another_operation() -> None:
    code = """
import threading, time
from fastframe._kernels import memory
def resident(): return int(open("/proc/self/statm").read().split()[1]) * 4096 >> 20
block = memory.Block(64 << 20)
memoryview(block)[:] = bytes(64 << 20)
before = resident()
del block
held = memory.held_bytes() >> 20
memory.skip_time(9.9)   # a tenth of a second is left
deadline = time.monotonic() + 60
while memory.held_bytes() and time.monotonic() < deadline:
    time.sleep(0.05)
print(held, memory.held_bytes(), before - resident() >= 60)
again = memory.Block(512 << 10)   # and all over again, with malloc's
del again
held = memory.held_bytes() >> 10
memory.skip_time(9.9)
while memory.held_bytes() and time.monotonic() < deadline:
    time.sleep(0.05)
print(held, memory.held_bytes())
"""
    done = python(code)
    assert done.stdout.splitlines() == ["64 0 True", "512 0"], done.stderr


def test_kept_blocks_do_not_raise_the_peak() -> None:
    with option_context(pool_bytes=2048 * MIB):
        memory.forget_peak()
        blocks = [Block(100 * MIB), Block(100 * MIB)]   # 200 are in use at once
        del blocks[0]
        larger = Block(190 * MIB)   # now 290, and no kept block fits: what is kept may be SLACK = 64
        assert held_bytes() == 0
        del larger
        del blocks[:]
        assert held_bytes() == 290 * MIB   # what was in use at once may be kept
        twice = [Block(95 * MIB), Block(185 * MIB)]
        assert held_bytes() < 290 * MIB - 280 * MIB + MIB   # both are from it
        assert len(twice) == 2


def test_the_option_takes_effect_at_once() -> None:
    Block(10 * MIB)
    assert held_bytes() == 10 * MIB
    with option_context(pool_bytes=0):
        assert held_bytes() == 0
        Block(10 * MIB)
        assert held_bytes() == 0
    Block(10 * MIB)
    assert held_bytes() == 10 * MIB


@pytest.mark.parametrize("value", [-1, 1.5, None])
def test_a_wrong_option_is_refused(value: object) -> None:
    with pytest.raises(ArgumentError, match="pool_bytes"):
        options.pool_bytes = value  # type: ignore[assignment]


def test_the_environment_presets_the_limit() -> None:
    code = (
        "from fastframe.column.memory import allocate; from fastframe._kernels.memory import held_bytes\n"
        "for mib in (3, 9): allocate(mib << 20, 'test')\n"
        "print(held_bytes() >> 20)"
    )
    assert python(code, FASTFRAME_POOL_BYTES=str(5 * MIB)).stdout.strip() == "3"


def test_a_failed_allocation_names_operation_and_size() -> None:
    code = """
import resource
from fastframe.column.memory import allocate
from fastframe.errors import OutOfMemory
from fastframe._kernels.memory import held_bytes
blocks = [allocate(100 << 20, "before") for _ in range(2)]
del blocks[:]
print(held_bytes() >> 20)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (150 << 20),) * 2)
block = allocate(300 << 20, "the pool gives its blocks back first")
print(held_bytes(), len(block) >> 20)
try:
    allocate(400 << 20, "sorting rows")
except OutOfMemory as error:
    print(error)
print(len(allocate(1000, "small ones still work")))
"""
    done = python(code, FASTFRAME_POOL_BYTES=str(256 * MIB))
    assert done.stdout.splitlines() == [
        "200",
        "0 300",
        str(OutOfMemory.of("sorting rows", 400 << 20)),
        "1000",
    ], done.stderr
    assert "sorting rows needs 0.419 GB" in done.stdout


def test_many_threads_allocate_and_free() -> None:
    errors: list[str] = []

    def work(number: int) -> None:
        random = np.random.default_rng(number)
        held: list[np.ndarray] = []
        for _ in range(200):
            values = np.frombuffer(Block(int(random.integers(1, 6)) * MIB), np.uint64)
            values[::512] = number   # a word of each page
            held.append(values)
            if len(held) > 3:
                values = held.pop(int(random.integers(4)))
                if (values[::512] != number).any():
                    errors.append(f"thread {number} found somebody else's bytes")

    with option_context(pool_bytes=30 * MIB):
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        assert held_bytes() <= 30 * MIB


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
def test_a_forked_child_starts_with_an_empty_pool_and_its_parents_values() -> None:
    kept = np.frombuffer(Block(4 * MIB), np.uint8)
    kept[:] = 7
    Block(8 * MIB)
    child = os.fork()
    if child == 0:
        fine = held_bytes() == 0 and bool((kept == 7).all())
        values = np.frombuffer(Block(8 * MIB), np.uint8)
        values[:] = 1
        kept[:] = 9   # the child's copy
        os._exit(0 if fine and held_bytes() == 0 else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert held_bytes() == 8 * MIB
    assert (kept == 7).all()


def test_a_fork_never_meets_a_locked_pool() -> None:
    code = """
import multiprocessing, threading
from fastframe._kernels.memory import Block
on = True
def churn():
    while on:
        Block(1 << 20), Block(1 << 19)
threads = [threading.Thread(target=churn) for _ in range(3)]
for thread in threads: thread.start()
context = multiprocessing.get_context("fork")
for _ in range(30):
    child = context.Process(target=Block, args=(2 << 20,))
    child.start()
    child.join(20)
    assert child.exitcode == 0, child.exitcode
on = False
for thread in threads: thread.join()
print("done")
"""
    done = python(code)
    assert done.stdout == "done\n", done.stderr


def test_ones_are_counted_up_to_the_last_bit_and_no_farther() -> None:
    rng = np.random.default_rng(4)
    for n_bits in (0, 1, 7, 8, 9, 63, 64, 65, 127, 128, 1000):
        block = Block((n_bits + 7) // 8)
        bits = rng.integers(0, 256, block.n_bytes).astype(np.uint8)
        np.frombuffer(block, np.uint8)[:] = bits
        assert block.count_ones(n_bits) == int(np.unpackbits(bits, bitorder="little")[:n_bits].sum())
    for n_bits in (-1, 9):
        with pytest.raises(ValueError, match="bits of a block of 1 bytes"):
            Block(1).count_ones(n_bits)
