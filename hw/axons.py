"""Axon fetch: streams the rows of spikes shortly before they arrive, where a row has one delay."""

from amaranth.hdl import Signal
from amaranth.lib import data
from amaranth.lib.wiring import Out

from ..model.sizes import NEAREST
from .checked import checked
from .payloads import Memory, ring_row
from .rows import RowFetch, loaded_memory
from .wheel import CursorWheel, command, distance, wheel_ports

__all__ = ["AxonFetch"]


class AxonFetch(RowFetch):
    """A `RowFetch` in which rows with a long delay wait before they're streamed.

    A row has one delay, so a cursor is the row's number: it waits once in the time wheel, and the
    row is looked up again when it's due. Rows that are due soon need no cursor. A row that needs
    one when all are in use is lost.

    Parameters
    ----------
    config : CoreConfig
        With the cursor buffer, and delays that aren't synaptic.
    images : dict of Memory to sequence of int, or None
        As of `RowFetch`.

    Members
    -------
    i, o, load
        As of `RowFetch`. ``delay`` is what's left of the row's, from the current tick on.
    tick : In(config.tick_bits)
    start : In(1)
        ``tick`` becomes the current tick. Allowed while ``idle``.
    lost : Out(1)
        A row is lost in this cycle.
    idle : Out(1)
        All work of the current tick is done but what ``i`` may still bring. Combinational; from
        the cycle after ``start`` on.
    group, look, busy
        In which ticks rows may be streamed without a spike in them: as of `CursorWheel`.
    clear : In(1)
        Forget all spikes, in ``clear_cycles`` cycles from the next on; ``idle`` is 0 meanwhile.
        Allowed while ``idle``.
    """

    latency = 8  # cycles from an accepted source to its first synapse, if that's due soon
    row_cycles = 5  # for each row of a source, at least
    slot_cycles = 3  # from the start of a tick until it's known that no row is due

    def __init__(self, *, config, images=None):
        self._wheel = CursorWheel(config=config)
        super().__init__(config=config, images=images)

    def _ports(self):
        return super()._ports() | wheel_ports(self._config) | {"lost": Out(1)}

    @property
    def clear_cycles(self):
        """Cycles that ``clear`` takes."""
        return self._wheel.clear_cycles

    def _connect(self, m):
        """Add the time wheel."""
        m.submodules.wheel = wheel = self._wheel
        m.d.comb += command(self, wheel)
        m.d.sync += wheel.put.eq(0)

    def _put(self, *, last, pointer, delay, cursor):
        """Return the statements that put a cursor back, or a new one, in the next cycle."""
        wheel = self._wheel
        return [
            wheel.put.eq(1),
            wheel.put_last.eq(last),
            wheel.put_pointer.eq(pointer),
            wheel.put_delay.eq(delay),
            wheel.put_cursor.eq(cursor),
        ]

    def _judge(self, m, first, stop, known, own):
        """Stream the row that was looked up, let it wait, or lose it. Returns whether it's done."""
        wheel, near = self._wheel, NEAREST.bit_length()
        done, far = Signal(), Signal()
        m.d.comb += far.eq(first.delay[near:].any() | (first.delay[:near] >= wheel.limit))
        with m.If(first.start == stop):
            m.d.comb += done.eq(1)
        with m.Elif(~far):
            m.d.comb += done.eq(1)
            m.d.sync += known.eq(1)
        with m.Elif(wheel.spare):
            m.d.comb += [done.eq(1), wheel.take.eq(1)]
            m.d.sync += self._put(
                last=0, pointer=own, delay=first.delay, cursor=wheel.spare_cursor)
        with m.Elif(wheel.empty & wheel.idle & ~wheel.put):
            m.d.comb += [done.eq(1), self.lost.eq(1)]
        return done

    def _look_up(self, m, begin):
        config, wheel = self._config, self._wheel
        self._connect(m)
        rows = loaded_memory(m, config, Memory.ROWS, self.load, self._images)
        found = checked(m, config, Memory.ROWS, rows.data)
        word = data.View(ring_row(config), found.value)
        first = Signal(ring_row(config))
        stop = Signal.like(word.start)
        known, resting = Signal(), Signal()
        row = Signal(config.pointer_bits + 1)  # one after the last row ends it
        own = Signal(config.pointer_bits)  # the row that is looked up
        left, away = Signal.like(wheel.lap), Signal(config.delay_bits)  # until a cursor's arrival
        due = Signal()  # the row has waited, and is away so many ticks
        m.d.comb += [
            rows.addr.eq(row),
            left.eq(wheel.o.p.lap - wheel.lap),
        ]
        with m.FSM() as states:
            with m.State("SOURCE"):
                m.d.comb += [
                    resting.eq(1),
                    wheel.o.ready.eq(~known),
                    self.i.ready.eq(~known & ~wheel.popping),
                ]
                m.d.sync += due.eq(wheel.o.valid)
                with m.If(wheel.o.valid & ~known):
                    still = distance(wheel, wheel.o.p, left)
                    m.d.sync += [
                        row.eq(wheel.o.p.pointer),
                        away.eq(still),
                        *self._put(last=~left.any(), pointer=wheel.o.p.pointer, delay=still,
                                   cursor=wheel.o.p.cursor),
                    ]
                    with m.If(~left.any()):
                        m.next = "START"
                with m.Elif(self.i.valid & self.i.ready):
                    m.d.sync += row.eq(self.i.payload << config.segment_bits)
                    m.next = "START"
            with m.State("START"):
                m.d.sync += [own.eq(row), row.eq(row + 1)]
                m.next = "STOP"
            with m.State("STOP"):
                m.d.sync += first.eq(word)
                with m.If(due):
                    m.d.sync += first.delay.eq(away)
                m.next = "KNOWN"
            with m.State("KNOWN"):
                m.d.sync += stop.eq(word.start)
                with m.If(due):
                    m.d.sync += known.eq(1)
                    m.next = "SOURCE"
                with m.Else():
                    m.next = "JUDGE"
            with m.State("JUDGE"):
                with m.If(self._judge(m, first, stop, known, own)):
                    m.next = "SOURCE"
                    if config.segment_bits:
                        with m.If(row[: config.segment_bits].any()):
                            m.next = "NEXT"
            if config.segment_bits:
                with m.State("NEXT"):  # where this row ends, the source's next one starts
                    with m.If(~known):
                        m.next = "START"
        with m.If(begin):
            m.d.sync += known.eq(0)
        if config.protection != "none":
            found = self._distrust(m, states, found, first, stop)
        return first, stop, known, resting & ~known & ~wheel.put & wheel.idle, found
