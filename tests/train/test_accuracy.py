from dataclasses import replace

import numpy as np
import pytest

from ranvier.train.accuracy import accuracy_against_tick, accuracy_steps
from ranvier.train.design import DesignConfig

from .nets import mixed_net, random_data


@pytest.mark.parametrize("readout", ["first-spike", "spike-count", "leaky"])
def test_fine_rounding_costs_little(readout):
    """12-bit weights decide like floats on the same grid for nearly every sample."""
    network, data = mixed_net(4, readout=readout), random_data(7, samples=200, events=12)
    data = replace(data, labels=network.predict(data, 0.1))
    assert np.bincount(data.labels).max() < 195  # a constant decision would fail below
    steps = accuracy_steps(network, DesignConfig(tick=0.1, weight_bits=12), data)
    assert list(steps) == ["float", "ticks", "weights", "traces"]
    assert steps["ticks"] == 1
    assert min(steps.values()) >= 0.98


def test_accuracy_against_tick_counts_merged_events():
    rows = accuracy_against_tick(mixed_net(7), DesignConfig(), random_data(8), [0.1, 5.0])
    assert [row["tick"] for row in rows] == [0.1, 5.0]
    assert rows[1]["merged"] > rows[0]["merged"]
