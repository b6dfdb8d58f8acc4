"""Row fetch against slices of arrays."""
import itertools

import numpy as np
import pytest

from ranvier.hw.images import bank_images
from ranvier.hw.payloads import Memory
from ranvier.hw.rows import RowFetch
from ranvier.model.rows import row_delays
from ranvier.sim.benches import get, put, random_stalls, simulate, until

from ..designs import random_config, random_parameters
from .configs import small_config


def draw_images(config, seed):
    """Return memory images with some empty rows, and the synapses of each source."""
    generator = np.random.default_rng(seed)
    counts = generator.multinomial(config.synapses, generator.dirichlet(
        np.full(config.sources, 0.3)))
    rows = [0, *np.cumsum(counts).tolist()]
    synapses = [{"target": int(generator.integers(config.bank_neurons)),
                 "delay": int(generator.integers(1, config.delay_max + 1)),
                 "weight": int(generator.integers(-config.weight_top, config.weight_top + 1))}
                for _ in range(config.synapses)]
    images = {
        Memory.ROWS: rows,
        Memory.WEIGHTS: [word["weight"] for word in synapses],
        Memory.LINKS: [word["target"] | word["delay"] << config.local_bits for word in synapses],
    }
    return images, [synapses[first:end] for first, end in itertools.pairwise(rows)]


@pytest.mark.parametrize("changes", [{}, {"inputs": 1, "neurons": 1, "outputs": 1,
                                          "synapses": 1}, {"delay_max": 1, "banks": 3}])
@pytest.mark.parametrize("busy", [1.0, 0.5])
@pytest.mark.parametrize("loaded", [False, True])
def test_streams_the_rows_of_its_sources(changes, busy, loaded):
    config = small_config(**changes)
    images, rows = draw_images(config, [1, config.synapses])
    dut = RowFetch(config=config, images=None if loaded else images)
    sources = np.random.default_rng(2).integers(config.sources, size=30).tolist()
    want = [word for source in sources for word in rows[source]]
    received = []

    async def send(ctx):
        if loaded:
            ctx.set(dut.load.en, 1)
            for memory, words in images.items():
                for address, word in enumerate(words):
                    ctx.set(dut.load.memory, memory)
                    ctx.set(dut.load.address, address)
                    ctx.set(dut.load.data, word & 0xFFFFFFFF)
                    await ctx.tick()
            ctx.set(dut.load.en, 0)
        await put(ctx, dut.i, sources, random_stalls(3, busy))
        while not ctx.get(dut.idle):
            await ctx.tick()

    async def collect(ctx):
        received.extend(await get(ctx, dut.o, len(want), random_stalls(4, busy)))

    simulate(dut, send, collect, cycles=20_000)
    assert received == want


@pytest.mark.parametrize("busy", [1.0, 0.5])
@pytest.mark.parametrize("fixed", [
    {"rows": "dense"}, {"delays": "axonal"}, {"delays": "axonal", "segments": 4},
    {"rows": "dense", "delays": "axonal", "segments": 2},
    {"delays": "axonal+dendritic", "segments": 2}])
def test_streams_rows_that_have_targets_or_delays_in_common(fixed, busy):
    rng = np.random.default_rng(8)
    config = random_config(rng, neurons=9, banks=2, inputs=6, delay_max=20, **fixed)
    parameters = random_parameters(rng, config)
    delay = row_delays(parameters)
    dut = RowFetch(config=config, images=bank_images(parameters, 1))
    sources = rng.integers(config.sources, size=40).tolist()
    received, want = [], []
    for source in sources:
        for s in range(*parameters.row_start[source : source + 2]):
            if parameters.target[s] % 2 == 1:
                kind = (parameters.kind[source],) if config.dendrites else ()
                want.append((parameters.target[s] // 2, delay[s], parameters.weight[s], *kind))

    async def send(ctx):
        await put(ctx, dut.i, sources, random_stalls(3, busy))
        while not ctx.get(dut.idle):
            await ctx.tick()

    async def collect(ctx):
        received.extend(await get(ctx, dut.o, len(want), random_stalls(4, busy)))

    simulate(dut, send, collect, cycles=20_000)
    assert len(want) > 100
    assert sorted(tuple(word.values()) for word in received) == sorted(want)


def test_streams_one_synapse_per_cycle_after_its_latency():
    config = small_config(synapses=400)
    images, rows = draw_images(config, 5)
    dut = RowFetch(config=config, images=images)
    sources = [k for k, row in enumerate(rows) if len(row) >= dut.row_cycles] * 3
    count = sum(len(rows[source]) for source in sources)

    async def send(ctx):
        await put(ctx, dut.i, sources)

    async def receive(ctx):
        ctx.set(dut.o.ready, 1)
        await until(ctx, dut.i.valid & dut.i.ready)
        for _ in range(dut.latency - 1):
            assert not ctx.get(dut.o.valid)
            await ctx.tick()
        for _ in range(count):
            assert ctx.get(dut.o.valid)
            await ctx.tick()
        assert ctx.get(dut.idle)

    simulate(dut, send, receive, cycles=5000)


def test_an_empty_row_takes_the_stated_cycles():
    config = small_config()
    dut = RowFetch(config=config)

    async def bench(ctx):
        ctx.set(dut.i.valid, 1)
        for cycle in range(3 * dut.row_cycles + 1):
            assert ctx.get(dut.i.ready) == (cycle % dut.row_cycles == 0)
            await ctx.tick()

    simulate(dut, bench, cycles=50)
