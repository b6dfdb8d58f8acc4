# amaranth: UnusedElaboratable=no
"""The neuron unit against the model's kernels, touch by touch."""

from itertools import count

import numpy as np
import pytest

from ranvier.hw.neuron import NeuronUnit
from ranvier.hw.payloads import Memory
from ranvier.model import arithmetic
from ranvier.model.tables import make_tables
from ranvier.sim.benches import get, put, random_stalls, simulate

from .configs import small_config
from .scaled import table_images
from .sums import bring_sums, due_words

VARIANTS = {
    "full": {},
    "wide": {"trace_bits": 24, "weight_bits": 12, "fan_in": 300},
    "steady": {"adaptive": False},
    "jump": {"synapse": "jump"},
    "plain": {"synapse": "jump", "adaptive": False},
}


class Reference:
    """The unit in plain Python around the model's kernels."""

    def __init__(self, config, theta0, beta):
        self.config, self.theta0, self.beta = config, theta0, beta
        self.tables, self.wheel = make_tables(config), 1 << config.wake_bits
        self.rest()
        self.pauses, self.touches, self.looks, self.saturations = set(), 0, 0, 0
        self.spikes, self.trace, self.wakes = [], [], []

    def rest(self):
        self.state = np.zeros((len(self.theta0), 4), np.int64)  # p, q, a, last
        self.slot = [None] * len(self.theta0)

    def due(self, tick, word):
        """Apply one word. Returns the slot that the neuron asks to be looked at in, or None."""
        config, tables = self.config, self.tables
        j, arrival = word["neuron"], bool(word["arrival"])
        jump = config.synapse == "jump"
        if not arrival and (jump or self.slot[j] != tick % self.wheel):
            return None
        p, q, a, last = self.state[j]
        u = tick - last
        p = arithmetic.decay(p, u, tables.low_m, tables.high_m)
        q = np.int64(0) if jump else arithmetic.decay(q, u, tables.low_s, tables.high_s)
        a = arithmetic.decay(a, u, tables.low_a, tables.high_a) if config.adaptive else np.int64(0)
        self.looks += not arrival
        if arrival or p - q >= self.theta0[j] + a:
            amount = np.int64(word["sum"] << config.guard_bits)
            p, q, a, fired, saturated = arithmetic.touch(
                p, q, a, arrival, amount, self.theta0[j], self.beta[j],
                np.int64(config.trace_top), jump)
            self.state[j] = p, q, a, tick
            self.touches += 1
            self.saturations += int(saturated)
            self.trace.append({"neuron": j, "fired": int(fired), "p": int(p), "q": int(q),
                               "a": int(a)})
            if fired:
                self.spikes.append(j)
        if jump:
            return None
        pause = int(arithmetic.sleep(
            p, q, a, arithmetic.size(*self.state[j, :3]), self.theta0[j],
            *np.int64([config.trace_top, config.wake_bits, config.slope_bits]), tables.sleep))
        self.pauses.add(pause)
        self.slot[j] = None if pause == arithmetic.FOREVER else (tick + pause) % self.wheel
        if pause != arithmetic.FOREVER:
            self.wakes.append({"neuron": j, "slot": self.slot[j]})
        return self.slot[j]


def draw_sum(rng, config):
    """Return a sum of arrivals: nothing, the extremes, or of about a threshold."""
    top = 1 << (config.sum_bits - 1)
    kind = rng.integers(8)
    if kind < 3:
        return int((0, -top, top - 1)[kind])
    spread = (config.trace_top >> config.guard_bits) >> int(rng.integers(1, 8))
    spread = min(max(spread, 1), top - 1)
    return int(rng.integers(-spread // 2, spread + 1))


def draw_schedule(rng, reference, words):
    """Return (tick, words) pairs, with looks as a bank would hand them over and some that lie."""
    config, neurons = reference.config, len(reference.theta0)
    wheel = {}
    schedule, tick, left = [], 0, words
    while tick < config.ticks and left > 0:
        looks = wheel.pop(tick % reference.wheel, set())
        looks |= {int(j) for j in np.flatnonzero(rng.random(neurons) < 0.05)}
        arrivals = {int(j) for j in np.flatnonzero(rng.random(neurons) < 0.3)}
        due = [{"neuron": j, "arrival": int(j in arrivals), "sum": draw_sum(rng, config)}
               for j in rng.permutation(sorted(looks | arrivals)).tolist()]
        for word in due:
            slot = reference.due(tick, word)
            if slot is not None:
                wheel.setdefault(slot, set()).add(word["neuron"])
        schedule.append((tick, due))
        left -= len(due)
        tick += int(rng.choice([1, 2, 5, 63, 64, 65, 700, 2500], p=[0.79] + [0.03] * 7))
    return schedule


def images(reference):
    return {**table_images(reference.tables),
            Memory.THETA0: reference.theta0, Memory.BETA: reference.beta}


def draw_thresholds(rng, config, neurons):
    top = config.trace_top
    theta0 = [1, top, top >> 4] + [int(rng.integers(1, top >> int(rng.integers(1, 12))))
                                   for _ in range(neurons)]
    beta = [0, top, top >> 5] + [int(rng.integers(top >> 3)) for _ in range(neurons)]
    return (np.array(theta0[:neurons], np.int64),
            np.array(beta[:neurons] if config.adaptive else [0] * neurons, np.int64))


def run_unit(unit, schedule, reference, stalls):
    """Run ``schedule`` on ``unit``; returns what came out of it, with its counters."""
    seen = {"touches": 0, "looks": 0, "saturations": 0}
    finished = []

    async def feed(ctx):
        for tick, words in schedule:
            await ctx.tick().until(unit.idle)
            ctx.set(unit.tick, tick)
            await put(ctx, unit.i, due_words(words), stalls())
        await ctx.tick().until(unit.idle)
        finished.append(True)

    async def watch(ctx):
        while not finished:
            _, _, touch, look, saturations = await ctx.tick().sample(
                unit.touch, unit.look, unit.saturations)
            seen["touches"] += touch
            seen["looks"] += look
            seen["saturations"] += saturations
        for port in (unit.spikes, unit.trace, unit.wakes):
            assert not ctx.get(port.valid)

    def collect(name):
        # Words are far apart: only a long stall holds one up.
        async def bench(ctx):
            seen[name] = await get(ctx, getattr(unit, name), len(getattr(reference, name)),
                                   stalls(longest=40))
        return bench

    words = [word for _, words in schedule for word in words]
    simulate(unit, feed, watch, *(collect(name) for name in ("spikes", "trace", "wakes")),
             background=[bring_sums(unit, words)],
             cycles=200 * sum(len(words) for _, words in schedule) + 40 * len(schedule) + 1000)
    return seen


def check(seen, reference):
    for name in ("spikes", "trace", "wakes"):
        assert seen[name] == getattr(reference, name)
    for name in ("touches", "looks", "saturations"):
        assert seen[name] == getattr(reference, name)


@pytest.mark.parametrize("variant", VARIANTS)
def test_random_touches_equal_the_kernels(variant):
    rng = np.random.default_rng([7, sorted(VARIANTS).index(variant)])
    config = small_config(neurons=23, banks=2, ticks=40000, tick=0.1, guard_bits=12,
                          **VARIANTS[variant])
    theta0, beta = draw_thresholds(rng, config, 12)
    reference = Reference(config, theta0, beta)
    schedule = draw_schedule(rng, reference, 500)
    unit = NeuronUnit(config=config, images=images(reference))
    seeds = count(100)

    def stalls(**longest):
        return random_stalls(next(seeds), **longest)

    seen = run_unit(unit, schedule, reference, stalls)
    check(seen, reference)
    assert reference.spikes
    assert reference.saturations
    if config.synapse == "exponential":
        longest = {reference.wheel - 1} if config.adaptive else set()
        assert {arithmetic.FOREVER, 1} | longest < reference.pauses
        assert reference.looks > reference.touches / 10


async def load(ctx, unit, words):
    """Write every word of ``words`` through the port of the same name."""
    ctx.set(unit.load.en, 1)
    for memory, image in words.items():
        ctx.set(unit.load.memory, memory)
        for address, word in enumerate(image):
            ctx.set(unit.load.address, address)
            ctx.set(unit.load.data, int(word))
            await ctx.tick()
    ctx.set(unit.load.en, 0)


async def settle(ctx, unit, cycles):
    """Wait until the unit must be idle, and no earlier."""
    for _ in range(cycles):
        assert not ctx.get(unit.idle)
        await ctx.tick()
    assert ctx.get(unit.idle)


async def one(ctx, unit, reference, tick, word):
    """Give the unit one word with free outputs, and check its cycles and the record."""
    before = len(reference.trace), reference.looks
    slot = reference.due(tick, word)
    touched = len(reference.trace) > before[0]
    genuine = touched or reference.looks > before[1]
    ctx.set(unit.tick, tick)
    ctx.set(unit.i.payload, due_words([word])[0])
    ctx.set(unit.sum, word["sum"])
    ctx.set(unit.i.valid, 1)
    await ctx.tick()
    ctx.set(unit.i.valid, 0)
    cycles = unit.cycles(forever=slot is None) if genuine else unit.ignored_cycles
    jump = reference.config.synapse == "jump"
    waits = jump and touched and reference.trace[-1]["fired"]  # for the spike to be taken
    cycles += waits
    # A neuron that asks for no look is done when its state is written, a cycle before the next.
    early = genuine and slot is None and (not jump or waits)
    await settle(ctx, unit, cycles - 1 - early)
    if early:
        assert not ctx.get(unit.i.ready)
        await ctx.tick()
    assert ctx.get(unit.i.ready)
    if touched:
        record = reference.trace[-1]
        assert {name: ctx.get(unit.trace.p[name]) for name in record} == record


def arrival(neuron, amount):
    return {"neuron": neuron, "arrival": 1, "sum": amount}


@pytest.mark.parametrize("variant", VARIANTS)
def test_load_cycles_and_clear(variant):
    config = small_config(neurons=3, readout="leaky", outputs=1, tick=0.1, **VARIANTS[variant])
    theta0, beta = np.array([1 << 12, 1], np.int64), np.array([1 << 10, 3], np.int64)
    reference = Reference(config, theta0, beta * config.adaptive)
    unit = NeuronUnit(config=config)
    # The bank has a word for its leaky output too. It mustn't reach the other neurons.
    words = images(reference) | {Memory.THETA0: [*theta0, 99], Memory.BETA: [*beta, 99]}

    async def bench(ctx):
        for port in (unit.spikes, unit.trace, unit.wakes):
            ctx.set(port.ready, 1)
        await settle(ctx, unit, unit.clear_cycles - 1)
        await load(ctx, unit, words)
        for _ in range(2):
            for tick, amount in enumerate((3, 40, 60, -20, 0, 30, 100, -127, 5)):
                await one(ctx, unit, reference, tick, arrival(tick % 2, amount))
                await one(ctx, unit, reference, tick, {"neuron": 0, "arrival": 0, "sum": 9})
            ctx.set(unit.clear, 1)
            await ctx.tick()
            ctx.set(unit.clear, 0)
            await settle(ctx, unit, unit.clear_cycles - 1)
            reference.rest()

    simulate(unit, bench)
    assert reference.spikes


def test_a_core_of_outputs_is_refused():
    config = small_config(neurons=2, outputs=2, readout="leaky")
    with pytest.raises(ValueError, match=r"^Core must have a spiking neuron, not 0$"):
        NeuronUnit(config=config)
