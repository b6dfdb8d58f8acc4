"""Axon fetch against rows kept in arrays."""
from collections import Counter

import numpy as np
import pytest

from ranvier.hw.axons import AxonFetch
from ranvier.hw.images import bank_images
from ranvier.model.flight import needed_cursors
from ranvier.model.rows import bank_rows, row_delays
from ranvier.model.sizes import WHEEL_TICKS
from ranvier.sim.benches import simulate

from ..designs import random_config, random_events, random_parameters
from .test_cursor import Bench, begin, by_tick, clear, draw_spikes, first_synapse, load

FIXED = {"buffer": "cursor", "delays": "axonal", "cursors": 512, "ticks": 8192, "banks": 2,
         "neurons": 9, "inputs": 6}


def draw(seed, **changes):
    """Return random parameters of the second of two banks, and its images."""
    rng = np.random.default_rng(seed)
    parameters = random_parameters(rng, random_config(rng, **FIXED | changes))
    return parameters, bank_images(parameters, 1)


def arrivals(parameters, spikes):
    """Return what is sent to the second bank for spikes, without dendritic delays, as a Counter."""
    found, delay = Counter(), row_delays(parameters)
    for tick, source in spikes:
        for s in range(*parameters.row_start[source : source + 2]):
            if parameters.target[s] % 2 == 1:
                found[int(tick + delay[s]), int(parameters.target[s]) // 2,
                      int(parameters.weight[s])] += 1
    return found


@pytest.mark.parametrize("changes", [
    {"delay_max": 1}, {"delay_max": 100, "segments": 4}, {"delay_max": 1024, "rows": "dense"},
    {"delay_max": 3000, "segments": 2},
    {"delay_max": 60, "dendritic_max": 30, "delays": "axonal+dendritic", "segments": 2}])
@pytest.mark.parametrize("busy", [1.0, 0.5])
def test_sends_each_row_once_and_in_time(changes, busy):
    for seed in range(2):
        parameters, images = draw(seed, **changes)
        config = parameters.config
        dut = AxonFetch(config=config, images=None if seed else images)
        bench = Bench(dut, 150 + config.delay_max, seed, busy)
        spikes = draw_spikes(config, seed, 50, 100)

        async def run(ctx, dut=dut, images=images, bench=bench, spikes=spikes, loaded=seed):
            if loaded:
                await load(ctx, dut, images)
            await bench.run(ctx, by_tick(spikes))

        simulate(dut, run, background=(bench.collect,), cycles=400_000)
        assert bench.sent == arrivals(parameters, spikes)
        assert bench.lost == 0


def one_row(delay, cursors):
    """Return parameters in which every source's synapses all have one delay."""
    parameters, _ = draw(3, delay_max=delay, cursors=cursors, dendrites=1, dendritic_max=0,
                         delays="axonal+dendritic")
    parameters.delay[:] = delay
    return parameters


def test_a_row_without_a_cursor_is_lost_and_told_and_one_in_time_needs_none():
    parameters = one_row(50, cursors=4)
    dut = AxonFetch(config=parameters.config, images=bank_images(parameters, 1))
    bench = Bench(dut, 120, 0)
    source = int(np.flatnonzero(np.diff(bank_rows(parameters, 1).start))[0])
    spikes = [(tick, source) for tick in (0, 10, 20, 30, 38, 39, 40, 60)]  # free from 40 on

    async def run(ctx):
        await bench.run(ctx, by_tick(spikes))

    simulate(dut, run, background=(bench.collect,), cycles=50_000)
    assert bench.lost == 2
    assert bench.sent == arrivals(parameters, [one for one in spikes if one[0] not in (38, 39)])
    near = one_row(WHEEL_TICKS, cursors=2)
    events = random_events(np.random.default_rng(1), near.config, rate=0.01)
    assert needed_cursors(near, [events]) == 0


def test_clear_leaves_no_spike_in_flight_and_every_cursor_free():
    parameters = one_row(500, cursors=4)
    dut = AxonFetch(config=parameters.config, images=bank_images(parameters, 1))
    bench = Bench(dut, 10, 0)
    burst = {tick: [0] for tick in range(4)}

    async def run(ctx):
        for _ in range(2):
            await bench.run(ctx, burst)
            assert not bench.sent
            await clear(ctx, dut)
        await bench.run(ctx, {}, range(600))
        assert not bench.sent
        await bench.run(ctx, burst, range(600))

    simulate(dut, run, background=(bench.collect,), cycles=50_000)
    assert bench.lost == 0
    assert bench.sent == arrivals(parameters, [(tick, 0) for tick in range(4)])


def test_rows_take_the_stated_cycles():
    parameters, images = draw(4, delay_max=4, segments=1)
    dut = AxonFetch(config=parameters.config, images=images)
    rows = np.diff(bank_rows(parameters, 1).start)
    full, empty = (int(np.flatnonzero(found)[0]) for found in (rows, rows == 0))

    async def bench(ctx):
        ctx.set(dut.o.ready, 1)
        await begin(ctx, dut)
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.i.payload, empty)
        for cycle in range(2 * dut.row_cycles + 1):
            assert ctx.get(dut.i.ready) == (cycle % dut.row_cycles == 0)
            if cycle == 2 * dut.row_cycles:
                ctx.set(dut.i.payload, full)
            await ctx.tick()
        ctx.set(dut.i.valid, 0)
        await first_synapse(ctx, dut)

    simulate(dut, bench, cycles=200)
