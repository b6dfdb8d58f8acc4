"""Predicted cycles and memory traffic of a core, from the counts of a run."""

from dataclasses import dataclass

import numpy as np

from .counters import (
    BUSY_TICKS,
    INPUT_EVENTS,
    INTEGRATIONS,
    LOOKS,
    SLEEP_STEPS,
    SPIKES,
    SYNAPTIC_EVENTS,
    TOUCHES,
)

# Cycles of one act of the core, from the units' documented latencies (docs/neuron.md).
VISIT_CYCLES = {"exponential": 18, "jump": 14}  # a touch or a look
SLEEP_STEP_CYCLES = 2  # a further level of the sleep rule
INTEGRATION_CYCLES = 5
TICK_CYCLES = 1
BUSY_TICK_CYCLES = 7  # to find out who is due, and to see that nobody is left


@dataclass(frozen=True)
class Traffic:
    """Words read and written in each memory during a run of one sample.

    A touch and a look read and write a neuron's state; a synaptic event reads a synapse
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
    """Return the `Traffic` of one sample's counters (``Result.counters``)."""
    touches, looks = counters[TOUCHES], counters[LOOKS]
    events, spikes = counters[SYNAPTIC_EVENTS], counters[SPIKES]
    return Traffic(state=int(2 * (touches + looks)), synapses=int(events),
                   accumulators=int(2 * events + touches),
                   rows=int(2 * (counters[INPUT_EVENTS] + spikes)))


def predicted_cycles(config, counters):
    """Return the predicted cycles per sample, for counters (..., 9) of a `CoreConfig`.

    A bank has three units that work side by side, for neurons, leaky outputs and synapses: the
    busiest one counts. Banks share evenly; ticks are common.
    """
    counters = np.asarray(counters)
    integrations = counters[..., INTEGRATIONS]
    visits = counters[..., TOUCHES] - integrations + counters[..., LOOKS]
    neurons = (VISIT_CYCLES[config.synapse] * visits
               + SLEEP_STEP_CYCLES * counters[..., SLEEP_STEPS])
    busiest = np.maximum.reduce([neurons, INTEGRATION_CYCLES * integrations,
                                 counters[..., SYNAPTIC_EVENTS]])
    return (busiest / config.banks + BUSY_TICK_CYCLES * counters[..., BUSY_TICKS]
            + TICK_CYCLES * config.ticks)
