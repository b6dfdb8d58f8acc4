"""The control of a bank, cycle by cycle: which of its units does what when.

Twin of the gateware's schedule, where `blocks` is that of its results. A `BANK` record holds a
bank's registers; a cycle is `is_idle` and what else is combinational, then `step`. Payloads that
can't change when something happens (weights on their way, records) aren't there. A tick's marks and
sums count from the cycle in which the gateware accepts them: nobody reads them earlier.
"""

from typing import NamedTuple

import numpy as np

from .arithmetic import FOREVER, decay, size, sleep, touch
from .jit import kernel
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


@kernel
def fetch_rests(bank):
    """Return whether no row is looked up or streamed."""
    return bank.lookup == SOURCE and not (bank.known or bank.streaming or bank.read or bank.sends)


@kernel
def is_idle(bank, trace_taken):
    """Return whether all work of the tick is done but what sources may still bring.

    A record that is taken in this cycle is in time.
    """
    fetched = fetch_rests(bank) and not (bank.adds or bank.summed)
    quiet = bank.age == 0 or (bank.age >= bank.visit - 1 > IGNORED_CYCLES - 1
                              and not (bank.spike or bank.record or bank.wake))
    added = not (bank.held or bank.waiting or bank.adding or bank.second or bank.third)
    return (fetched and added and bank.drain == REST and quiet
            and bank.integrating == 0 and (trace_taken or not bank.traced))


@kernel
def takes_source(bank):
    """Return whether the row fetch takes a source in this cycle."""
    return bank.lookup == SOURCE and not bank.known


@kernel
def step(bank, k, tick, start, look, upcoming, group, foreseen, expected, spike_ready, trace_ready,
         banks, counts):
    """Take bank ``k`` through a cycle, but for its fetch; returns whether that may go on.

    ``start``, ``look``, ``upcoming`` and ``group`` are the scheduler's, and so is the tick that's
    ``foreseen``, or `NOBODY`; it's started if it's ``expected``. The core takes a spike or a record
    if it's ``ready``. The fetch, in the same cycle, comes after it.
    """
    output = bank.due >= banks.spiking[k]
    handed = bank.due != NOBODY and (bank.integrating == 0 if output else bank.age == 0)
    neuron_traced, output_traced = _merge_traces(bank, trace_ready)
    free = bank.drain > OTHERS or (bank.drain == REST and not look) or (
        bank.drain == OTHERS and banks.jump)
    marks = not bank.asked & 1 and (bank.wake or bank.waiting)
    wake_taken = free and marks and bank.wake
    entered = free and marks and not bank.wake
    spare = not marks and (bank.drain > OTHERS or (bank.drain == REST and not (look or start)))
    marked = NOBODY
    if wake_taken:
        marked = _mark(k, 1, bank.wakes_at, bank.neuron, banks)
    elif entered:
        word, age = bank.event & WORD, bank.event >> AGE_BITS
        at, target = tick + banks.delay[word] - age, banks.target[word]
        marked = _mark(k, 0, at, target, banks)
        banks.sums[k, at & (banks.slots - 1), target] += banks.weight[word]
    counts[MARKS] += wake_taken or entered

    _visit(bank, k, tick, handed and not output, spike_ready, neuron_traced, wake_taken, banks,
           counts)
    _integrate(bank, k, tick, handed and output, output_traced, banks, counts)
    _show(bank, k, marked, start, look, upcoming, group, banks, counts)
    looks, rests, chunks = bank.aimed_kind, bank.drain == REST, counts[CHUNKS]
    given = bank.ahead == HOLD and expected and foreseen & (banks.wheel - 1) == bank.aim
    _drain(bank, k, start, upcoming, expected and not looks, given, looks, handed, banks, counts)
    upset = start or (bank.changed >= 0 and _is_aimed(bank, bank.changed & 1, bank.changed >> 1,
                                                      banks))
    _read_ahead(bank, k, spare, rests, upset, foreseen, banks, counts)
    bank.changed = NOBODY
    if marked != NOBODY:
        bank.changed = marked << 1 | (wake_taken != 0)
    elif counts[CHUNKS] != chunks:
        bank.changed = bank.slot << 1 | bank.kind
    bank.asked = handed
    bank.adding = (bank.adding << 1 | entered) & 7
    bank.second, bank.third = wake_taken or entered, bank.second
    return _pass_on(bank, entered, banks, counts)


@kernel
def _merge_traces(bank, ready):
    """Merge the records of neurons and outputs; returns which of both is taken."""
    neuron, output = bank.record != 0, bank.integrating == INTEGRATION_CYCLES - 1
    free = ready or not bank.traced
    output_next = output and not (neuron and bank.latest_trace)
    if free:
        bank.traced = neuron or output
        if bank.traced:
            bank.latest_trace = output_next
    return free and neuron and not output_next, free and output_next


@kernel
def _mark(k, kind, at, neuron, banks):
    """Mark a neuron in a tick; returns the slot."""
    slot = at & (banks.wheel - 1)
    slots = 1 << banks.wake_bits if kind else banks.slots
    banks.marks[k, kind, slot & (slots - 1), neuron] = 1
    banks.groups[k, slot >> GROUP_BITS] |= 1 << (slot & (GROUP - 1))
    return slot


@kernel
def _visit(bank, k, tick, accepted, spike_ready, traced, wake_taken, banks, counts):
    """Let the neuron unit accept a neuron, or go on with the one in work."""
    empty = not bank.spike and (traced or not bank.record) and (wake_taken or not bank.wake)
    if spike_ready:
        bank.spike = 0
    if traced:
        bank.record = 0
    if wake_taken:
        bank.wake = 0
    if bank.age == 0:
        if accepted:
            bank.neuron, bank.age = bank.due, 1
            _decide(bank, k, tick, banks, counts)
        return
    age = bank.age
    bank.age += 1
    if bank.visit == IGNORED_CYCLES:
        if age == bank.visit - 1:
            bank.age = 0
        return
    if age == HANDOVER:
        bank.spike, bank.record = bank.fires, bank.touched
    if age == bank.visit - 2:
        bank.wake = bank.wakes_at >= 0
    elif age >= bank.visit - 1:
        bank.age = 0 if empty else age


@kernel
def _decide(bank, k, tick, banks, counts):
    """Do what the visit to the neuron that was accepted does, and say how long it takes."""
    neuron, arrival = bank.neuron, not _handed_kind(bank)
    if not arrival and banks.wake[k, neuron] != tick:
        bank.visit = IGNORED_CYCLES
        counts[IGNORED] += 1
        return
    tables, theta0 = banks.tables, banks.theta0[k, neuron]
    rest, trace = tick - banks.last[k, neuron], banks.traces[k, neuron]
    p = decay(trace[0], rest, tables.low_m, tables.high_m)
    q = decay(trace[1], rest, tables.low_s, tables.high_s)
    a = decay(trace[2], rest, tables.low_a, tables.high_a)
    amount = np.int64(0)
    if arrival:
        slot = tick & (banks.slots - 1)
        amount = banks.sums[k, slot, neuron] << banks.guard_bits
        banks.sums[k, slot, neuron] = 0
    p, q, a, fires, _ = touch(p, q, a, arrival, amount, theta0, banks.beta[k, neuron], banks.top,
                              banks.jump)
    bank.fires, bank.touched = fires, arrival or fires
    if arrival or fires:
        trace[0], trace[1], trace[2] = p, q, a
        banks.last[k, neuron] = tick
    bank.visit, bank.wakes_at = banks.visit_cycles, NOBODY
    if not banks.jump:
        pause = sleep(p, q, a, size(trace[0], trace[1], trace[2]), theta0, banks.wake_bits,
                      banks.slope_bits, tables.sleep)
        if pause != FOREVER:
            bank.visit += SEARCH_CYCLES + banks.wake_bits
            bank.wakes_at = tick + pause
            counts[SEARCHES] += 1
        banks.wake[k, neuron] = bank.wakes_at
    counts[TOUCHES] += bank.touched
    counts[ARRIVALS] += arrival
    counts[LOOKS] += not arrival
    counts[SPIKES] += fires


@kernel
def _integrate(bank, k, tick, accepted, traced, banks, counts):
    """Let the integrator accept an output, or go on with the one in work."""
    if bank.integrating == 0:
        if accepted:
            bank.integrating = 1
            banks.sums[k, tick & (banks.slots - 1), bank.due] = 0
            counts[INTEGRATIONS] += 1
    elif bank.integrating < INTEGRATION_CYCLES - 1:
        bank.integrating += 1
    elif traced:
        bank.integrating = 0


@kernel
def _show(bank, k, marked, start, look, upcoming, group, banks, counts):
    """Keep the marks of the group that was looked at last in ``busy``."""
    slot = upcoming & (banks.wheel - 1)
    if start and slot >> GROUP_BITS == bank.window:
        bank.busy &= ~(1 << (slot & (GROUP - 1)))
    if marked >= 0 and marked >> GROUP_BITS == bank.window:
        bank.busy |= 1 << (marked & (GROUP - 1))
    if bank.looked & 2:
        bank.window = group & ((banks.wheel >> GROUP_BITS) - 1)
        bank.busy = banks.groups[k, bank.window]
    bank.looked = (bank.looked << 1 | look) & 3
    counts[GROUPS] += look


@kernel
def _next(marks, start, stop):
    """Return the first neuron from ``start`` on that is marked, or `NOBODY`."""
    for neuron in range(start, min(stop, marks.size)):
        if marks[neuron]:
            return neuron
    return NOBODY


@kernel
def _is_aimed(bank, kind, slot, banks):
    """Return whether a slot's marks of a kind lie where those of the one that's read ahead do."""
    return (slot ^ bank.aim) & (_slots(kind, banks) - 1) == 0


@kernel
def _read_ahead(bank, k, spare, rests, upset, foreseen, banks, counts):
    """Read the first chunk of the slot that's ``foreseen``."""
    slot = foreseen & (banks.wheel - 1)
    known = foreseen != NOBODY and slot == bank.aim
    came, state, read = bank.sent & 2, bank.ahead, False
    if state == AIM:
        read = spare and foreseen != NOBODY and bank.sent == 0
        bank.aim = slot
        bank.ahead = FIND if read else AIM
    elif state == AGAIN or state == AHEAD:
        read = spare and (state == AGAIN or rests)
    if upset or not known:
        bank.aimed_kind = 0
        if state != AIM:
            bank.ahead = AIM
    elif state == FIND and came:
        slots = _slots(bank.aimed_kind, banks)
        marks = banks.marks[k, bank.aimed_kind, slot & (slots - 1)]
        # In a small ring that may be the slot that's drained; its chunks are taken.
        taken = bank.drain != REST and (slot ^ bank.slot) & (slots - 1) == 0
        if not taken and _next(marks, 0, marks.size) != NOBODY:
            bank.ahead = AHEAD
        elif bank.aimed_kind or banks.jump:
            bank.ahead = NONE
        else:
            bank.ahead, bank.aimed_kind = AGAIN, 1
    elif state == AGAIN and read:
        bank.ahead = FIND
    elif state == AHEAD and read:
        bank.ahead = GET
    elif state == GET and came:
        bank.ahead = HOLD
    bank.sent = bank.sent << 1 & 3 | read
    counts[EARLY if state == AHEAD else AIMS] += read


@kernel
def _drain(bank, k, start, upcoming, fast, given, looks, handed, banks, counts):
    """Drain a slot: those with arrivals, then those to be looked at, a chunk at a time.

    If the first chunk is ``given``, one of ``looks`` maybe, it's handed out at once, while the
    memories catch up.
    """
    state, slot = bank.drain, bank.slot
    marks = banks.marks[k, bank.kind, slot & (_slots(bank.kind, banks) - 1)]
    if state == REST:
        if start:
            bank.slot, bank.kind, bank.first = upcoming & (banks.wheel - 1), 0, 0
            bank.given, bank.drain = given, OTHERS if fast else TAKING
            if fast:
                _take(bank, k, banks, counts)
            if given:
                bank.given_looks = looks
                early = banks.marks[k, looks, bank.slot & (_slots(looks, banks) - 1)]
                bank.due = _next(early, 0, early.size)
                bank.chunk_end = ((bank.due >> banks.chunk_bits) + 1) << banks.chunk_bits
    elif state == TAKING:
        bank.drain = OTHERS
        _take(bank, k, banks, counts)
    elif state == OTHERS:
        bank.drain = TAKEN
    elif state == TAKEN:
        bank.drain = PICK
    elif state == PICK:
        mine = bank.given and bank.given_looks == bank.kind
        first = NOBODY
        if mine:
            first = bank.chunk_end - 1
        elif not bank.given:
            first = _next(marks, bank.first, marks.size)
        if first != NOBODY:
            bank.chunk_end = ((first >> banks.chunk_bits) + 1) << banks.chunk_bits
            bank.first, bank.drain = first, HAND if mine else READ
            bank.given = 0
            counts[CHUNKS] += 1
        elif not bank.kind and not banks.jump and (bank.given or _next(
                banks.marks[k, 1, slot & ((1 << banks.wake_bits) - 1)], 0, marks.size) != NOBODY):
            bank.kind, bank.first = 1, 0
        else:
            bank.drain = REST
    elif state == READ:
        bank.drain = KEEP
    elif state == KEEP:
        bank.due, bank.drain = bank.first, HAND
    elif bank.due == NOBODY:
        bank.first, bank.drain = bank.chunk_end, PICK
    if handed:
        kind = _handed_kind(bank)
        marks = banks.marks[k, kind, slot & (_slots(kind, banks) - 1)]
        marks[bank.due] = 0
        bank.due = _next(marks, bank.due + 1, bank.chunk_end)


@kernel
def _slots(kind, banks):
    """Return the slots of a kind's wheel."""
    return 1 << banks.wake_bits if kind else banks.slots


@kernel
def _handed_kind(bank):
    """Return the kind of the neurons that are handed out."""
    return bank.given_looks if bank.given else bank.kind


@kernel
def _take(bank, k, banks, counts):
    """Unmark the slot in its group, while its words of chunks are read."""
    banks.groups[k, bank.slot >> GROUP_BITS] &= ~(1 << (bank.slot & (GROUP - 1)))
    counts[TAKES] += 2 - banks.jump


@kernel
def _pass_on(bank, entered, banks, counts):
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
