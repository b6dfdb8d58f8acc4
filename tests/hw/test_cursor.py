"""Cursor fetch against rows kept in a dictionary."""
from collections import Counter

import numpy as np
import pytest

from ranvier.hw.cursor import CursorFetch
from ranvier.hw.images import bank_images
from ranvier.hw.payloads import Memory
from ranvier.model.cursors import STRETCH
from ranvier.model.parameters import Parameters
from ranvier.model.sizes import LOOKUP, NEAR_SLOTS, WHEEL_TICKS
from ranvier.model.tables import make_tables
from ranvier.sim.benches import put, random_stalls, simulate

from .configs import small_config


def draw(config, seed, crowd=None):
    """Return random parameters with some empty rows; most delays are below ``crowd``."""
    generator = np.random.default_rng(seed)
    counts = generator.multinomial(
        config.synapses, generator.dirichlet(np.full(config.sources, 0.5)))
    top = np.where(generator.random(config.synapses) < 0.7, crowd or config.delay_max,
                   config.delay_max)
    return Parameters(
        config=config, row_start=np.array([0, *np.cumsum(counts)], np.int64),
        target=generator.integers(config.neurons, size=config.synapses).astype(np.int32),
        weight=generator.integers(-config.weight_top, config.weight_top + 1,
                                  size=config.synapses).astype(np.int32),
        delay=(generator.integers(0, top) + 1).astype(np.int32),
        theta0=np.ones(config.neurons, np.int64), beta=np.zeros(config.neurons, np.int64),
        tables=make_tables(config))


def arrivals(parameters, spikes):
    """Return what arrives when a spike of each (tick, source) is sent, as a Counter."""
    found = Counter()
    for tick, source in spikes:
        row = slice(*parameters.row_start[source : source + 2])
        for word in zip(parameters.delay[row] + tick, parameters.target[row],
                        parameters.weight[row], strict=True):
            found[tuple(map(int, word))] += 1
    return found


class Bench:
    """Takes a unit through ticks; collects what it sends, and checks how late."""

    def __init__(self, dut, ticks, seed, busy=1.0):
        self.dut, self.ticks, self.seed, self.busy = dut, ticks, seed, busy
        self.tick, self.now = range(ticks), -1
        self.sent, self.lost, self.cycles = Counter(), 0, 0

    async def run(self, ctx, spikes, ticks=None):
        """Run ``ticks`` (by default all), and in them ``spikes``, a list of sources by tick."""
        dut = self.dut
        for tick in range(self.ticks) if ticks is None else ticks:
            ctx.set(dut.tick, tick)
            ctx.set(dut.start, 1)
            await ctx.tick()
            self.now = tick
            ctx.set(dut.start, 0)
            await put(ctx, dut.i, spikes.get(tick, []), random_stalls([self.seed, tick], self.busy))
            while not ctx.get(dut.idle):
                await ctx.tick()

    async def collect(self, ctx):
        """Collect events, in the background."""
        dut, stalls = self.dut, random_stalls([self.seed, 1 << 20], self.busy)
        wait = 0
        while True:
            ctx.set(dut.o.ready, wait == 0)
            _, _, moved, word, lost = await ctx.tick().sample(
                dut.o.valid & dut.o.ready, dut.o.payload, dut.lost)
            self.lost += lost
            self.cycles += 1
            wait = max(0, wait - 1)
            if moved:
                assert 1 <= word.delay < NEAR_SLOTS
                self.sent[self.now + word.delay, int(word.target), int(word.weight)] += 1
                wait = stalls()


def by_tick(spikes):
    found = {}
    for tick, source in spikes:
        found.setdefault(tick, []).append(source)
    return found


def draw_spikes(config, seed, count, ticks):
    generator = np.random.default_rng(seed)
    drawn = set(zip(generator.integers(ticks, size=count).tolist(),
                    generator.integers(config.sources, size=count).tolist(), strict=True))
    return sorted(drawn)


async def load(ctx, dut, images):
    """Write the memories through the unit's port."""
    ctx.set(dut.load.en, 1)
    for memory in images.keys() & {Memory.ROWS, Memory.WEIGHTS, Memory.LINKS}:
        for address, word in enumerate(images[memory].tolist()):
            ctx.set(dut.load.memory, memory)
            ctx.set(dut.load.address, address)
            ctx.set(dut.load.data, word & 0xFFFFFFFF)
            await ctx.tick()
    ctx.set(dut.load.en, 0)


def check(parameters, spikes, ticks, seed, busy, loaded):
    images = bank_images(parameters, 0)
    dut = CursorFetch(config=parameters.config, images=None if loaded else images)
    bench = Bench(dut, ticks, seed, busy)

    async def run(ctx):
        if loaded:
            await load(ctx, dut, images)
        await bench.run(ctx, by_tick(spikes))

    simulate(dut, run, background=(bench.collect,), cycles=200_000)
    assert bench.sent == arrivals(parameters, spikes)
    assert bench.lost == 0


SHAPES = [
    {"delay_max": 6}, {"delay_max": 1}, {"delay_max": 100, "synapses": 200},
    {"delay_max": 2048}, {"delay_max": 3000, "synapses": 100, "neurons": 70},
    {"inputs": 1, "neurons": 1, "outputs": 1, "synapses": 1, "delay_max": 40},
]


@pytest.mark.parametrize("changes", SHAPES)
@pytest.mark.parametrize("busy", [1.0, 0.5])
def test_sends_each_synapse_once_and_in_time(changes, busy):
    values = {"buffer": "cursor", "cursors": 64, "ticks": 8192, "fan_in": 256} | changes
    config = small_config(**values)
    for seed in range(2):
        parameters = draw(config, [seed, config.delay_max], crowd=min(config.delay_max, 40))
        ticks = 150 + config.delay_max
        check(parameters, draw_spikes(config, seed, 50, 100), ticks, seed, busy, seed == 1)


def one_row(config, delays):
    """Return parameters in which source 0 has synapses of these delays, and no other has any."""
    count = len(delays)
    return Parameters(
        config=config, row_start=np.array([0, *[count] * config.sources], np.int64),
        target=np.arange(count, dtype=np.int32) % config.neurons,
        weight=np.arange(count, dtype=np.int32) % 100 + 1, delay=np.array(delays, np.int32),
        theta0=np.ones(config.neurons, np.int64), beta=np.zeros(config.neurons, np.int64),
        tables=make_tables(config))


def cursor_config(**changes):
    values = {"buffer": "cursor", "cursors": 64, "ticks": 8192, "fan_in": 2048, "synapses": 100,
              "delay_max": 3000}
    return small_config(**values | changes)


async def command(ctx, dut, port, cycles):
    """Give a command, which takes as many cycles."""
    ctx.set(port, 1)
    await ctx.tick()
    ctx.set(port, 0)
    for _ in range(cycles):
        assert not ctx.get(dut.idle)
        await ctx.tick()
    assert ctx.get(dut.idle)


async def clear(ctx, dut):
    """Let a fetch forget all spikes, in as many cycles as it says."""
    await command(ctx, dut, dut.clear, dut.clear_cycles)


async def begin(ctx, dut):
    """Begin a slot in which nothing is due: it's over in as many cycles as the fetch says."""
    ctx.set(dut.tick, WHEEL_TICKS)
    await command(ctx, dut, dut.start, dut.slot_cycles)


async def first_synapse(ctx, dut):
    """Wait for the first synapse of a source that was taken: it comes in time, and no earlier."""
    for _ in range(dut.latency - 1):
        assert not ctx.get(dut.o.valid)
        await ctx.tick()
    assert ctx.get(dut.o.valid)


def test_a_spike_for_which_there_is_no_cursor_is_lost_and_told():
    config = cursor_config(cursors=4)
    parameters = one_row(config, [3, 50, 51, 2000])
    dut = CursorFetch(config=config, images=bank_images(parameters, 0))
    bench = Bench(dut, 4100, 0)
    spikes = [(tick, 0) for tick in (0, 10, 20, 30, 40, 45, 2010, 2011)]

    async def run(ctx):
        await bench.run(ctx, by_tick(spikes))

    simulate(dut, run, background=(bench.collect,), cycles=50_000)
    kept = [spike for spike in spikes if spike[0] not in (40, 45)]
    assert bench.lost == 2
    assert bench.sent == arrivals(parameters, kept)


def test_a_spike_waits_for_cursors_that_the_tick_frees():
    config = cursor_config(cursors=2)
    parameters = one_row(config, [3, 50])
    dut = CursorFetch(config=config, images=bank_images(parameters, 0))
    bench = Bench(dut, 110, 0)
    spikes = [(tick, 0) for tick in (0, 1, 40)]  # the first two are over in tick 40

    async def run(ctx):
        await bench.run(ctx, by_tick(spikes))

    simulate(dut, run, background=(bench.collect,), cycles=5000)
    assert bench.lost == 0
    assert bench.sent == arrivals(parameters, spikes)


def test_clear_leaves_no_spike_in_flight_and_every_cursor_free():
    config = cursor_config(cursors=4)
    parameters = one_row(config, [3, 500, 2000])
    dut = CursorFetch(config=config, images=bank_images(parameters, 0))
    bench = Bench(dut, 10, 0)
    burst = {tick: [0] for tick in range(4)}

    async def run(ctx):
        for _ in range(3):
            await bench.run(ctx, burst)
            bench.sent.clear()
            await clear(ctx, dut)
        await bench.run(ctx, {}, range(2100))
        assert not bench.sent
        await bench.run(ctx, burst, range(2100))

    simulate(dut, run, background=(bench.collect,), cycles=50_000)
    assert bench.lost == 0
    assert bench.sent == arrivals(parameters, [(tick, 0) for tick in range(4)])


def test_the_first_synapse_comes_after_the_latency_and_a_free_slot_ends_in_time():
    config = cursor_config()
    dut = CursorFetch(config=config, images=bank_images(one_row(config, [2, 100]), 0))

    async def bench(ctx):
        ctx.set(dut.o.ready, 1)
        await begin(ctx, dut)
        ctx.set(dut.i.valid, 1)
        await ctx.tick()
        ctx.set(dut.i.valid, 0)
        await first_synapse(ctx, dut)
        while not ctx.get(dut.idle):
            await ctx.tick()
        for tick in range(WHEEL_TICKS + 1, 2 * WHEEL_TICKS):  # no cursors are due within a slot
            ctx.set(dut.tick, tick)
            ctx.set(dut.start, 1)
            await ctx.tick()
            assert ctx.get(dut.idle)

    simulate(dut, bench, cycles=100)


def rate(delays, sources):
    """Return synaptic events per cycle of work, with ``delays`` in each row, in the long run."""
    config = cursor_config(inputs=sources, synapses=len(delays) * sources, cursors=128)
    row = one_row(config, delays * sources)
    start = np.minimum(np.arange(config.sources + 1), sources) * len(delays)
    parameters = Parameters(**{**vars(row), "row_start": start})
    dut = CursorFetch(config=config, images=bank_images(parameters, 0))
    bench = Bench(dut, max(delays) + 20, 0)
    spikes = [(0, source) for source in range(sources)]
    idle = [0]

    async def run(ctx):
        await bench.run(ctx, by_tick(spikes))

    async def count(ctx):
        while True:
            _, _, done = await ctx.tick().sample(dut.idle)
            idle[0] += done

    simulate(dut, run, background=(bench.collect, count), cycles=100_000)
    assert bench.sent == arrivals(parameters, spikes)
    return bench.sent.total() / (bench.cycles - idle[0])


def test_synapses_with_delays_of_their_own_take_two_cycles_each():
    delays = list(range(20, 20 + 40 * STRETCH, STRETCH))
    assert rate(delays, sources=100) > 0.45


def test_synapses_of_one_delay_take_a_cycle_each():
    assert rate([40] * 20 + [80] * 20, sources=40) > 0.85


def stops(others):
    """Return the ticks in which cursors are due and that start only for them.

    Any further tick starts with a probability of ``others``. All synapses arrive as they ought to.
    """
    config = cursor_config(cursors=16)
    parameters = draw(config, 5)
    dut = CursorFetch(config=config, images=bank_images(parameters, 0))
    bench = Bench(dut, 0, 0)
    spikes = draw_spikes(config, 7, 12, 60)
    further = np.random.default_rng(8).random(3100) < others
    found = []

    async def busy(ctx, group):
        ctx.set(dut.group, group)
        ctx.set(dut.look, 1)
        await ctx.tick()
        ctx.set(dut.look, 0)
        await ctx.tick()
        return ctx.get(dut.busy)

    async def run(ctx):
        await bench.run(ctx, by_tick(spikes), range(60))
        for tick in range(60, 3100):
            if (await busy(ctx, tick // LOOKUP)) >> tick % LOOKUP & 1:
                found.append(tick)
                await bench.run(ctx, {}, [tick])
            elif further[tick]:
                await bench.run(ctx, {}, [tick])

    simulate(dut, run, background=(bench.collect,), cycles=50_000)
    assert bench.sent == arrivals(parameters, spikes)
    return found


def test_cursors_wait_for_the_first_tick_that_starts_in_their_slot_or_else_the_last():
    alone, often = stops(0), stops(0.3)
    assert {tick % WHEEL_TICKS for tick in alone} == {WHEEL_TICKS - 1}
    assert 0 < len(often) < len(alone) / 2
    assert set(often) < set(alone)
    assert stops(1) == []
