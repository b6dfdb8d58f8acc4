"""The readout against the rules of the contract, over several samples."""

import numpy as np
import pytest

from ranvier.hw.readout import Readout
from ranvier.model.emulator import decide
from ranvier.sim.benches import simulate

from .configs import small_config

READOUTS = ("first-spike", "spike-count", "leaky")


def draw_sample(rng, config):
    """Return updates (tick, neuron, integral) as a core might give them, by tick."""
    updates = []
    for tick in range(int(rng.integers(0, 12))):
        for neuron in rng.permutation(config.neurons)[: rng.integers(0, config.neurons + 1)]:
            top = 1 << (config.readout_bits - 1)
            integral = int(rng.choice([-top, top - 1, 0, rng.integers(-3, 4)]))
            updates.append((tick, int(neuron), integral))
    return updates


def expected(config, updates):
    """Return the decision and the value of each class."""
    silence = config.ticks if config.readout == "first-spike" else 0
    values = [silence] * config.outputs
    for tick, neuron, integral in updates:
        label = neuron - config.first_output
        if label >= 0:
            values[label] = {"first-spike": min(values[label], tick),
                             "spike-count": values[label] + 1,
                             "leaky": integral}[config.readout]
    return int(decide(config, np.array(values, np.int64))), values


async def wait(ctx, cycles):
    for _ in range(cycles):
        await ctx.tick()


async def rest(ctx, unit):
    """Wait from the cycle after ``clear``, or from a reset, until the unit must be idle."""
    await wait(ctx, unit.clear_cycles - 2)
    assert not ctx.get(unit.idle)
    await ctx.tick()
    assert ctx.get(unit.idle)


async def play(ctx, unit, updates, repeat, rng):
    """Give the unit its updates, at any distance that is allowed."""
    before = 0
    for tick, neuron, integral in updates:
        await wait(ctx, tick != before)  # a neuron never spikes in two cycles running
        before = tick
        ctx.set(unit.update, 1)
        ctx.set(unit.neuron, neuron)
        ctx.set(unit.tick, tick)
        ctx.set(unit.integral, integral)
        await wait(ctx, int(rng.integers(1, 4)) if repeat else 1)
        ctx.set(unit.update, 0)
        ctx.set(unit.neuron, int(rng.integers(4)))
        await wait(ctx, int(rng.integers(3)))
    await ctx.tick()


async def finish(ctx, unit, rng):
    """Take the decision, and clear everything."""
    ctx.set(unit.finish, 1)
    await wait(ctx, unit.finish_cycles - 1)
    assert not ctx.get(unit.o.valid)
    await wait(ctx, 1 + int(rng.integers(5)))
    assert ctx.get(unit.o.valid)
    decision = ctx.get(unit.o.payload)
    ctx.set(unit.o.ready, 1)
    await ctx.tick()
    ctx.set(unit.o.ready, 0)
    ctx.set(unit.finish, 0)
    ctx.set(unit.clear, 1)
    await ctx.tick()
    ctx.set(unit.clear, 0)
    await rest(ctx, unit)
    return decision


async def read_values(ctx, unit, count):
    values = []
    for label in range(count):
        ctx.set(unit.value_select, label)
        await ctx.tick()
        values.append(ctx.get(unit.value))
    return values


@pytest.mark.parametrize("outputs", [1, 2, 5])
@pytest.mark.parametrize("readout", READOUTS)
def test_decisions_equal_the_model(readout, outputs):
    rng = np.random.default_rng([outputs, READOUTS.index(readout)])
    config = small_config(neurons=7 if outputs < 5 else 5, outputs=outputs, readout=readout)
    unit = Readout(config=config)
    samples = [[], *(draw_sample(rng, config) for _ in range(25))]

    async def bench(ctx):
        await rest(ctx, unit)
        for updates in samples:
            await play(ctx, unit, updates, readout == "leaky", rng)
            decision = await finish(ctx, unit, rng)
            values = await read_values(ctx, unit, outputs)
            assert (decision, values) == expected(config, updates)

    simulate(unit, bench)
    assert outputs == 1 or len({expected(config, updates)[0] for updates in samples}) > 1
