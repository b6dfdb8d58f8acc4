"""The time wheel of the cursor delay buffer: spikes in flight, by when they go on."""

from itertools import pairwise

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..model.sizes import LOOKUP, WHEEL_TICKS
from .payloads import cursor_index, waiting
from .plain import plain_memory

__all__ = ["CursorWheel", "command", "distance", "wheel_ports"]

PHASE_BITS = WHEEL_TICKS.bit_length() - 1  # of a tick within its slot
LOOKUP_BITS = LOOKUP.bit_length() - 1


def wheel_ports(config):
    """Return the ports through which a bank commands the wheel of a fetch, and the fetch itself."""
    return {
        "tick": In(config.tick_bits),
        "start": In(1),
        "group": In(max(1, config.tick_bits - LOOKUP_BITS)),
        "look": In(1),
        "busy": Out(LOOKUP),
        "clear": In(1),
    }


def command(fetch, wheel):
    """Return the statements that pass the `wheel_ports` of a fetch on to its wheel."""
    return [fetch.busy.eq(wheel.busy),
            *(getattr(wheel, name).eq(getattr(fetch, name))
              for name in ("tick", "start", "group", "look", "clear"))]


def distance(wheel, waits, left):
    """Return in how many ticks from now a cursor's next synapse arrives.

    Parameters
    ----------
    wheel : CursorWheel
    waits : View of waiting(config)
        The cursor, handed out.
    left : Value
        Laps of the wheel until it's due.
    """
    # A slot, and the phase in it, less the ticks of this slot that are over.
    near = (waits.phase + wheel.limit)[: PHASE_BITS + 1] ^ WHEEL_TICKS
    return Cat(near, Const(0, wheel.slot_bits - 1), left)


class CursorWheel(wiring.Component):
    """Keeps cursors until the tick in which the next synapses of their rows are due to be sent.

    A slot is `WHEEL_TICKS` ticks, and a cursor is handed out in the first tick that starts in its
    slot: with the last one at the latest, which is due if no other is. Its slot is a linked list in
    the pool of cursors; those that nobody uses are another one. A cursor that is further away than
    the wheel is long is handed out once a lap with what's left of its delay, and has to be put
    back.

    Parameters
    ----------
    config : CoreConfig
        With the cursor buffer.

    Members
    -------
    tick : In(config.tick_bits)
    start : In(1)
        ``tick`` becomes the current tick. Allowed while ``idle``.
    o : Out(stream.Signature(waiting(config)))
        Cursors of the current tick's slot, each with its ``phase`` and ``lap``: see `distance`.
        One in 2 cycles.
    lap : Out
        Those that are due have this lap.
    limit : Out(range(2 * WHEEL_TICKS + 1))
        Delays below it are over by the end of the next slot.
    popping : Out(1)
        Cursors of the current tick's slot are still to come.
    put : In(1)
        A cursor is put back, or not used any more. Not in two cycles in a row, nor with ``start``
        or in the cycle after it. Pointer and cursor must hold for a cycle more.
    put_last : In(1)
        It isn't used any more.
    put_pointer : In(config.pointer_bits)
        The next synapse of its row,
    put_delay : In(config.delay_bits)
        which is due so many ticks after the current one: not below ``limit``,
    put_cursor : In(cursor_index(config))
        and the cursor.
    spare : Out(1)
        There's a cursor to take: ``spare_cursor``.
    spare_cursor : Out(cursor_index(config))
    take : In(1)
        It's taken. Allowed with ``spare``, and while not ``popping``.
    empty : Out(1)
        Every cursor is in use.
    idle : Out(1)
        Nothing is going on. Combinational; from the cycle after ``start`` on.
    group : In(config.tick_bits - LOOKUP_BITS)
    look : In(1)
        Let ``busy`` be that of ``group``, 2 cycles later: of a group to come. Allowed while
        ``idle``, and in the next cycle nothing may be put, started, looked at or cleared.
    busy : Out(LOOKUP)
        Bit k: cursors are to be handed out in tick ``LOOKUP * group + k`` at the latest; or some
        laps later, if they were there at the ``look``. A cursor shows 3 cycles after ``put``.
        After ``clear`` the group is 0.
    clear : In(1)
        Forget all cursors, in ``clear_cycles`` cycles from the next on. Allowed while ``idle``.
    """

    def __init__(self, *, config):
        self._config = config
        super().__init__({
            **wheel_ports(config),
            "o": Out(stream.Signature(waiting(config))),
            "lap": Out(config.lap_bits),
            "limit": Out(range(2 * WHEEL_TICKS + 1), init=2 * WHEEL_TICKS),
            "popping": Out(1),
            "put": In(1),
            "put_last": In(1),
            "put_pointer": In(config.pointer_bits),
            "put_delay": In(config.delay_bits),
            "put_cursor": In(cursor_index(config)),
            "spare": Out(1),
            "spare_cursor": Out(cursor_index(config)),
            "take": In(1),
            "empty": Out(1),
            "idle": Out(1),
        })

    @property
    def slot_bits(self):
        """Width of a slot's number."""
        return self._config.slot_bits

    @property
    def clear_cycles(self):
        """Cycles that ``clear`` takes."""
        return self._words

    @property
    def _words(self):
        """Words of the marks: each has the slots of `LOOKUP` ticks."""
        return self._config.wheel_slots * WHEEL_TICKS // LOOKUP

    def _place(self, m):
        """Find the slot of what comes, and hold it for the two cycles that its list takes.

        Returns
        -------
        stages, pops, lasts : list of Signal
            What is in the three cycles from then on: anything; the slot to hand out, and no
            cursor; a cursor that isn't used any more.
        time : Signal
            In the last two of them, the tick in which it's handed out, plus the phase.
        entry : Signal
            And pointer and cursor.
        """
        config = self._config
        delay = Signal(config.delay_bits)
        time = Signal(PHASE_BITS + config.slot_bits + config.lap_bits)
        base = Signal.like(time)  # the current tick, less a slot
        entry = Signal(data.StructLayout({
            "pointer": config.pointer_bits, "cursor": cursor_index(config)}))
        stages, pops, lasts = ([Signal(name=f"{name}_{k}") for k in range(3)]
                               for name in ("stage", "pop", "last"))
        begins = Signal()
        current = Signal(len(self.tick) - PHASE_BITS)  # the slot of the current tick
        m.d.comb += begins.eq(self.start & (self.tick[PHASE_BITS:] != current))
        m.d.sync += [
            delay.eq(self.put_delay),
            stages[0].eq(self.put | begins),
            pops[0].eq(begins),
            lasts[0].eq(self.put & self.put_last),
        ]
        for chain in (stages, pops, lasts):
            m.d.sync += [late.eq(early) for early, late in pairwise(chain)]
        with m.If(stages[0]):
            m.d.sync += [
                time.eq(delay + base),
                entry.pointer.eq(self.put_pointer),
                entry.cursor.eq(self.put_cursor),
            ]
        with m.If(self.start):
            m.d.sync += [
                current.eq(self.tick[PHASE_BITS:]),
                base.eq(self.tick - WHEEL_TICKS),
                delay.eq(WHEEL_TICKS),
                self.limit.eq(2 * WHEEL_TICKS - self.tick[:PHASE_BITS]),
            ]
        with m.If(self.clear):
            m.d.sync += current.eq(0)  # in which nothing is ever due
        return stages, pops, lasts, time, entry

    def _marks(self, m, stages, pop, last, puts, time):
        """Keep a bit per slot that has cursors. Returns whether the slot of ``time`` has, and
        whether all of them are being cleared. ``puts``: a cursor will be, in the next cycle.
        """
        slots = LOOKUP // WHEEL_TICKS
        read, write = plain_memory(m, "marks", shape=slots, depth=self._words)
        sweep = Signal.like(write.addr)
        clearing = Signal()
        own, present = Signal(slots), Signal()
        place = time[LOOKUP_BITS : LOOKUP_BITS + len(write.addr)]
        m.d.comb += [
            read.addr.eq(Mux(stages[1], place, self.group)),
            own.eq(Const(1) << time[PHASE_BITS:LOOKUP_BITS]),
            present.eq((read.data & own).any()),
            write.en.eq(stages[2] & ~last | clearing),
            write.addr.eq(Mux(clearing, sweep, place)),
            write.data.eq(Mux(clearing, 0, read.data & ~own | Mux(pop, 0, own))),
        ]
        self._show(m, puts, time, own, read.data)
        with m.If(self.clear):
            m.d.sync += clearing.eq(1)
        with m.If(clearing):
            m.d.sync += sweep.eq(sweep + 1)
            with m.If(sweep == self._words - 1):
                m.d.sync += [sweep.eq(0), clearing.eq(0)]
        return present, clearing

    def _show(self, m, puts, time, own, read):
        """Keep in ``busy`` what the group that was looked at last has."""
        slots = LOOKUP // WHEEL_TICKS
        shown, window = Signal(slots), Signal.like(self.group)
        added, removed = Signal(slots), Signal(slots)
        looked = Signal()
        upper = slice(LOOKUP_BITS, None)
        with m.If(puts & (time[upper] == window[: len(time[upper])])):
            m.d.comb += added.eq(own)
        with m.If(self.start & (self.tick[upper] == window)):
            m.d.comb += removed.eq(Const(1) << self.tick[PHASE_BITS:LOOKUP_BITS])
        m.d.sync += [looked.eq(self.look), shown.eq((shown & ~removed) | added)]
        with m.If(looked):
            m.d.sync += [shown.eq(read), window.eq(self.group)]
        with m.If(self.clear):
            m.d.sync += [shown.eq(0), window.eq(0)]
        for k in range(slots):
            m.d.comb += self.busy[k * WHEEL_TICKS + WHEEL_TICKS - 1].eq(shown[k])

    @property
    def _link(self):
        return data.StructLayout({"cursor": cursor_index(self._config), "valid": 1})

    def _spares(self, m, chosen, following, freed, entry):
        """Keep the list of cursors that aren't used. Returns its first one.

        ``following`` is what comes after it, if ``chosen`` was set in the cycle before.
        """
        config = self._config
        listed = Signal()  # following is known
        free = Signal(self._link)
        fresh = Signal(config.cursor_bits + 1)  # cursors from it on were never used
        m.d.comb += [
            self.spare_cursor.eq(Mux(free.valid, free.cursor, fresh)),
            self.spare.eq(Mux(free.valid, listed, ~fresh[-1]) & ~freed),
            self.empty.eq(~free.valid & fresh[-1]),
        ]
        m.d.sync += listed.eq(chosen & ~freed & ~self.take)
        with m.If(freed):
            m.d.sync += [free.valid.eq(1), free.cursor.eq(entry.cursor)]
        with m.Elif(self.take):
            with m.If(free.valid):
                m.d.sync += free.eq(following)
            with m.Else():
                m.d.sync += fresh.eq(fresh + 1)
        with m.If(self.clear):
            m.d.sync += [free.valid.eq(0), fresh.eq(0)]
        return free

    def elaborate(self, platform):
        m = Module()
        config = self._config
        stages, pops, lasts, time, entry = self._place(m)
        pop, last = pops[2], lasts[2]
        puts = stages[1] & ~pops[1] & ~lasts[1]
        present, clearing = self._marks(m, stages, pop, last, puts, time)
        heads_read, heads_write = plain_memory(
            m, "heads", shape=cursor_index(config), depth=config.wheel_slots)
        pool_read, pool_write = plain_memory(m, "pool", shape=data.StructLayout({
            "pointer": config.pointer_bits, "phase": PHASE_BITS, "lap": config.lap_bits,
            "next": self._link}), depth=config.cursors, block=True)
        slot = time[PHASE_BITS : PHASE_BITS + config.slot_bits]
        lap = time[PHASE_BITS + config.slot_bits :]

        # The cursor that is handed out next is read, or else the first that isn't used.
        head = Signal(self._link)
        freed = Signal()
        free = self._spares(m, ~head.valid, pool_read.data.next, freed, entry)
        m.d.comb += [
            pool_read.addr.eq(Mux(head.valid, head.cursor, free.cursor)),
            self.o.p.cursor.eq(head.cursor),
            *(self.o.p[name].eq(pool_read.data[name]) for name in ("pointer", "phase", "lap")),
            self.popping.eq(head.valid | Cat(pops).any()),
            self.idle.eq(~(self.popping | Cat(stages).any() | clearing)),
        ]
        with m.If(~self.o.valid):
            m.d.sync += self.o.valid.eq(head.valid)
        with m.Elif(self.o.ready):
            m.d.sync += [head.eq(pool_read.data.next), self.o.valid.eq(0)]

        # A cursor becomes the first of its slot, or of those that aren't used.
        m.d.comb += [
            freed.eq(stages[2] & last),
            heads_read.addr.eq(slot),
            heads_write.addr.eq(slot),
            heads_write.data.eq(entry.cursor),
            heads_write.en.eq(stages[2] & ~last & ~pop),
            pool_write.addr.eq(entry.cursor),
            pool_write.en.eq(stages[2] & ~pop),
            pool_write.data.pointer.eq(entry.pointer),
            pool_write.data.phase.eq(time[:PHASE_BITS]),
            pool_write.data.lap.eq(lap),
            pool_write.data.next.cursor.eq(Mux(last, free.cursor, heads_read.data)),
            pool_write.data.next.valid.eq(Mux(last, free.valid, present)),
        ]
        with m.If(pop):
            m.d.sync += [head.cursor.eq(heads_read.data), head.valid.eq(present),
                         self.lap.eq(lap)]
        return m
