"""The sleep unit against the model's kernel, and its cycles."""

import numpy as np
import pytest

from ranvier.hw.sleep import SleepUnit
from ranvier.model.arithmetic import FOREVER, MARGIN, MARGIN_SHIFT, size, sleep
from ranvier.model.tables import make_tables
from ranvier.sim.benches import simulate

from .configs import small_config
from .scaled import Scaled, table_images


def draw(rng, config, tables):
    """Return p, q, a, stored traces' size and theta0: extremes, and membranes near the bounds."""
    top = config.trace_top
    a = int(rng.choice([0, top, rng.integers(top >> int(rng.integers(8)))])) * config.adaptive
    if config.adaptive and rng.random() < 0.3:  # only an upset makes it negative
        a = int(rng.choice([-1 - a, -1 - (a >> int(rng.integers(16)))]))
    some = rng.integers(-top, top, 2) >> rng.integers(6, size=2)
    q = int(rng.choice([-top - 1, top, 0, *some]))
    p = int(rng.choice([-top - 1, top, *(q + rng.integers(-top, top, 4) // 4)]))
    p = min(max(p, -top - 1), top)
    older = int(rng.choice([0, top, rng.integers(top)]))
    stored = int(size(np.int64(p), np.int64(q), np.int64(a))) | older
    bound = max(p - q, 0) + (stored >> MARGIN_SHIFT) + MARGIN
    forever = bound + (max(q, 0) * int(tables.sleep[0]) >> 16) + int(rng.integers(-1, 2))
    near = bound - a + int(rng.integers(-2, top >> int(rng.integers(6, 20))))
    theta0 = int(rng.choice([1, top, near, near, near, forever, rng.integers(1, top)]))
    return p, q, a, stored, min(max(theta0, 1), top)


@pytest.mark.parametrize(("bits", "tick"), [(18, 0.1), (20, 1.0), (24, 0.1), (24, 0.01), (24, 9.0)])
@pytest.mark.parametrize("adaptive", [True, False])
def test_random_pauses_equal_the_kernel(adaptive, bits, tick):
    rng = np.random.default_rng([bits, adaptive])
    config = small_config(tick=tick, trace_bits=bits, adaptive=adaptive)
    tables = make_tables(config)
    unit, ticks = SleepUnit(config=config), np.random.default_rng(bits)
    seen = []

    async def bench(ctx):
        for _ in range(600):
            drawn = draw(rng, config, tables)
            pause = int(sleep(*np.int64([*drawn, config.trace_top, config.wake_bits,
                                        config.slope_bits]), tables.sleep))
            seen.append(pause)
            for name, value in zip(("p", "q", "a", "stored", "theta0"), drawn, strict=True):
                ctx.set(getattr(unit, name), value)
            now = int(ticks.integers(1 << config.tick_bits))
            ctx.set(unit.tick, now)
            ctx.set(unit.start, 1)
            for k in range(cycles := 4 + unit.search_cycles * (pause != FOREVER)):
                assert k == 0 or not ctx.get(unit.done)
                assert ctx.get(unit.found) == (pause != FOREVER and k == cycles - 1)
                if ctx.get(unit.found):
                    assert ctx.get(unit.slot) == (now + pause) % (1 << len(unit.slot))
                await ctx.tick()
                ctx.set(unit.start, 0)
                ctx.set(unit.stored, 0)
                ctx.set(unit.theta0, 0)
            for _ in range(int(rng.integers(1, 4))):
                assert ctx.get(unit.done)
                assert not ctx.get(unit.found)
                await ctx.tick()

    simulate(Scaled(unit, config=config, images=table_images(tables)), bench)
    assert {FOREVER, 1, (1 << config.wake_bits) - 1} <= set(seen)
    # The slope of a membrane alone falls before it gets far.
    assert len(set(seen)) > (14 if adaptive else 4)
