"""What synthesis makes of a core gives the model's results, word for word."""
import pytest

from ranvier.model.config import CoreConfig
from ranvier.sim.netlist import NetlistSimulator

from ..strategies import random_pairs

CONFIG = CoreConfig(
    inputs=2, neurons=3, outputs=1, readout="first-spike", synapse="exponential", adaptive=True,
    tick=0.5, ticks=60, tau_m=8.0, tau_s=3.0, tau_a=20.0, delay_max=3, fan_in=8, synapses=24,
    weight_bits=8, trace_bits=18, guard_bits=8)


def test_netlist_equals_the_model(builds):
    pairs = random_pairs(CONFIG, 6, seed=3)
    netlist = NetlistSimulator(pairs[0].parameters, builds)
    runs = []
    for n, pair in enumerate(pairs):
        netlist.load(pair.parameters)
        runs += netlist.run([pair.events], expected=[pair.result], stall=(0.0, 0.4)[n % 2], seed=n)
    for name in ("saturations", "touches", "spikes", "looks", "synaptic_events"):
        assert sum(run.counters[name] for run in runs) > 0, name
    with pytest.raises(ValueError, match=r"^A netlist's weight memories are in several block RAMs: "
                                         r"flip bits in the core's Verilog$"):
        netlist.run([pairs[0].events], flips=[[(0, 0, 0)]])
