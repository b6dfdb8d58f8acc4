"""Memory accesses of a sample, and an estimate of energy by a published table.

The estimate isn't that of any device: it weighs what a design reads, writes and computes, so that
designs can be compared. Registers, wires, counters, clock and leakage aren't in it.
"""

from typing import NamedTuple

import numpy as np

from .cursors import cut_rows
from .memory import TABLE_BITS, bank_memories

SOURCE = ("M. Horowitz, Computing's energy problem (and what we can do about it), ISSCC 2014: "
          "45 nm, 0.9 V")
SRAM_PJ = ((8 << 10, 10.0), (32 << 10, 20.0), (1 << 20, 100.0))
"""Bytes of a memory, and picojoules of an access to 64 bits of it."""
ADDITION_PJ = 0.1  # of 32 bits
MULTIPLICATION_PJ = 3.1  # of 32 by 32 bits


class Access(NamedTuple):
    """What a sample does with a memory, all banks together: (samples,) int64 reads and writes.

    ``bits`` and ``words`` are those of one storage: a bank's memory, or a tile of it.
    """

    bits: int
    words: int
    reads: np.ndarray
    writes: np.ndarray


class Energy(NamedTuple):
    """Estimated picojoules of each sample (samples,) float64, by the table of `SOURCE`."""

    memories: np.ndarray
    arithmetic: np.ndarray

    @property
    def total(self):
        """Both together."""
        return self.memories + self.arithmetic


def _traces(config):
    return 1 + (config.synapse == "exponential") + config.adaptive


def traffic(config, counts):
    """Return the `Access` to each memory of the banks, by its name below the bank.

    Parameters
    ----------
    config : CoreConfig
    counts : dict of str to (samples,) int64
        Those of `Cycles`.
    """
    visits = counts["arrivals"] + counts["looks"]
    none, traces = np.zeros_like(visits), _traces(config)
    exponential = config.synapse == "exponential"
    words, marks, takes, chunks, outputs = (
        counts[name] for name in ("words", "marks", "takes", "chunks", "integrations"))
    puts, turns = counts["puts"], counts["turns"]
    thresholds = visits + counts["ignored"]
    uses = {
        "fetch.rows": (counts["rows"] * (1 if cut_rows(config) else 2), none),
        "fetch.weights.tile_0": (words, none),
        "fetch.links.tile_0": (words, none),
        "fetch.walk.weights": (words, none),
        "fetch.walk.links": (words, none),
        "fetch.wheel.heads": (puts + turns, puts),
        "fetch.wheel.marks": (puts + turns + counts["groups"], puts + turns),
        "fetch.wheel.pool": (counts["handed"], puts + counts["freed"]),
        "delays.dendrites": (counts["synaptic_events"], none),
        "ring.sums.words": (counts["synaptic_events"] + counts["arrivals"] + outputs,
                            counts["synaptic_events"]),
        "ring.marks.bits.words": (marks + chunks + counts["early"], marks + chunks),
        "ring.marks.chunks.words": (marks + takes + counts["aims"], marks + takes + chunks),
        "ring.marks.groups.words": (marks + takes + counts["groups"], marks + takes),
        "neurons.memory.states.words": (thresholds, visits),
        "neurons.memory.theta0_words": (thresholds, none),
        "neurons.memory.beta_words": (thresholds, none),
        "neurons.scale.tables": (
            2 * traces * visits + exponential * visits + 3 * counts["searches"], none),
        "outputs.integrals.words": (outputs, outputs),
        "outputs.readout": (outputs, none),
    }
    shapes = {}
    for bank in range(config.banks):  # none of them may have both neurons and outputs
        shapes |= bank_memories(config, bank)
    return {name.removesuffix(".words").removesuffix(".tile_0"): Access(*shapes[name], *use)
            for name, use in uses.items() if name in shapes}


def access_pj(bits, words):
    """Return the picojoules of an access to a memory.

    Those of 64 bits in the smallest memory of `SRAM_PJ` that holds it (or in one of several of the
    largest), times the width. So smaller memories than the first are overestimated.
    """
    fitting = [pj for size, pj in SRAM_PJ if words * bits <= 8 * size]
    return (fitting or [SRAM_PJ[-1][1]])[0] * bits / 64


def multiplication_pj(first, second):
    """Return the picojoules of a product: they grow with both widths."""
    return MULTIPLICATION_PJ * first * second / 32**2


def energy(config, counts):
    """Return the estimated `Energy`; parameters are those of `traffic`."""
    memories = sum((use.reads + use.writes) * access_pj(use.bits, use.words)
                   for use in traffic(config, counts).values())
    bits, add = config.trace_bits, ADDITION_PJ / 32
    visits = counts["arrivals"] + counts["looks"]
    decay = multiplication_pj(bits, TABLE_BITS) + multiplication_pj(bits + TABLE_BITS, TABLE_BITS)
    # A visit: each trace is rounded and gets its arrivals or its rise; three terms are compared.
    visit = _traces(config) * (decay + (2 * bits + 2 * TABLE_BITS) * add) + 3 * bits * add
    # The sleep rule: whether a neuron is safe for ever, and if not, three products and a quotient.
    factor = multiplication_pj(bits, TABLE_BITS)
    safe = (factor + 3 * bits * add) * (config.synapse == "exponential")
    search = 3 * factor + (5 + config.wake_bits) * bits * add
    output = multiplication_pj(config.sum_bits, TABLE_BITS) + config.readout_bits * add
    return Energy(memories, (visit + safe) * visits + search * counts["searches"]
                  + output * counts["integrations"]
                  + config.sum_bits * add * counts["synaptic_events"])
