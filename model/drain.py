"""The marks of a bank, cycle by cycle: how they go in, are shown, read ahead and drained.

Twin of the gateware's `SlotMap` and `ReadAhead`; `control` has the rest of a bank.
"""

from .bank import (
    AGAIN,
    AHEAD,
    AIM,
    AIMS,
    CHUNKS,
    EARLY,
    FIND,
    GET,
    GROUP,
    GROUP_BITS,
    GROUPS,
    HAND,
    HOLD,
    KEEP,
    NOBODY,
    NONE,
    OTHERS,
    PICK,
    READ,
    REST,
    TAKEN,
    TAKES,
    TAKING,
)
from .jit import kernel


@kernel
def _slots(kind, banks):
    """Return the slots of a kind's wheel."""
    return 1 << banks.wake_bits if kind else banks.slots


@kernel
def mark(k, kind, at, neuron, banks):
    """Mark a neuron in a tick; returns the slot."""
    slot = at & (banks.wheel - 1)
    banks.marks[k, kind, slot & (_slots(kind, banks) - 1), neuron] = 1
    banks.groups[k, slot >> GROUP_BITS] |= 1 << (slot & (GROUP - 1))
    return slot


@kernel
def show(bank, k, marked, start, look, upcoming, group, banks, counts):
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
def drain(bank, k, start, upcoming, foreseen, expected, spare, marked, look, handed, banks, counts):
    """Take the drain, and what is read ahead of it, through a cycle.

    A slot was ``marked``, or `NOBODY`: for a ``look``, or for arrivals. The memories are ``spare``
    in this cycle, and the neuron that's due is ``handed`` out.
    """
    looks, rests, chunks = bank.aimed_kind, bank.drain == REST, counts[CHUNKS]
    given = bank.ahead == HOLD and expected and foreseen & (banks.wheel - 1) == bank.aim
    _drain(bank, k, start, upcoming, expected and not looks, given, looks, handed, banks, counts)
    upset = start or (bank.changed != NOBODY
                      and _is_aimed(bank, bank.changed & 1, bank.changed >> 1, banks))
    _read_ahead(bank, k, spare, rests, upset, foreseen, banks, counts)
    bank.changed = NOBODY
    if marked != NOBODY:
        bank.changed = marked << 1 | look
    elif counts[CHUNKS] != chunks:
        bank.changed = bank.slot << 1 | bank.kind


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
                banks.marks[k, 1, slot & (_slots(1, banks) - 1)], 0, marks.size) != NOBODY):
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
        kind = handed_kind(bank)
        marks = banks.marks[k, kind, slot & (_slots(kind, banks) - 1)]
        marks[bank.due] = 0
        bank.due = _next(marks, bank.due + 1, bank.chunk_end)


@kernel
def handed_kind(bank):
    """Return the kind of the neurons that are handed out."""
    return bank.given_looks if bank.given else bank.kind


@kernel
def _take(bank, k, banks, counts):
    """Unmark the slot in its group, while its words of chunks are read."""
    banks.groups[k, bank.slot >> GROUP_BITS] &= ~(1 << (bank.slot & (GROUP - 1)))
    counts[TAKES] += 2 - banks.jump
