"""What is due next, read before its tick begins."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .lowest import lowest

__all__ = ["ReadAhead"]


class ReadAhead(wiring.Component):
    """Reads the first chunk of marks of the slot that is probably drained next.

    It reads in cycles in which nobody else needs the memories of a `SlotMap`: the slot's word of
    chunks, of the first kind that has any, then the neurons of the lowest one, which it leaves to
    its user.

    Parameters
    ----------
    slot_bits, kinds, chunks : int
        Width of a slot; kinds of marks, 1 or 2; chunks of a slot.

    Members
    -------
    coming : In(slot_bits)
        The slot. If it changes, all is read anew.
    foreseen : In(1)
        There's one.
    spare : In(1)
        The memories may be read in this cycle. Not if anything in them changes.
    aim : Out(slot_bits)
        The slot of which something was read.
    room : In(1)
        There's room for the neurons: from their read to ``ready``, and on.
    upset : In(1)
        What ``aim`` has has changed in the cycle before, or it's drained: all is read anew.
    read : Out(1)
        If it's ``spare``: the slot's chunks of ``kind`` are read, or the neurons of its ``first``
        one.
    kind : Out(1)
    first : Out(range(chunks))
    seen : In(chunks)
        What the memory had, 2 cycles later.
    load : Out(1)
        So are the neurons, in this cycle.
    ready : Out(1)
        The first chunk of ``coming`` is ``first``, of ``kind``, and its neurons are loaded.
    """

    def __init__(self, *, slot_bits, kinds, chunks):
        self._kinds = kinds
        super().__init__({
            "coming": In(slot_bits),
            "foreseen": In(1),
            "spare": In(1),
            "aim": Out(slot_bits),
            "room": In(1),
            "upset": In(1),
            "read": Out(1),
            "kind": Out(1),
            "first": Out(range(max(2, chunks))),
            "seen": In(chunks),
            "load": Out(1),
            "ready": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        sent = Signal(2)  # a word was read a cycle ago, or two
        same = Signal()
        m.d.comb += same.eq(self.foreseen & (self.coming == self.aim))
        m.d.sync += sent.eq(Cat(self.read & self.spare, sent))
        with m.FSM():
            with m.State("AIM"):
                # What was read for another slot has passed before this one's comes.
                m.d.comb += self.read.eq(self.foreseen & (sent == 0))
                m.d.sync += self.aim.eq(self.coming)
                with m.If(self.read & self.spare):
                    m.next = "FIND"
            with m.State("FIND"):
                m.d.sync += self.first.eq(lowest(m, self.seen, "lowest_chunk"))
                with m.If(self.upset | ~same):
                    m.next = "AIM"
                with m.Elif(sent[1] & self.seen.any()):
                    m.next = "READ"
                with m.Elif(sent[1] & (self.kind == self._kinds - 1)):
                    m.next = "NONE"
                with m.Elif(sent[1]):
                    m.d.sync += self.kind.eq(1)
                    m.next = "AGAIN"
            for state, follows in (("AGAIN", "FIND"), ("READ", "KEEP")):
                with m.State(state):
                    m.d.comb += self.read.eq(self.room if state == "READ" else 1)
                    with m.If(self.upset | ~same):
                        m.next = "AIM"
                    with m.Elif(self.read & self.spare):
                        m.next = follows
            with m.State("KEEP"):
                m.d.comb += self.load.eq(sent[1])
                with m.If(self.upset | ~same):
                    m.next = "AIM"
                with m.Elif(sent[1]):
                    m.next = "HOLD"
            with m.State("HOLD"):
                m.d.comb += self.ready.eq(same)
                with m.If(self.upset | ~same):
                    m.next = "AIM"
            with m.State("NONE"):
                with m.If(self.upset | ~same):
                    m.next = "AIM"
        with m.If(self.upset | ~same):
            m.d.sync += self.kind.eq(0)
        return m
