"""The memories of a bank's neurons."""

import numpy as np
import pytest

from ranvier.hw.payloads import Memory
from ranvier.hw.plain import plain_memory
from ranvier.hw.state import StateMemory, state
from ranvier.sim.benches import simulate

from .configs import small_config


def draw_state(rng, config):
    top = config.trace_top
    word = {name: int(rng.integers(-top - 1, top + 1))
            for name in state(config).members if name in ("p", "q", "a")}
    word["last"] = int(rng.integers(config.ticks))
    if "look" in state(config).members:
        word["look"] = {"pending": int(rng.integers(2)), "slot": int(rng.integers(128))}
    return word


def fields(view, word):
    """Return the fields of a state as ``word`` has them."""
    return {name: {part: int(view[name][part]) for part in value}
            if isinstance(value, dict) else int(view[name]) for name, value in word.items()}


@pytest.mark.parametrize("synapse", ["exponential", "jump"])
@pytest.mark.parametrize("adaptive", [True, False])
def test_words_of_the_neuron_that_was_read(adaptive, synapse):
    rng = np.random.default_rng(2)
    config = small_config(neurons=13, banks=3, adaptive=adaptive, synapse=synapse)
    thresholds = {memory: rng.integers(1, config.trace_top, 5).tolist()
                  for memory in (Memory.THETA0, Memory.BETA)}
    unit = StateMemory(config=config, images=thresholds)
    assert unit.neurons == 5

    async def bench(ctx):
        await ctx.tick().repeat(unit.neurons)
        assert not ctx.get(unit.clearing)
        rest = dict.fromkeys(draw_state(rng, config), 0)
        if "look" in rest:
            rest["look"] = {"pending": 0, "slot": 0}
        words = [rest] * unit.neurons
        for _ in range(200):
            neuron = int(rng.integers(unit.neurons))
            ctx.set(unit.neuron, neuron)
            ctx.set(unit.read, 1)
            await ctx.tick()
            ctx.set(unit.read, 0)
            ctx.set(unit.neuron, int(rng.integers(unit.neurons)))
            await ctx.tick().repeat(unit.latency - 1 + int(rng.integers(3)))
            assert fields(ctx.get(unit.state), rest) == words[neuron]
            await ctx.tick()
            assert ctx.get(unit.theta0) == thresholds[Memory.THETA0][neuron]
            assert not adaptive or ctx.get(unit.beta) == thresholds[Memory.BETA][neuron]
            words[neuron] = draw_state(rng, config)
            ctx.set(unit.after, words[neuron])
            ctx.set(unit.write, 1)
            await ctx.tick()
            ctx.set(unit.write, 0)

    simulate(unit, bench)


def flip(rng, ctx, storage, neuron, bits, count):
    """Flip ``count`` different ones of the bits of a word."""
    mask = sum(1 << int(bit) for bit in rng.choice(bits, count, replace=False))
    ctx.set(storage.data[neuron], ctx.get(storage.data[neuron]) ^ mask)


@pytest.mark.parametrize(("protection", "most"), [("parity", 1), ("secded", 2)])
@pytest.mark.parametrize("synapse", ["exponential", "jump"])
def test_a_state_with_flipped_bits_is_corrected_or_at_rest(monkeypatch, synapse, protection, most):
    rng = np.random.default_rng(3)
    config = small_config(neurons=13, banks=3, synapse=synapse, protection=protection)
    unit, storages = StateMemory(config=config), []

    def keeping(m, name, **options):
        ports = plain_memory(m, name, **options)
        storages.append(m.submodules[name])
        return ports

    monkeypatch.setattr("ranvier.hw.cleared.plain_memory", keeping)
    bits = config.code(state(config).size).bits

    async def bench(ctx):
        await ctx.tick().repeat(unit.neurons)
        (storage,) = storages
        rest = dict.fromkeys(draw_state(rng, config), 0)
        if "look" in rest:
            rest["look"] = {"pending": 0, "slot": 0}
        words = [rest] * unit.neurons
        for _ in range(100):
            neuron, flips = int(rng.integers(unit.neurons)), int(rng.integers(most + 1))
            flip(rng, ctx, storage, neuron, bits, flips)
            ctx.set(unit.neuron, neuron)
            ctx.set(unit.read, 1)
            await ctx.tick()
            ctx.set(unit.read, 0)
            await ctx.tick()
            told = ctx.get(unit.state_faults.corrected), ctx.get(unit.state_faults.detected)
            assert told == (0 < flips < most, flips == most)
            assert fields(ctx.get(unit.state), rest) == (rest if told[1] else words[neuron])
            words[neuron] = draw_state(rng, config)
            ctx.set(unit.after, words[neuron])
            ctx.set(unit.write, 1)
            await ctx.tick()
            ctx.set(unit.write, 0)

    simulate(unit, bench)
