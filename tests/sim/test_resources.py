import numpy as np
import pytest

from ranvier.hw.verilog import build
from ranvier.sim.resources import KINDS, memory_bits

from ..designs import random_config, random_parameters


@pytest.mark.parametrize("fixed", [
    {"synapse": "exponential", "readout": "leaky", "adaptive": True, "banks": 2},
    {"buffer": "cursor", "cursors": 16, "readout": "first-spike"},
    {"synapse": "jump", "readout": "first-spike", "adaptive": False, "banks": 1},
])
def test_every_memory_of_a_core_is_counted_once(tmp_path, fixed):
    rng = np.random.default_rng(0)
    config = random_config(rng, neurons=9, outputs=3, **fixed)
    description = build(config, random_parameters(rng, config), tmp_path)
    bits = memory_bits(description)
    assert sum(bits.values()) == sum(m["width"] * m["words"] for m in description["memories"])
    assert set(bits) <= set(KINDS.values())
    assert bits["weights"] == config.banks * config.synapses * config.weight_bits
    assert bits["delayed sums"] == (
        config.banks * config.slots * config.bank_neurons * config.sum_bits)
    assert ("readout table" in bits) == (config.readout == "leaky")


def test_a_memory_without_a_name_for_people_keeps_its_own():
    memory = {"path": ["bank_0", "cache"], "width": 8, "words": 4}
    assert memory_bits({"memories": [memory, memory]}) == {"bank_0.cache": 64}
