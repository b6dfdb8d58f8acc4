"""Tables, and the proof obligations of the sleep rule, checked over every tick."""

import numpy as np
import pytest

from ranvier.model.arithmetic import FOREVER, decay, sleep
from ranvier.model.tables import ONE, make_tables

from .. import naive
from ..designs import random_config


@pytest.mark.parametrize("seed", range(20))
def test_decay_tables_equal_the_oracle(seed):
    config = random_config(np.random.default_rng(seed))
    tables = make_tables(config)
    for tau, letter in ((config.tau_m, "m"), (config.tau_s, "s"), (config.tau_a, "a")):
        low, high = naive.decay_words(config, tau)
        assert getattr(tables, f"low_{letter}").tolist() == low
        assert getattr(tables, f"high_{letter}").tolist() == high


def test_decay_equals_the_oracle_and_never_grows():
    rng = np.random.default_rng(1)
    config = random_config(rng, tick=0.1, ticks=5000)
    tables = make_tables(config)
    low, high = tables.low_m, tables.high_m
    for _ in range(3000):
        value = int(rng.integers(-(1 << 23), 1 << 23))
        u = int(rng.integers(0, 5000))
        found = decay(np.int64(value), u, low, high)
        assert found == naive.decay(value, u, (low.tolist(), high.tolist()))
        assert abs(found) <= abs(value)


@pytest.mark.parametrize("seed", range(6))
def test_sleep_never_passes_over_a_firing_tick(seed):
    """Polls every tick that the rule passes over, from random and from nearly firing states."""
    rng = np.random.default_rng(seed)
    config = random_config(rng, synapse="exponential", adaptive=True, tick=0.1, ticks=3000)
    tables = make_tables(config)
    decays = ((tables.low_m, tables.high_m), (tables.low_s, tables.high_s),
              (tables.low_a, tables.high_a))
    slept = 0
    for _ in range(4000):
        top = int(config.trace_top * 2.0 ** -rng.integers(0, 8))
        p, q = (int(x) for x in rng.integers(-top, top + 1, 2))
        a = int(rng.integers(0, top // 4 + 2))
        age = int(rng.choice([0, 1, 7, 80, 700]))
        u = np.arange(1, 1200)
        traces = [np.array([decay(np.int64(x), int(t + age), *d) for t in (0, *u)])
                  for x, d in zip((p, q, a), decays, strict=True)] if rng.random() < 0.05 else None
        if traces is None:
            continue
        excess = traces[0] - traces[1] - traces[2]
        # Thresholds around the later peak are the hard ones.
        theta0 = max(1, int(excess[1:].max()) + int(rng.integers(-3, 4)) * config.sleep_margin // 2)
        level = sleep(excess[0] + traces[2][0], traces[1][0], traces[2][0], theta0,
                      config.sleep_margin, tables.sleep_q, tables.sleep_a)
        last = u[-1] if level == FOREVER else (1 << level) - 1
        assert not np.any(excess[1 : last + 1] >= theta0)
        slept += last > 0
    assert slept > 20


def test_readout_table_is_scaled_to_its_largest_word():
    config = random_config(np.random.default_rng(2), readout="leaky")
    readout = make_tables(config).readout
    assert readout.max() == ONE
    assert readout.size == config.ticks
    assert readout.min() >= 0
    assert make_tables(random_config(np.random.default_rng(2), readout="spike-count")
                       ).readout.size == 0
