"""Tables, and the proof obligations of the sleep rule, checked over every tick."""

import numpy as np
import pytest

from ranvier.model.arithmetic import FOREVER, MARGIN, MARGIN_SHIFT, decay, size, sleep
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


TICKS = np.arange(1, 1200)  # those that are polled


def draw_states(rng, config, decays):
    """Yield stored traces, what is left of them at a look, and a threshold to be safe from.

    With it come the membrane less the adaptation at that look and in all of `TICKS` after it.
    """
    for _ in range(300):
        top = int(config.trace_top * 2.0 ** -rng.integers(0, 12))
        p, q = (int(x) for x in rng.integers(-top, top + 1, 2))
        a = int(rng.integers(0, top // 4 + 2))
        age = int(rng.choice([0, 1, 7, 80, 700]))
        traces = [np.array([decay(np.int64(x), int(t + age), *d) for t in (0, *TICKS)])
                  for x, d in zip((p, q, a), decays, strict=True)]
        excess = traces[0] - traces[1] - traces[2]
        # Thresholds around the later peak are the hard ones.
        margin = MARGIN + (int(size(np.int64(p), np.int64(q), np.int64(a))) >> MARGIN_SHIFT)
        theta0 = int(excess[1:].max()) + int(rng.integers(-3, 4)) * margin // 2
        yield (p, q, a), [int(each[0]) for each in traces], max(1, theta0), excess


@pytest.mark.parametrize("tick", [0.003, 0.01, 0.1, 0.5, 2.0, 10.0])
@pytest.mark.parametrize("seed", range(3))
def test_sleep_never_passes_over_a_firing_tick(seed, tick):
    """Polls every tick that the rule passes over, from random and from nearly firing states."""
    rng = np.random.default_rng(seed)
    config = random_config(rng, synapse="exponential", adaptive=True, tick=tick, ticks=3000)
    tables = make_tables(config)
    decays = ((tables.low_m, tables.high_m), (tables.low_s, tables.high_s),
              (tables.low_a, tables.high_a))
    slept = 0
    for stored, (p, q, a), theta0, excess in draw_states(rng, config, decays):
        pause = sleep(*np.int64([p, q, a, size(*np.int64(stored)), theta0, config.trace_top,
                                 config.wake_bits, config.slope_bits]), tables.sleep)
        last = TICKS[-1] if pause == FOREVER else min(pause - 1, TICKS[-1])
        assert not np.any(excess[1 : last + 1] >= theta0)
        slept += last > 0
    assert slept > 20


def test_the_table_of_the_sleep_rule_is_on_the_safe_side():
    for seed in range(30):
        config = random_config(np.random.default_rng(seed), synapse="exponential")
        peak, by_q, by_p, by_a = make_tables(config).sleep / ONE
        u = np.linspace(0, 20 * config.tau_m, 20001)
        response = np.exp(-u / config.tau_m) - np.exp(-u / config.tau_s)
        assert 0 <= peak - response.max() < 2 / ONE
        zoom = 1 << config.slope_bits
        fast, slow = (1 - np.exp(-config.tick / tau) for tau in (config.tau_s, config.tau_a))
        assert 0 <= by_q - zoom * fast < 1 / ONE
        assert 0 <= zoom * fast * config.tau_s / config.tau_m - by_p < 1 / ONE
        assert 0 <= by_a - zoom * slow < 1 / ONE
        assert config.slope_bits == config.wake_bits or 0.5 < by_q <= 1


def test_readout_table_is_scaled_to_its_largest_word():
    config = random_config(np.random.default_rng(2), readout="leaky")
    readout = make_tables(config).readout
    assert readout.max() == ONE
    assert readout.size == config.ticks
    assert readout.min() >= 0
    assert make_tables(random_config(np.random.default_rng(2), readout="spike-count")
                       ).readout.size == 0
