"""Small configs for the tests of the gateware."""
from ranvier.model.config import CoreConfig


def small_config(**changes):
    """Return a `CoreConfig` of a few neurons, with ``changes``."""
    values = {
        "inputs": 3, "neurons": 5, "outputs": 2, "readout": "first-spike", "tick": 0.5,
        "ticks": 100, "tau_m": 20.0, "tau_s": 5.0, "tau_a": 100.0, "delay_max": 6, "fan_in": 8,
        "synapses": 40, "trace_bits": 20, "guard_bits": 6,
    }
    return CoreConfig(**(values | changes))
