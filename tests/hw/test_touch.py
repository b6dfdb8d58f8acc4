"""The touch unit against the model's kernel, over the whole range."""

import numpy as np
import pytest

from ranvier.hw.decay import traces
from ranvier.hw.touch import TouchUnit
from ranvier.model.arithmetic import touch
from ranvier.sim.benches import simulate

from .configs import small_config

VARIANTS = [
    {"trace_bits": 24, "guard_bits": 12, "weight_bits": 12, "fan_in": 1 << 16},
    {"trace_bits": 18, "guard_bits": 0},
    {"guard_bits": 12},
    {"adaptive": False, "guard_bits": 11},
    {"synapse": "jump", "guard_bits": 12},
    {"synapse": "jump", "adaptive": False},
]


def draw(rng, config):
    """Return inputs of a touch, with many a membrane at its threshold or a place below."""
    top, sum_top = config.trace_top, 1 << (config.sum_bits - 1)
    theta0 = int(rng.choice([1, top, rng.integers(1, top + 1)]))
    beta = int(rng.choice([0, top, rng.integers(top + 1)]))
    a = int(rng.choice([0, top, rng.integers(top + 1)])) * config.adaptive
    q = int(rng.choice([-top - 1, top, rng.integers(-top, top + 1) >> int(rng.integers(12))]))
    amount = int(rng.choice([-sum_top, sum_top - 1, 0, rng.integers(-sum_top, sum_top)]))
    arrival = int(rng.random() < 0.6)
    below = (amount << config.guard_bits) if config.synapse == "jump" else -q
    p = int(rng.choice([-top - 1, top, rng.integers(-top, top + 1),
                        *[theta0 + a - below - d for d in (0, 0, 1, 1)]]))
    p = min(max(p, -top - 1), top)
    return {"p": p, "q": q, "a": a, "theta0": theta0, "beta": beta, "sum": amount,
            "arrival": arrival}


def expected(config, word):
    """Return p, q, a, fired, saturations, or the traces as they were without a touch."""
    p, q, a, theta0, beta = (np.int64(word[name]) for name in ("p", "q", "a", "theta0", "beta"))
    jump = config.synapse == "jump"
    amount = np.int64(word["sum"] << config.guard_bits)
    if not config.adaptive:
        beta = np.int64(0)
    return tuple(int(value) for value in touch(
        p, np.int64(0) if jump else q, a, bool(word["arrival"]), amount, theta0, beta,
        np.int64(config.trace_top), jump))


async def apply(ctx, unit, config, word):
    """Set the inputs as late as the unit allows, and wait for its outputs."""
    members = traces(config).members
    if config.adaptive:
        ctx.set(unit.i.a, word["a"])
        ctx.set(unit.beta, word["beta"])
    ctx.set(unit.theta0, word["theta0"])
    if "q" in members:
        await ctx.tick()
        ctx.set(unit.i.q, word["q"])
        await ctx.tick()
    ctx.set(unit.i.p, word["p"])
    ctx.set(unit.sum, word["sum"])
    ctx.set(unit.arrival, word["arrival"])
    await ctx.tick().repeat(unit.latency)
    return tuple(ctx.get(unit.o[name]) if name in members else 0 for name in ("p", "q", "a"))


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda v: "-".join(map(str, v.values())))
def test_random_touches_equal_the_kernel(variant):
    rng = np.random.default_rng(11)
    config = small_config(**variant)
    unit = TouchUnit(config=config)
    fired = []

    async def bench(ctx):
        for _ in range(1000):
            word = draw(rng, config)
            after = await apply(ctx, unit, config, word)
            seen = (*after, ctx.get(unit.fired), ctx.get(unit.saturations))
            assert seen == expected(config, word), word
            fired.append(seen[3])

    simulate(unit, bench)
    assert 0.1 < np.mean(fired) < 0.9
