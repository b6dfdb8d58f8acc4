"""The multiplier and its tables."""

import numpy as np
import pytest

from ranvier.hw.payloads import Memory
from ranvier.hw.scale import ScaleUnit, table_places
from ranvier.model.tables import ONE
from ranvier.sim.benches import simulate

from .configs import small_config

VARIANTS = [{}, {"adaptive": False}, {"synapse": "jump"}, {"synapse": "jump", "adaptive": False}]


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("loaded", [False, True])
def test_products_are_exact(variant, loaded):
    rng = np.random.default_rng(5)
    config = small_config(trace_bits=24, ticks=1000, **variant)
    places = table_places(config)
    images = {memory: rng.choice([0, 1, ONE, ONE - 1, 12345], len(place)).tolist()
              for memory, place in places.items()}
    words = [word for image in images.values() for word in image]
    unit = ScaleUnit(config=config, images=None if loaded else images)
    top = 1 << (config.trace_bits + 16)

    async def load(ctx):
        ctx.set(unit.load.en, 1)
        # Nothing may be written by other memories, nor beside a table.
        for memory in Memory:
            image = images.get(memory, [])
            for address, word in enumerate([*image, *[9] * (64 - len(image))]):
                ctx.set(unit.load.memory, memory)
                ctx.set(unit.load.address, address)
                ctx.set(unit.load.data, word)
                await ctx.tick()
        ctx.set(unit.load.en, 0)

    async def bench(ctx):
        if loaded:
            await load(ctx)
        expected = [None] * unit.latency
        for _ in range(2000):
            address = int(rng.integers(len(words)))
            x = int(rng.choice([-top, top - 1, 0, 1, -1, rng.integers(-top, top)]))
            ctx.set(unit.user.address, address)
            ctx.set(unit.user.x, x)
            expected.append(x * words[address])
            await ctx.tick()
            product = expected[-unit.latency]
            assert product in (None, ctx.get(unit.user.product))

    simulate(unit, bench)


def test_words_of_aligned_tables_are_found_without_an_adder():
    places = table_places(small_config())
    for memory in (Memory.LOW_M, Memory.LOW_S, Memory.LOW_A, Memory.SLEEP):
        assert places[memory].start % len(places[memory]) == 0
