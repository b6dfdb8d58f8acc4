"""The control of a bank's cursor buffer, cycle by cycle: beside `control`, in place of its fetch.

Twin of `CursorFetch` and of `AxonFetch`, of which a bank has one, and of the time wheel in both.
A `WAITS` record holds their registers, besides those of `BANK` that they share with the ring's
fetch. Instead of delays and laps there are ticks of arrivals, which tell the same.
"""

from typing import NamedTuple

import numpy as np

from .bank import (
    AGE_BITS,
    FREED,
    GROUP,
    HANDED,
    KNOWN,
    LOST,
    NEXT,
    NOBODY,
    PUTS,
    ROWS,
    SOURCE,
    START,
    TURNS,
    WORD,
    WORDS,
)
from .fetch import fetch_rests, stream
from .jit import kernel
from .sizes import WHEEL_TICKS

JUDGE = NEXT + 1  # one more state of the lookup of a row
WAITS = np.dtype([(name, np.int64) for name in (
    # Lookup of rows that are cut: the row whose word is read, and the one that's found.
    "read", "read_row", "held", "row",
    # What goes to the walk next: its word, when that arrives, and its cursor.
    "chosen", "chosen_word", "chosen_cursor",
    # The walk: whether what's addressed, or read, is too far away; and the cursor.
    "far", "read_far", "cursor",
    # Since when the row that's looked up has waited; `NOBODY` if it hasn't.
    "since",
    # What is put into the wheel: now, and in the two cycles that its list takes. Stages are bits.
    "put", "put_last", "put_pointer", "put_at", "put_cursor",
    "pointer", "at", "entry", "stages", "pops", "lasts",
    # The cursor that is handed out, if it's read; the first spare one, if what follows is read; and
    # how many were ever used.
    "head", "offered", "free", "listed", "fresh",
    # The current tick's slot; the group that was looked at last, and which slots of it have
    # cursors; whether one was in the last cycle, and whether the fetch was idle then.
    "slot", "window", "shown", "looked", "still",
)], align=True)


class Wheels(NamedTuple):
    """The time wheels of a core's banks; ``cursors`` is 0, and all arrays are empty, with the ring.

    ``whole``: cursors are those of whole rows, whose delays are ``row_delay`` (banks, rows). Else
    ``ends`` (words,) is 1 at the end of a stretch, and 2 at that of a row. State: ``pointer``,
    ``at`` (the tick of the arrival) and ``following`` (banks, cursors); ``heads`` (banks, slots);
    ``marks`` (banks, groups of ticks), with a bit for the first tick of each slot with cursors.
    """

    cursors: int
    whole: bool
    ends: np.ndarray
    row_delay: np.ndarray
    pointer: np.ndarray
    at: np.ndarray
    following: np.ndarray
    heads: np.ndarray
    marks: np.ndarray


@kernel
def rest(wait):
    """Bring the registers of a bank, all 0, to rest."""
    wait.head, wait.free, wait.still = NOBODY, NOBODY, 1


@kernel
def _pops(wait):
    """Return whether cursors of the tick's slot are still to come."""
    return wait.head != NOBODY or wait.pops != 0


@kernel
def _wheel_rests(wait):
    """Return whether nothing goes on in the wheel."""
    return wait.head == NOBODY and wait.stages == 0


@kernel
def _fetch_rests(bank, wait):
    """Return whether the fetch is idle."""
    return (fetch_rests(bank) and _wheel_rests(wait)
            and not (wait.read or wait.held or wait.chosen or wait.put))


@kernel
def waits_rest(bank, wait):
    """Return whether the wheel has nothing to do in the tick, and its marks have shown."""
    return wait.still and _fetch_rests(bank, wait)


@kernel
def due_cursors(wait):
    """Return in which ticks of the group that was looked at last cursors are due."""
    return wait.shown << (WHEEL_TICKS - 1)


@kernel
def takes_waiting(wait, wheels):
    """Return whether a source is taken, if it's up to what's here."""
    if wheels.whole:
        return not _pops(wait)
    return not (wait.read and wait.held)


@kernel
def fetch_waiting(bank, wait, ready, k, tick, start, look, upcoming, group, offered, source, banks,
                  wheels, counts):
    """Take a bank's fetch through a cycle: ``ready`` is what `control.step` has returned."""
    still = _fetch_rests(bank, wait)
    freed = wait.stages & wait.lasts & 4
    spare = not freed and (
        wait.listed if wait.free != NOBODY else wait.fresh < wheels.cursors)
    used_up = (wait.free == NOBODY and wait.fresh == wheels.cursors
               and _wheel_rests(wait) and not wait.put)
    head, popping = wait.head, _pops(wait)
    _show(wait, k, start, look, upcoming, group, wheels)
    _keep(wait, k, tick, start, upcoming, wheels, counts)
    limit = 2 * WHEEL_TICKS - tick % WHEEL_TICKS
    if wheels.whole:
        taken, given = _fetch_axons(bank, wait, ready, k, tick, limit, spare, used_up,
                                    offered and not popping, source, banks, wheels, counts)
    else:
        taken, given = _fetch_cursors(bank, wait, ready, k, tick, limit, spare and not popping,
                                      used_up, offered, source, banks, wheels, counts)
    if not wait.offered:
        wait.offered = head != NOBODY
    elif given:
        wait.head, wait.offered = wheels.following[k, head], 0
    if taken:
        if wait.free != NOBODY:
            wait.free = wheels.following[k, wait.free]
        else:
            wait.fresh += 1
    wait.listed = head == NOBODY and not freed and not taken
    wait.still = still
    counts[HANDED] += taken or given


@kernel
def _show(wait, k, start, look, upcoming, group, wheels):
    """Keep in ``shown`` which slots of a group have cursors: bits of their first ticks."""
    if start and upcoming // GROUP == wait.window:
        wait.shown &= ~(1 << upcoming % GROUP // WHEEL_TICKS * WHEEL_TICKS)
    if wait.stages & ~wait.pops & ~wait.lasts & 2:
        first = wait.at // WHEEL_TICKS * WHEEL_TICKS - WHEEL_TICKS
        if first // GROUP == wait.window:
            wait.shown |= 1 << first % GROUP
    if wait.looked:
        wait.window = group
        wait.shown = wheels.marks[k, group & (wheels.marks.shape[1] - 1)]
    wait.looked = look


@kernel
def _keep(wait, k, tick, start, upcoming, wheels, counts):
    """Take what's put into the wheel to its list."""
    stages, pops, lasts = wait.stages, wait.pops, wait.lasts
    pop = pops & 4
    if stages & lasts & 4:
        wheels.following[k, wait.entry] = wait.free
        wait.free = wait.entry
        counts[FREED] += 1
    elif stages & 4:
        time = tick if pop else wait.at - WHEEL_TICKS
        slot = time // WHEEL_TICKS & (wheels.heads.shape[1] - 1)
        place = time // GROUP & (wheels.marks.shape[1] - 1)
        own = 1 << (time & (GROUP - WHEEL_TICKS))
        first = wheels.heads[k, slot] if wheels.marks[k, place] & own else NOBODY
        if pop:
            wait.head = first
            wheels.marks[k, place] &= ~own
            counts[TURNS] += 1
        else:
            wheels.pointer[k, wait.entry] = wait.pointer
            wheels.at[k, wait.entry] = wait.at
            wheels.following[k, wait.entry] = first
            wheels.heads[k, slot] = wait.entry
            wheels.marks[k, place] |= own
            counts[PUTS] += 1
    if stages & 1:
        wait.pointer, wait.at, wait.entry = wait.put_pointer, wait.put_at, wait.put_cursor
    begins = start and upcoming // WHEEL_TICKS != wait.slot
    if start:
        wait.slot = upcoming // WHEEL_TICKS
    wait.stages = (stages << 1 | wait.put | begins) & 7
    wait.pops = (pops << 1 | begins) & 7
    wait.lasts = (lasts << 1 | (wait.put and wait.put_last)) & 7


@kernel
def _put(wait, last, pointer, at, cursor):
    """Put a cursor back, or a new one, in the next cycle."""
    wait.put, wait.put_last, wait.put_pointer = 1, last, pointer
    wait.put_at, wait.put_cursor = at, cursor


@kernel
def _fetch_cursors(bank, wait, ready, k, tick, limit, spare, used_up, offered, source, banks,
                   wheels, counts):
    """Look up rows that are cut, and walk along them.

    Returns whether a spare cursor is taken, and whether one that is handed out.
    """
    chosen, word, cursor = wait.chosen, wait.chosen_word, wait.chosen_cursor
    found = wait.held and banks.row_start[k, wait.row] != banks.row_start[k, wait.row + 1]
    taken = found and spare and not chosen
    given = wait.offered and not chosen
    lost = found and used_up and not (chosen or bank.streaming or bank.read or bank.sends)
    counts[LOST] += lost
    accepted = _walk(bank, wait, ready, chosen, word, cursor, tick, limit, banks, wheels, counts)
    if chosen:
        wait.chosen = not accepted
    elif given:
        pointer = wheels.pointer[k, wait.head]
        age = tick + banks.delay[pointer] - wheels.at[k, wait.head]
        wait.chosen, wait.chosen_word, wait.chosen_cursor = 1, age << AGE_BITS | pointer, wait.head
    elif taken:
        wait.chosen, wait.chosen_word = 1, banks.row_start[k, wait.row]
        wait.chosen_cursor = _spare_cursor(wait)
    ready = not (wait.read and wait.held)
    if not wait.held:
        wait.held, wait.row = wait.read, wait.read_row
    elif taken or lost or not found:
        wait.held = 0
    if ready:
        wait.read, wait.read_row = offered, source
        counts[ROWS] += offered
    return taken, given


@kernel
def _walk(bank, wait, ready, chosen, word, cursor, tick, limit, banks, wheels, counts):
    """Stream a stretch; returns whether the ``chosen`` cursor may come next."""
    wait.put = 0
    if bank.sends and not ready:
        return False
    ending = 0
    if bank.read:
        ending = 3 if wait.read_far else wheels.ends[bank.read_synapse & WORD]
    counts[WORDS] += bank.streaming
    if ending:
        last, pointer = ending == 2, bank.address & WORD
        at = 0 if last else tick + banks.delay[pointer] - (bank.address >> AGE_BITS)
        _put(wait, last, pointer, at, wait.cursor)
    bank.sends, bank.sent_synapse = bank.read and not wait.read_far, bank.read_synapse
    bank.read, bank.read_synapse = bank.streaming and not ending, bank.address
    wait.read_far = wait.far
    if bank.streaming and not ending:
        bank.address += not wait.far
        return False
    bank.streaming, bank.address, wait.cursor = chosen, word, cursor
    wait.far = chosen and banks.delay[word & WORD] - (word >> AGE_BITS) >= limit
    return True


@kernel
def _fetch_axons(bank, wait, ready, k, tick, limit, spare, used_up, offered, source, banks, wheels,
                 counts):
    """Look up whole rows, let them wait or stream them: returns as `_fetch_cursors`."""
    known, taken, given = bank.known, False, False
    stream(bank, ready, counts)
    wait.put = 0
    if bank.lookup == SOURCE:
        if wait.offered and not known:
            given = True
            row, at = wheels.pointer[k, wait.head], wheels.at[k, wait.head]
            far = at - tick >= limit
            _put(wait, not far, row, at, wait.head)
            if not far:
                bank.row, bank.lookup = row, START
                wait.since = at - wheels.row_delay[k, row]
        elif offered and not known:
            bank.row, bank.lookup, wait.since = source * banks.segments, START, NOBODY
    elif bank.lookup == KNOWN:
        age = 0 if wait.since == NOBODY else (tick - wait.since) << AGE_BITS
        bank.start = banks.row_start[k, bank.row] + age
        bank.stop = banks.row_start[k, bank.row + 1] + age
        bank.row += 1
        bank.known, bank.lookup = wait.since != NOBODY, SOURCE if wait.since != NOBODY else JUDGE
        counts[ROWS] += 1
    elif bank.lookup == JUDGE:
        delay, done = wheels.row_delay[k, bank.row - 1], True
        if bank.start == bank.stop:
            pass
        elif delay < limit:
            bank.known = 1
        elif spare:
            taken = True
            _put(wait, 0, bank.row - 1, tick + delay, _spare_cursor(wait))
        else:
            done = used_up
            counts[LOST] += used_up
        if done:
            bank.lookup = NEXT if bank.row & (banks.segments - 1) else SOURCE
    elif bank.lookup == NEXT:
        bank.lookup = NEXT if known else START
    else:
        bank.lookup += 1
    return taken, given


@kernel
def _spare_cursor(wait):
    """Return the cursor that's taken next."""
    return wait.free if wait.free != NOBODY else wait.fresh


@kernel
def forget(wheels):
    """Bring what a sample changes to rest."""
    wheels.marks[:] = 0
