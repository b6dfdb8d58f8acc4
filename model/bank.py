"""What the twin of a core's control keeps of its banks: registers, memories and counts."""

from typing import NamedTuple

import numpy as np

from .sizes import LOOKUP
from .tables import Tables

# Cycles of the units; tests/model/test_cycles.py compares them with the gateware's own.
VISIT_CYCLES = {"exponential": 19, "jump": 16}  # a touch or a look
SEARCH_CYCLES = 5  # more, and one for each bit of a pause, if another look is needed
IGNORED_CYCLES = 3  # a look that a touch has replaced
INTEGRATION_CYCLES = 8
HANDOVER = VISIT_CYCLES["jump"] - 2  # the cycle of a visit after which record and spike are there
GROUP = LOOKUP  # slots of a wheel that are looked up together
GROUP_BITS = GROUP.bit_length() - 1

# States of a drain.
REST, PICK, TAKING, OTHERS, TAKEN, READ, KEEP, HAND = range(8)
# States of what is read ahead of a drain.
AIM, FIND, AGAIN, AHEAD, GET, HOLD, NONE = range(7)
# States of the lookup of a row.
SOURCE, START, STOP, KNOWN, NEXT = range(5)
NOBODY = -1
# A synapse on its way is a word of the rows, and above it the ticks since its spike.
AGE_BITS = 32
WORD = (1 << AGE_BITS) - 1

# What a bank counts, in columns: among them words of chunks, and chunks, that are read ahead. The
# last five with cursors: put into the wheel, not used any more, handed out or taken, slots that are
# looked into, and spikes or rows that are lost.
COUNTED = ("touches", "arrivals", "looks", "ignored", "searches", "integrations", "synaptic_events",
           "rows", "words", "spikes", "marks", "takes", "chunks", "groups", "aims", "early",
           "puts", "freed", "handed", "turns", "lost")
(TOUCHES, ARRIVALS, LOOKS, IGNORED, SEARCHES, INTEGRATIONS, SYNAPTIC_EVENTS, ROWS, WORDS, SPIKES,
 MARKS, TAKES, CHUNKS, GROUPS, AIMS, EARLY, PUTS, FREED, HANDED, TURNS, LOST) = range(len(COUNTED))

BANK = np.dtype([(name, np.int64) for name in (
    # Row fetch: the lookup, the row that's known, the one that is streamed, and its synapses.
    "lookup", "row", "known", "start", "stop", "address", "end", "streaming", "read", "sends",
    "read_synapse", "sent_synapse",
    # Dendritic delays: the synapse whose delay is read, and the one that has its sum.
    "adds", "added_synapse", "summed", "summed_synapse",
    # Delay ring: its buffer, the event that isn't marked yet, those not added yet (bits), and
    # whether a neuron was handed out in the last cycle.
    "held", "held_synapse", "spared", "spare_synapse", "waiting", "event", "adding", "asked",
    # Marks: the drain, what it hands out, marks in flight, the group that is looked at.
    "drain", "slot", "kind", "first", "due", "chunk_end", "second", "third", "looked", "busy",
    "window",
    # What is read ahead of the drain: how far that is, for which slot and kind, reads in flight
    # (bits), what changed a cycle ago (a kind, and above it a slot); and whether the drain's first
    # chunk was, and is one of looks.
    "ahead", "aim", "aimed_kind", "sent", "changed", "given", "given_looks",
    # Neuron unit: cycles since it accepted a neuron (0: none), and of the visit.
    "age", "visit", "neuron", "fires", "touched", "wakes_at", "spike", "record", "wake",
    # Integrator, merge of records, broadcast.
    "integrating", "traced", "latest_trace", "served",
)], align=True)


class Banks(NamedTuple):
    """A core's banks as the kernels take them: sizes, parameters, and what changes in a sample.

    ``row_start`` (banks, rows + 1), which counts through all banks, and ``target`` (local;
    `NOBODY` where a dense row has no synapse), ``delay``, ``weight`` (words,) are the rows of each
    bank, ``segments`` for each source; ``dendritic``: a part of their delays is added later.
    ``theta0`` and ``beta`` are (banks, local neurons). State: ``traces`` (banks, local, 3),
    ``last`` and ``wake`` (banks, local), ``sums`` (banks, slots, local), ``marks`` (banks, kinds,
    slots, local) and ``groups`` (banks, groups), with the bits of slots that have marks.
    """

    slots: int
    wheel: int
    segments: int
    dendritic: bool
    chunk_bits: int
    jump: bool
    top: int
    guard_bits: int
    wake_bits: int
    slope_bits: int
    visit_cycles: int
    spiking: np.ndarray
    row_start: np.ndarray
    target: np.ndarray
    delay: np.ndarray
    weight: np.ndarray
    theta0: np.ndarray
    beta: np.ndarray
    tables: Tables
    traces: np.ndarray
    last: np.ndarray
    wake: np.ndarray
    sums: np.ndarray
    marks: np.ndarray
    groups: np.ndarray
