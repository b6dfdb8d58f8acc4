"""Predicted cycles and memory traffic of a core, from the counts of a run."""

from dataclasses import dataclass

import numpy as np

from . import _kernels as kernels

# Cycles of one act of the core. `bench/cycles.py` fits them to measured runs of the RTL.
TICK_CYCLES = 3
TOUCH_CYCLES = 12
LOOK_CYCLES = 12
SPIKE_CYCLES = 4


@dataclass(frozen=True)
class Traffic:
    """Words read and written in each memory during a run of one sample.

    A touch reads and writes a neuron's state, a look reads it; a synaptic event reads a synapse
    and reads and writes an accumulator; a spike reads its row's bounds.
    """

    state: int
    synapses: int
    accumulators: int
    rows: int

    @property
    def total(self):
        """Words in all memories."""
        return self.state + self.synapses + self.accumulators + self.rows


def traffic(counters):
    """Return the `Traffic` of one sample's counters (a row of ``Result.counters``)."""
    touches, looks = counters[kernels.TOUCHES], counters[kernels.LOOKS]
    events, spikes = counters[kernels.SYNAPTIC_EVENTS], counters[kernels.SPIKES]
    return Traffic(state=int(2 * touches + looks), synapses=int(events),
                   accumulators=int(2 * events + touches),
                   rows=int(2 * (counters[kernels.INPUT_EVENTS] + spikes)))


def predicted_cycles(config, counters):
    """Return the predicted cycles per sample, for counters (samples, 7) of a `CoreConfig`.

    Banks share synaptic events, touches and looks evenly; ticks and broadcasts are common.
    """
    counters = np.asarray(counters)
    shared = (counters[..., kernels.SYNAPTIC_EVENTS]
              + TOUCH_CYCLES * counters[..., kernels.TOUCHES]
              + LOOK_CYCLES * counters[..., kernels.LOOKS])
    broadcasts = counters[..., kernels.INPUT_EVENTS] + counters[..., kernels.SPIKES]
    return shared / config.banks + SPIKE_CYCLES * broadcasts + TICK_CYCLES * config.ticks
