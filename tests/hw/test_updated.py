# amaranth: UnusedElaboratable=no
"""Read, change and write in every cycle against a list of words."""
import numpy as np
import pytest

from ranvier.hw.updated import UpdatedMemory
from ranvier.sim.benches import simulate


@pytest.mark.parametrize(("depth", "more"), [(1, 0), (2, 0), (5, 0), (4, 3), (1, 1)])
def test_every_update_sees_the_one_before(depth, more):
    generator = np.random.default_rng([1, depth, more])
    dut = UpdatedMemory(shape=12, depth=depth, more=more)
    cycles = 500
    address = generator.integers(depth + more, size=cycles)
    write = generator.random(cycles) < 0.7
    step = generator.integers(1, 100, size=cycles)
    words = [0] * (depth + more)

    async def bench(ctx):
        for k in range(cycles + dut.latency):
            if k < cycles:
                ctx.set(dut.address, int(address[k]))
            ctx.set(dut.write, 0)
            if (old := k - dut.latency) >= 0:
                assert ctx.get(dut.word) == words[address[old]]
                if write[old]:
                    words[address[old]] = (words[address[old]] + int(step[old])) % 4096
                    ctx.set(dut.write, 1)
                    ctx.set(dut.after, words[address[old]])
            await ctx.tick()

    simulate(dut, bench, cycles=cycles + 10)
    assert any(words)


def test_a_memory_without_words_is_refused():
    with pytest.raises(ValueError, match=r"^Memory depth must be at least 1, not 0$"):
        UpdatedMemory(shape=4, depth=0)


@pytest.mark.parametrize(("depth", "more"), [(6, 2), (4, 5)])
def test_a_second_storage_needs_a_power_of_two_before_it_and_no_fewer_words(depth, more):
    with pytest.raises(ValueError, match=rf"^Memory depth must be a power of two from {more} on, "
                                         rf"before {more} words more, not {depth}$"):
        UpdatedMemory(shape=4, depth=depth, more=more)
