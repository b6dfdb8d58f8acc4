# amaranth: UnusedElaboratable=no
"""A memory of several tiles against a list of words."""
import numpy as np
import pytest

from ranvier.hw.tiled import TiledMemory
from ranvier.model.sizes import TILE
from ranvier.sim.benches import simulate


@pytest.mark.parametrize("depth", [2, 100, TILE, TILE + 1, 2 * TILE + 7])
def test_words_come_after_the_stated_enabled_cycles(depth):
    generator = np.random.default_rng(depth)
    words = generator.integers(256, size=depth).tolist()
    dut = TiledMemory(shape=8, depth=depth, init=words)
    assert sum(depth for _, depth in dut.places()) >= depth

    async def bench(ctx):
        coming = []
        for _ in range(400):
            address = int(generator.choice([0, depth - 1, depth // 2, generator.integers(depth)]))
            place, after = int(generator.integers(depth)), int(generator.integers(256))
            enable, write = generator.random() < 0.7, generator.random() < 0.3
            ctx.set(dut.address, address)
            ctx.set(dut.enable, enable)
            ctx.set(dut.write, write)
            ctx.set(dut.write_address, place)
            ctx.set(dut.after, after)
            if enable:
                coming = [*coming, words[address]][-dut.latency:]
            if write and not (enable and place == address):  # such a read isn't defined
                words[place] = after
            else:
                ctx.set(dut.write, 0)
            await ctx.tick()
            if len(coming) == dut.latency:
                assert ctx.get(dut.word) == coming[0]

    simulate(dut, bench, cycles=1000)


def test_a_memory_of_one_word_is_refused():
    with pytest.raises(ValueError, match=r"^Memory depth must be at least 2, not 1$"):
        TiledMemory(shape=4, depth=1)
