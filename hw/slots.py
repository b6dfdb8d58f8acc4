"""A wheel of bitmaps: which neurons are marked in which slot."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

__all__ = ["CHUNK", "SlotMap"]

CHUNK_BITS = 6
CHUNK = 1 << CHUNK_BITS  # widest word of a bitmap, in bits


def _chunk(neuron):
    """Return which chunk holds ``neuron``, without bits if there is one chunk alone."""
    return neuron[CHUNK_BITS:]


def _lowest(m, word, name):
    """Return the index of the lowest bit that is set in ``word``."""
    index = Signal(range(max(2, len(word))), name=name)
    for k in reversed(range(len(word))):
        with m.If(word[k]):
            m.d.comb += index.eq(k)
    return index


class SlotMap(wiring.Component):
    """Marks neurons in slots of a wheel, and drains one slot at a time.

    A slot is a bitmap in chunks of at most 64 bits and a summary, a bit per chunk. A chunk whose
    summary bit is 0 counts as empty whatever its word holds, so draining and clearing write
    summaries alone. The mark of a neuron goes in at one per cycle, at any distance.

    Parameters
    ----------
    slots : int
        Slots of the wheel. A power of two.
    neurons : int
        Neurons per slot. At least 1.

    Members
    -------
    i : In(stream.Signature(data.StructLayout))
        ``slot`` and ``neuron`` to mark. Not accepted while a chunk is read, nor with ``start``.
    present : Out(1)
        Whether the mark that was accepted in the cycle before was there already.
    slot : In(range(slots))
    start : In(1)
        Drain ``slot``, from the next cycle on. Allowed while ``idle``, and then at every cycle.
    o : Out(stream.Signature(range(neurons)))
        The drained neurons, in ascending order.
    drained : Out(1)
        Nothing is left of the started slot. Combinational; it tells from the cycle after
        ``start`` on.
    idle : Out(1)
        ``drained``, and no mark is in flight. Combinational.
    clear : In(1)
        Forget all marks, in ``clear_cycles`` cycles from the next on; ``idle`` is 0 meanwhile.
        Allowed while ``idle``.
    """

    def __init__(self, *, slots, neurons):
        if slots < 2 or slots.bit_count() != 1:
            raise ValueError(f"Slots must be a power of two above 1, not {slots!r}")
        if neurons < 1:
            raise ValueError(f"Neurons of a slot must be at least 1, not {neurons!r}")
        self._slots = slots
        self._neurons = neurons
        self._neuron_bits = max(1, (neurons - 1).bit_length())
        slot_bits = slots.bit_length() - 1
        super().__init__({
            "i": In(stream.Signature(data.StructLayout({
                "slot": slot_bits, "neuron": self._neuron_bits}))),
            "present": Out(1),
            "slot": In(slot_bits),
            "start": In(1),
            "o": Out(stream.Signature(self._neuron_bits)),
            "drained": Out(1),
            "idle": Out(1),
            "clear": In(1),
        })

    @property
    def slots(self):
        return self._slots

    @property
    def neurons(self):
        return self._neurons

    @property
    def clear_cycles(self):
        """Cycles that ``clear`` takes."""
        return self.slots

    def _control(self, m, *, slot, left, chunk, pending, pending_chunk, reading, bits_read,
                 summary_read, summary_write):
        """Take the map through draining a slot, chunk by chunk, and through clearing."""
        found = Signal()
        sweep = Signal.like(self.slot)
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.drained.eq(1)
                with m.If(self.clear):
                    m.next = "CLEAR"
                with m.Elif(self.start):
                    m.d.sync += slot.eq(self.slot)
                    m.next = "CHECK"
            with m.State("CHECK"):
                m.d.comb += [found.eq(summary_read.data.any()), self.drained.eq(~found)]
                m.d.sync += left.eq(summary_read.data)
                with m.If(found):
                    m.d.comb += [
                        summary_write.en.eq(1),
                        summary_write.addr.eq(slot),
                        summary_write.data.eq(0),
                    ]
                    m.next = "READ"
                with m.Elif(self.clear):
                    m.next = "CLEAR"
                with m.Elif(self.start):
                    m.d.sync += slot.eq(self.slot)
                with m.Else():
                    m.next = "IDLE"
            with m.State("READ"):
                m.d.comb += reading.eq(1)
                m.d.sync += [left.eq(left & (left - 1)), pending_chunk.eq(chunk)]
                m.next = "TAKE"
            with m.State("TAKE"):
                m.d.sync += pending.eq(bits_read.data)
                m.next = "HAND"
            with m.State("HAND"):
                with m.If(~pending.any()):
                    with m.If(left.any()):
                        m.next = "READ"
                    with m.Else():
                        m.next = "IDLE"
            with m.State("CLEAR"):
                m.d.comb += [
                    summary_write.en.eq(1),
                    summary_write.addr.eq(sweep),
                    summary_write.data.eq(0),
                ]
                m.d.sync += sweep.eq(sweep + 1)
                with m.If(sweep == self.slots - 1):
                    m.next = "IDLE"

    def elaborate(self, platform):
        m = Module()
        chunks = -(-self.neurons // CHUNK)
        width = min(self.neurons, CHUNK)
        m.submodules.bits = bits = Memory(shape=width, depth=chunks * self.slots, init=[])
        m.submodules.summaries = summaries = Memory(shape=chunks, depth=self.slots, init=[])
        bits_write, summary_write = bits.write_port(), summaries.write_port()
        bits_read = bits.read_port(transparent_for=(bits_write,))
        summary_read = summaries.read_port(transparent_for=(summary_write,))

        marking = Signal()  # a mark is in its second cycle
        mark = Signal.like(self.i.payload)
        slot = Signal.like(self.slot)
        left = Signal(chunks)  # chunks of the slot that are still to be read
        chunk = _lowest(m, left, "chunk")
        pending = Signal(width)  # neurons of the chunk that are still to be handed over
        pending_chunk = Signal.like(chunk)
        neuron = _lowest(m, pending, "neuron")

        # First cycle of a mark: read its words. The slot to drain next is read all the time.
        reading = Signal()
        accepted = Signal()
        m.d.comb += [
            self.i.ready.eq(~reading & ~self.start),
            accepted.eq(self.i.valid & self.i.ready),
            summary_read.addr.eq(Mux(accepted, self.i.p.slot, self.slot)),
            bits_read.addr.eq(Mux(reading, Cat(slot, chunk),
                                  Cat(self.i.p.slot, _chunk(self.i.p.neuron)))),
            bits_read.en.eq(reading | accepted),
        ]
        m.d.sync += [marking.eq(accepted), mark.eq(self.i.payload)]

        # Second cycle of a mark: write them back with one bit more.
        one_chunk, one_bit = Signal(chunks), Signal(width)
        old = Signal(width)
        m.d.comb += [
            one_chunk.eq(Const(1) << _chunk(mark.neuron)),
            one_bit.eq(Const(1) << mark.neuron[:CHUNK_BITS]),
            old.eq(Mux((summary_read.data & one_chunk).any(), bits_read.data, 0)),
            self.present.eq((old & one_bit).any()),
            bits_write.en.eq(marking),
            bits_write.addr.eq(Cat(mark.slot, _chunk(mark.neuron))),
            bits_write.data.eq(old | one_bit),
            summary_write.en.eq(marking),
            summary_write.addr.eq(mark.slot),
            summary_write.data.eq(summary_read.data | one_chunk),
        ]

        m.d.comb += [
            self.o.valid.eq(pending.any()),
            self.o.payload.eq(Cat(neuron, pending_chunk) if chunks > 1 else neuron),
        ]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += pending.eq(pending & (pending - 1))

        m.d.comb += self.idle.eq(self.drained & ~marking)
        self._control(m, slot=slot, left=left, chunk=chunk, pending=pending,
                      pending_chunk=pending_chunk, reading=reading, bits_read=bits_read,
                      summary_read=summary_read, summary_write=summary_write)
        return m
