"""The relays between a core and banks that are far from its middle, cycle by cycle.

Twin of the gateware's `Relay`. A core without relays has no records of them.
"""

import numpy as np

from .jit import kernel

HEARD = np.dtype([(name, np.int64) for name in (
    "tick", "start", "look", "upcoming", "group", "foreseen", "expected")], align=True)
"""What the scheduler told a cycle ago, which all banks hear now."""

RELAY = np.dtype([(name, np.int64) for name in (
    # Sources on their way to the bank, its spike and its record, whether it rested a cycle ago.
    "held", "source", "spared", "spare_source", "spiked", "neuron", "traced", "rested",
)], align=True)


@kernel
def tell(heard, tick, start, look, upcoming, group, foreseen, expected):
    """Keep what the scheduler tells; returns what it told a cycle ago, in the same order."""
    before = (heard.tick, heard.start, heard.look, heard.upcoming, heard.group, heard.foreseen,
              heard.expected)
    heard.tick, heard.start, heard.look, heard.upcoming = tick, start, look, upcoming
    heard.group, heard.foreseen, heard.expected = group, foreseen, expected
    return before


@kernel
def seems_idle(relay, started, trace_taken):
    """Return whether all work of the tick seems to be done: as `is_idle` does of a bank."""
    return relay.rested and not (started or relay.held or relay.spiked) and (
        trace_taken or not relay.traced)


@kernel
def carry(relay, bank, idle, started, offered, source, taken, spike_taken, trace_taken):
    """Carry words for a cycle, before the bank's own: it's ``idle``, or has just ``started``.

    The core has ``offered`` a source, and takes a spike or a record; the bank takes a source if
    ``taken``. Returns what reaches the bank: whether a source does, which, and whether its spike
    and its record are taken.
    """
    reached = relay.held, relay.source, not relay.spiked, not relay.traced
    relay.rested = idle and not (started or relay.held)
    if not relay.spiked:
        relay.spiked, relay.neuron = bank.spike, bank.neuron
    elif spike_taken:
        relay.spiked = 0
    if not relay.traced:
        relay.traced = bank.traced
    elif trace_taken:
        relay.traced = 0
    spared = relay.spared
    if not spared:
        relay.spare_source = source
    if taken or not relay.held:
        relay.held, relay.source, relay.spared = spared or offered, relay.spare_source, 0
    elif offered:
        relay.spared = 1
    return reached
