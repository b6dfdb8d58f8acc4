"""The decay unit against the model's kernel, over the whole range."""

import numpy as np
import pytest

from ranvier.hw.decay import DecayUnit, traces
from ranvier.model.arithmetic import decay
from ranvier.model.tables import make_tables
from ranvier.sim.benches import simulate

from .configs import small_config
from .scaled import Scaled, table_images

VARIANTS = [
    {"trace_bits": 24},
    {"trace_bits": 18},
    {"adaptive": False},
    {"synapse": "jump"},
    {"synapse": "jump", "adaptive": False},
]
LETTERS = {"p": "m", "q": "s", "a": "a"}  # of the traces' tables


def draw(rng, config):
    """Return elapsed ticks and traces, the extremes among them."""
    top = config.trace_top
    edges = [0, 1, 63, 64, 65, 127, 128, config.ticks - 1]
    elapsed = int(rng.choice(edges) if rng.random() < 0.4 else rng.integers(config.ticks))
    if rng.random() < 0.3:
        elapsed = int(rng.integers(64))
    # 2**15 times an odd word of the fine table is a tie of the rounding.
    edges = [-top - 1, top, 0, 1, -1, 1 << 15, -(1 << 15)]
    values = {name: int(rng.choice([*edges, *rng.integers(-top - 1, top + 1, 2)]))
              for name in traces(config).members}
    return elapsed, values


def decayed(tables, name, value, elapsed):
    low, high = (getattr(tables, f"{part}_{LETTERS[name]}") for part in ("low", "high"))
    return int(decay(np.int64(value), elapsed, low, high))


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda v: "-".join(map(str, v.values())))
def test_random_decays_equal_the_kernel(variant):
    rng = np.random.default_rng(3)
    config = small_config(ticks=5000, tau_m=12.3, **variant)
    tables = make_tables(config)
    unit = DecayUnit(config=config)
    top = Scaled(unit, config=config, images=table_images(tables))

    async def bench(ctx):
        for _ in range(400):
            elapsed, values = draw(rng, config)
            ctx.set(unit.elapsed, elapsed)
            ctx.set(unit.i, values)
            ctx.set(unit.start, 1)
            await ctx.tick()
            ctx.set(unit.start, 0)
            ctx.set(unit.elapsed, int(rng.integers(config.ticks)))
            await ctx.tick().repeat(2)
            ctx.set(unit.i, dict.fromkeys(values, 0))
            await ctx.tick().repeat(unit.latency - 4)
            assert not ctx.get(unit.done)
            await ctx.tick()
            assert ctx.get(unit.done)
            for name, value in values.items():
                assert ctx.get(unit.o[name]) == decayed(tables, name, value, elapsed)
            await ctx.tick().repeat(int(rng.integers(1, 4)))

    simulate(top, bench)
