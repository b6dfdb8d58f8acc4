"""Walks along rows: streams a stretch of a row's synapses, up to where its next one is far off."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .checked import checked, tell
from .payloads import LoadSignature, Memory, cursor_index, cursor_link, faults, synapse
from .rows import loaded_memory

__all__ = ["RowWalk"]


class RowWalk(wiring.Component):
    """Streams the synapses from a cursor's on, one per cycle, up to the end of their stretch.

    A stretch takes a cycle more than it has synapses. Cursors that are far away pass through.

    Parameters
    ----------
    config : CoreConfig
        With the cursor buffer.
    images : dict of Memory to sequence of int, or None
        Initial words of ``weights`` and ``links``. All 0 with None.

    Members
    -------
    i : In(stream.Signature(data.StructLayout))
        ``cursor``, its ``pointer``, how many ticks the synapse's arrival is away (``delay``), and
        whether that's too ``far`` for the ring.
    o : Out(stream.Signature(synapse(config)))
    put : Out(1)
        The stretch is over, or the cursor was far away. Not in two cycles in a row, nor held up
        by ``o``. The rest tells what became of the cursor.
    put_last : Out(1)
        That was the end of the row.
    put_pointer, put_delay, put_cursor : Out
        The row's next synapse, the ticks to its arrival, and the cursor. ``put_delay`` is an adder.
    idle : Out(1)
        No cursor is on its way. Combinational.
    load : In(LoadSignature(config))
        Writes the memories, while ``idle``.
    faults : Out(faults())
        Bad words that were used in this cycle. There if words are protected.
    """

    def __init__(self, *, config, images=None):
        self._config = config
        self._images = {} if images is None else images
        super().__init__({
            "i": In(stream.Signature(data.StructLayout({
                "pointer": config.pointer_bits, "delay": config.delay_bits,
                "cursor": cursor_index(config), "far": 1}))),
            "o": Out(stream.Signature(synapse(config))),
            "put": Out(1),
            "put_last": Out(1),
            "put_pointer": Out(config.pointer_bits),
            "put_delay": Out(config.delay_bits),
            "put_cursor": Out(cursor_index(config)),
            "idle": Out(1),
            "load": In(LoadSignature(config)),
            **({"faults": Out(faults())} if config.protection != "none" else {}),
        })

    def elaborate(self, platform):
        m = Module()
        config = self._config
        weights, links = (loaded_memory(m, config, memory, self.load, self._images)
                          for memory in (Memory.WEIGHTS, Memory.LINKS))
        weight = checked(m, config, Memory.WEIGHTS, weights.data)
        link_word = checked(m, config, Memory.LINKS, links.data)
        link = data.View(cursor_link(config), link_word.value)
        advance, ending = Signal(), Signal()
        m.d.comb += [
            advance.eq(~self.o.valid | self.o.ready),
            weights.en.eq(advance),
            links.en.eq(advance),
        ]

        # Addressing: the synapse after a stretch's last is read, too, and thrown away.
        addressing = Signal()
        begins = Signal()
        far = Signal()
        pointer = Signal(config.pointer_bits)
        cursor = Signal.like(self.i.p.cursor)
        distance = Signal.like(self.i.p.delay)
        m.d.comb += [
            weights.addr.eq(pointer),
            links.addr.eq(pointer),
            self.i.ready.eq(advance & (~addressing | ending)),
        ]
        with m.If(advance):
            m.d.sync += [pointer.eq(pointer + ~far), begins.eq(0)]
            with m.If(~addressing | ending):
                m.d.sync += [
                    addressing.eq(self.i.valid),
                    begins.eq(1),
                    pointer.eq(self.i.p.pointer),
                    far.eq(self.i.p.far),
                    cursor.eq(self.i.p.cursor),
                    distance.eq(self.i.p.delay),
                ]

        # Reading: the word is there.
        reading = Signal()
        read_begins = Signal()
        read_far = Signal()
        m.d.comb += ending.eq(reading & (link.end | read_far))
        with m.If(advance):
            m.d.sync += [
                reading.eq(addressing & ~ending),
                read_begins.eq(begins),
                read_far.eq(far),
            ]

        self._send(m, advance, weight.value, link, reading, read_begins, read_far, distance)
        m.d.sync += self.put.eq(ending & advance)
        with m.If(ending & advance):
            # The synapse that was to be thrown away is the cursor's next one.
            m.d.sync += [self.put_pointer.eq(pointer), self.put_cursor.eq(cursor)]
        m.d.comb += self.idle.eq(~(addressing | reading | self.o.valid | self.put))
        if config.protection != "none":
            with m.If(advance & reading & ~read_far):
                m.d.comb += tell(self.faults, (weight, link_word))
                with m.If(link_word.detected):  # nobody knows where it goes
                    m.d.sync += self.o.valid.eq(0)
        return m

    def _send(self, m, advance, weight, link, reading, begins, far, distance):
        """Sends a synapse that was read. The distance to the next is added from registers alone."""
        delay, gap = Signal(self._config.delay_bits), Signal(self._config.gap_bits)
        sent_far = Signal()
        m.d.comb += [self.o.p.delay.eq(delay), self.put_delay.eq(delay + gap)]
        with m.If(advance):
            m.d.sync += [
                self.o.valid.eq(reading & ~far),
                self.o.p.target.eq(link.target),
                self.o.p.weight.eq(weight),
                gap.eq(link.gap),
                delay.eq(Mux(begins, distance, self.put_delay)),
                sent_far.eq(far),
            ]
            with m.If(far):
                m.d.sync += gap.eq(0)
        m.d.comb += self.put_last.eq((gap == 0) & ~sent_far)
