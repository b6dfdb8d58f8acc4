# amaranth: UnusedElaboratable=no
"""The memory that can be brought to rest."""

import numpy as np
import pytest

from ranvier.hw.cleared import ClearedMemory
from ranvier.sim.benches import simulate


async def sweep(ctx, unit, cycles):
    """Check that the memory clears for ``cycles`` cycles from now on."""
    for _ in range(cycles):
        assert ctx.get(unit.clearing)
        await ctx.tick()
    assert not ctx.get(unit.clearing)


@pytest.mark.parametrize("depth", [1, 2, 7])
def test_words_and_clearing(depth):
    rng = np.random.default_rng(depth)
    unit = ClearedMemory(shape=9, depth=depth, rest=5)

    async def bench(ctx):
        await sweep(ctx, unit, depth)
        words, held = [5] * depth, None
        for _ in range(300):
            reads, writes, clears = rng.random(3) < (0.6, 0.5, 0.03)
            address, place, word = rng.integers((depth, depth, 512)).tolist()
            ctx.set(unit.read, int(reads))
            ctx.set(unit.read_address, address)
            ctx.set(unit.write, int(writes))
            ctx.set(unit.write_address, place)
            ctx.set(unit.after, word)
            ctx.set(unit.clear, int(clears))
            await ctx.tick()
            if reads:  # nothing may be expected of a word that's written just then
                held = None if writes and address == place else words[address]
            assert held in (None, ctx.get(unit.word))
            words[place] = word if writes else words[place]
            if clears:
                for port in (unit.clear, unit.read, unit.write):
                    ctx.set(port, 0)
                await sweep(ctx, unit, depth)
                words = [5] * depth

    simulate(unit, bench)


def test_an_empty_memory_is_refused():
    with pytest.raises(ValueError, match=r"^Memory depth must be at least 1, not 0$"):
        ClearedMemory(shape=1, depth=0)
