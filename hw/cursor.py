"""Cursor fetch: streams the synapses of spikes shortly before they arrive."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..model.sizes import WHEEL_TICKS
from .checked import checked
from .payloads import (
    BAD_WORDS,
    LoadSignature,
    Memory,
    cursor_row,
    faults,
    memory_depth,
    synapse,
    waiting,
)
from .rows import loaded_memory
from .walk import RowWalk
from .wheel import CursorWheel, command, distance, wheel_ports

__all__ = ["CursorFetch"]

NEAR = WHEEL_TICKS.bit_length()  # bits of a delay that ends in this slot or the next


class CursorFetch(wiring.Component):
    """Streams the synapses of the sources that it's given, each shortly before its arrival.

    Rows are sorted by delay. A spike in flight is a cursor into its row, which waits in a time
    wheel for its next synapses (docs/core.md). So memory goes with the spikes in flight, and not
    with the longest delay. A spike that needs a cursor when all are in use is lost.

    Parameters
    ----------
    config : CoreConfig
        With the cursor buffer.
    images : dict of Memory to sequence of int, or None
        Initial words of ``rows``, ``weights`` and ``links``. All 0 with None.

    Members
    -------
    i : In(stream.Signature(config.source_bits))
        Sources that have spiked in the current tick.
    tick : In(config.tick_bits)
    start : In(1)
        ``tick`` becomes the current tick. Allowed while ``idle``.
    o : Out(stream.Signature(synapse(config)))
        What is due in ``delay`` ticks after the current one: from 1 to ``config.slots - 1``.
    lost : Out(1)
        A spike is lost in this cycle.
    idle : Out(1)
        All work of the current tick is done but what ``i`` may still bring. Combinational; from
        the cycle after ``start`` on.
    group, look, busy
        In which ticks synapses may be sent without a spike in them: as of `CursorWheel`.
    clear : In(1)
        Forget all spikes, in ``clear_cycles`` cycles from the next on; ``idle`` is 0 meanwhile.
        Allowed while ``idle``.
    load : In(LoadSignature(config))
        Writes the memories, while ``idle``.
    faults : Out(faults())
        Bad words that were used in this cycle. There if words are protected.
    """

    latency = 6  # cycles from an accepted source to its first synapse, if that's due soon
    stretch_cycles = 1  # for each stretch of a row that is sent at once, beside its synapses
    slot_cycles = 3  # from the start of a tick until it's known that no cursor is due

    def __init__(self, *, config, images=None):
        self._config = config
        self._images = {} if images is None else images
        self._wheel = CursorWheel(config=config)
        self._walk = RowWalk(config=config, images=images)
        super().__init__({
            **wheel_ports(config),
            "i": In(stream.Signature(config.source_bits)),
            "o": Out(stream.Signature(synapse(config))),
            "lost": Out(1),
            "idle": Out(1),
            "load": In(LoadSignature(config)),
            **({"faults": Out(faults())} if config.protection != "none" else {}),
        })

    def memory_places(self):
        """Return the storages of each memory: names and depths. As of `RowFetch`."""
        paths = {Memory.ROWS: ("rows",), Memory.WEIGHTS: ("walk", "weights"),
                 Memory.LINKS: ("walk", "links")}
        return {memory: [(path, memory_depth(self._config, memory))]
                for memory, path in paths.items()}

    @property
    def clear_cycles(self):
        """Cycles that ``clear`` takes."""
        return self._wheel.clear_cycles

    def _rows(self, m):
        """Look up rows.

        Returns a stream of those that aren't empty, whether there's none, and the word that is
        read, `Checked`.
        """
        config = self._config
        rows = loaded_memory(m, config, Memory.ROWS, self.load, self._images)
        found = stream.Signature(cursor_row(config)).create()
        row = checked(m, config, Memory.ROWS, rows.data)  # one that is bad is empty
        read, held = Signal(), Signal()
        m.d.comb += [
            self.i.ready.eq(~read | ~held),
            rows.en.eq(self.i.ready),
            rows.addr.eq(self.i.payload),
            found.valid.eq(held & (found.p.delay != 0)),
        ]
        with m.If(self.i.ready):
            m.d.sync += read.eq(self.i.valid)
        with m.If(~held):
            m.d.sync += [held.eq(read), found.payload.eq(row.value)]
        with m.Elif(found.ready | ~found.valid):
            m.d.sync += held.eq(0)
        if config.protection != "none":
            row = row.when(read & ~held)
        return found, ~read & ~held, row

    def _choose(self, m, found):
        """Take a cursor from the wheel, or a spare one for a new spike, on to the walk.

        Returns whether there's one.
        """
        config, wheel, walk = self._config, self._wheel, self._walk
        spare = Signal()
        chosen = Signal(waiting(config))
        first = Signal(config.delay_bits)  # of a new spike: the delay of its first synapse
        valid, new = Signal(), Signal()
        m.d.comb += [
            wheel.o.ready.eq(~valid),
            spare.eq(wheel.spare & ~wheel.popping),
            found.ready.eq(~valid & spare | self.lost),
            wheel.take.eq(found.valid & ~valid & spare),
        ]
        with m.If(walk.i.ready):
            m.d.sync += valid.eq(0)
        with m.If(~valid):
            m.d.sync += [valid.eq(wheel.o.valid | wheel.take), new.eq(wheel.take)]
            with m.If(wheel.o.valid):
                m.d.sync += chosen.eq(wheel.o.p)
            with m.Else():
                m.d.sync += [
                    chosen.pointer.eq(found.p.pointer),
                    chosen.cursor.eq(wheel.spare_cursor),
                    first.eq(found.p.delay),
                ]
        left, away = Signal(config.lap_bits), Signal(config.delay_bits)
        m.d.comb += [
            left.eq(chosen.lap - wheel.lap),
            walk.i.valid.eq(valid),
            walk.i.p.pointer.eq(chosen.pointer),
            walk.i.p.cursor.eq(chosen.cursor),
            away.eq(Mux(new, first, distance(wheel, chosen, left))),
            walk.i.p.delay.eq(away),
            walk.i.p.far.eq(away[NEAR:].any() | (away[:NEAR] >= wheel.limit)),
        ]
        return valid

    def elaborate(self, platform):
        m = Module()
        m.submodules.wheel = wheel = self._wheel
        m.submodules.walk = walk = self._walk
        found, unread, row = self._rows(m)
        chosen = self._choose(m, found)
        wiring.connect(m, walk.o, wiring.flipped(self.o))
        m.d.comb += [
            *command(self, wheel),
            *(getattr(walk.load, name).eq(getattr(self.load, name))
              for name in self.load.signature.members),
            *(getattr(wheel, name).eq(getattr(walk, name)) for name in (
                "put", "put_last", "put_pointer", "put_delay", "put_cursor")),
            self.lost.eq(found.valid & wheel.empty & wheel.idle & walk.idle & ~chosen),
            self.idle.eq(unread & ~chosen & wheel.idle & walk.idle),
        ]
        if self._config.protection != "none":
            m.d.comb += [
                self.faults[name].eq(walk.faults[name] + getattr(row, name)) for name in BAD_WORDS]
        return m
