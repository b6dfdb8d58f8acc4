"""The way of synapses in a bank, cycle by cycle: from the lookup of a row to the marks.

Twin of `RowFetch` and `DendriteDelay`, and of the buffer of `DelayRing`; `cursorcontrol` has the
fetches of cursors.
"""

from .bank import KNOWN, NEXT, NOBODY, ROWS, SOURCE, START, SYNAPTIC_EVENTS, WORD, WORDS
from .jit import kernel


@kernel
def fetch_rests(bank):
    """Return whether no row is looked up or streamed."""
    return bank.lookup == SOURCE and not (bank.known or bank.streaming or bank.read or bank.sends)


@kernel
def takes_source(bank):
    """Return whether the row fetch takes a source in this cycle."""
    return bank.lookup == SOURCE and not bank.known


@kernel
def fetch(bank, ready, k, offered, source, banks, counts):
    """Look up the row of a ``source`` that's ``offered``, and stream that of the one before."""
    known = bank.known
    stream(bank, ready, counts)
    if bank.lookup == SOURCE:
        if offered and not known:
            bank.row, bank.lookup = source * banks.segments, START
    elif bank.lookup == KNOWN:
        bank.start, bank.stop = banks.row_start[k, bank.row], banks.row_start[k, bank.row + 1]
        bank.row += 1
        bank.known, bank.lookup = 1, NEXT if bank.row & (banks.segments - 1) else SOURCE
        counts[ROWS] += 1
    elif bank.lookup == NEXT:
        bank.lookup = NEXT if known else START
    else:
        bank.lookup += 1


@kernel
def stream(bank, ready, counts):
    """Stream the synapses of a row, and then those of the one that's known."""
    advance = ready or not bank.sends
    ending = not bank.streaming or bank.address + 1 == bank.end
    begin = bank.known and advance and ending
    counts[WORDS] += bank.streaming and advance
    if advance:
        bank.sends, bank.sent_synapse = bank.read, bank.read_synapse
        bank.read, bank.read_synapse = bank.streaming, bank.address
        bank.address += 1
        bank.streaming = not ending
    if begin:
        bank.known = 0
        bank.address, bank.end = bank.start, bank.stop
        bank.streaming = bank.start != bank.stop


@kernel
def pass_on(bank, entered, banks, counts):
    """Pass what is fetched on to the buffer; returns whether the fetch may go on."""
    ready = not bank.spared
    synapse = bank.sent_synapse
    valid = bank.sends and banks.target[synapse & WORD] != NOBODY
    if banks.dendritic:
        fetched, valid, synapse = valid, bank.summed, bank.summed_synapse
        ready = ready or not bank.summed
        if ready:
            bank.summed, bank.summed_synapse = bank.adds, bank.added_synapse
            bank.adds, bank.added_synapse = fetched, bank.sent_synapse
    _buffer(bank, entered, valid, synapse, counts)
    return ready


@kernel
def _buffer(bank, entered, valid, synapse, counts):
    """Pass an event, if it's ``valid``, through the buffer to the marks."""
    ready = not bank.spared
    counts[SYNAPTIC_EVENTS] += valid and ready
    forward = entered or not bank.waiting
    if forward:
        bank.waiting, bank.event = bank.held, bank.held_synapse
    if ready:
        bank.spare_synapse = synapse
    if forward or not bank.held:
        bank.held, bank.held_synapse = bank.spared or valid, bank.spare_synapse
        bank.spared = 0
    elif valid:
        bank.spared = 1
