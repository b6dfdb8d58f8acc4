"""The sleep unit against the model's kernel, and its cycles."""

import numpy as np
import pytest

from ranvier.hw.sleep import SleepUnit
from ranvier.model.arithmetic import FOREVER, sleep
from ranvier.model.tables import make_tables
from ranvier.sim.benches import simulate

from .configs import small_config
from .scaled import Scaled, table_images


def draw(rng, config, tables):
    """Return p, q, a and theta0: extremes, and membranes a place beside the end of a level."""
    top = config.trace_top
    theta0 = int(rng.choice([1, top, *rng.integers(1, top, 3), rng.integers(1, top >> 8)]))
    a = int(rng.choice([0, top, rng.integers(top >> int(rng.integers(8)))]))
    some = rng.integers(-top, top, 2) >> rng.integers(6, size=2)
    q = int(rng.choice([-top - 1, top, 0, *some]))
    a *= config.adaptive
    level = int(rng.integers(1, 8))
    limit = theta0 + (a * int(tables.sleep_a[level]) >> 16)
    bound = (max(q, 0) * int(tables.sleep_q[level]) >> 16) + 1 + config.sleep_margin
    near = q + limit - bound - int(rng.integers(3))
    p = int(rng.choice([-top - 1, top, near, near, near, rng.integers(-top, top)]))
    return min(max(p, -top - 1), top), q, a, theta0


@pytest.mark.parametrize("bits", [18, 20, 24])
@pytest.mark.parametrize("adaptive", [True, False])
def test_random_pauses_equal_the_kernel(adaptive, bits):
    rng = np.random.default_rng([bits, adaptive])
    config = small_config(tick=0.1, trace_bits=bits, adaptive=adaptive)
    tables = make_tables(config)
    unit = SleepUnit(config=config)
    seen = set()

    async def bench(ctx):
        for _ in range(600):
            p, q, a, theta0 = draw(rng, config, tables)
            found = int(sleep(
                np.int64(p - q), np.int64(q), np.int64(a), np.int64(theta0),
                np.int64(config.sleep_margin), tables.sleep_q, tables.sleep_a))
            pause, level = 0 if found == FOREVER else 1 << found, max(1, found)
            seen.add(pause)
            for name, value in {"p": p, "q": q, "a": a, "theta0": theta0, "start": 1}.items():
                ctx.set(getattr(unit, name), value)
            for _ in range(4 + 2 * (7 - level)):
                assert ctx.get(unit.busy)
                assert not ctx.get(unit.done)
                await ctx.tick()
                ctx.set(unit.start, 0)
            assert ctx.get(unit.done)
            assert ctx.get(unit.forever) == (pause == 0)
            assert pause in (0, ctx.get(unit.pause))
            await ctx.tick().repeat(int(rng.integers(1, 3)))
            assert not ctx.get(unit.busy)

    simulate(Scaled(unit, config=config, images=table_images(tables)), bench)
    assert seen == {0, 1, 2, 4, 8, 16, 32, 64}
