import numpy as np
import pytest

from ranvier.hw.boards.output import OutputBuffer
from ranvier.sim.benches import put, random_stalls, simulate

COUNT = 1500  # words: positions wrap several times


@pytest.mark.parametrize("seed", range(3))
def test_every_word_can_be_read_until_it_is_released(seed):
    dut, rng = OutputBuffer(shape=16), np.random.default_rng(seed)
    words = rng.integers(0, 1 << 16, COUNT).tolist()
    got = []

    async def read(ctx):
        first = 0
        while len(got) < COUNT:
            ctx.set(dut.at, (first + 3) % 256)
            end = ctx.get(dut.end)
            assert ctx.get(dut.first) == first
            there = (end - first) % 256
            assert ctx.get(dut.held) == (there >= 3)
            for at in rng.permutation(there):
                ctx.set(dut.at, (first + int(at)) % 256)
                await ctx.tick()
                assert ctx.get(dut.word) == words[len(got) + at]
            have = int(rng.integers(0, there + 1))
            got.extend(words[len(got) : len(got) + have])
            first = (first + have) % 256
            ctx.set(dut.at, first)
            ctx.set(dut.release, 1)
            await ctx.tick()
            ctx.set(dut.release, 0)

    async def write(ctx):
        await put(ctx, dut.i, words, random_stalls([4, seed], busy=(0.2, 0.6, 1)[seed]))

    simulate(dut, read, write)
    assert got == words


def test_it_waits_when_it_is_full_and_forgets_when_told():
    dut = OutputBuffer(shape=8)

    async def run(ctx):
        await put(ctx, dut.i, range(255))
        assert not ctx.get(dut.i.ready)
        ctx.set(dut.clear, 1)
        await ctx.tick()
        assert (ctx.get(dut.first), ctx.get(dut.end), ctx.get(dut.i.ready)) == (0, 0, 1)

    simulate(dut, run)
