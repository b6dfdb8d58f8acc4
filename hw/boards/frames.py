"""Takes frames from a stream of bytes and makes frames of answers, one at a time."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .protocol import CRC, ESCAPE, FLAG, FLIP, special
from .uart import received

__all__ = ["Framing", "answer_byte"]


def answer_byte():
    """Return the layout of a byte of an answer; ``last`` ends it."""
    return data.StructLayout({"data": 8, "last": 1})


class Framing(wiring.Component):
    """Receives requests and sends answers, never both at once: they share a CRC.

    Members
    -------
    rx : In(stream.Signature(received(), always_ready=True))
        From the line.
    tx : Out(stream.Signature(8))
        To the line.
    busy : In(1)
        A request is worked on. What is received meanwhile is lost, and its frame damaged.
    strobe, byte : Out(1), Out(8)
        A byte of a frame, its CRC's two bytes included. Whether it can be believed isn't known yet.
    end, good : Out(1), Out(1)
        A frame ends. It's ``good`` if its CRC is right and nothing of it was lost. Two flags in a
        row are no frame.
    i : In(stream.Signature(answer_byte()))
        An answer, while ``busy``.
    idle : Out(1)
        The flag that closes the answer is on its way: nothing but the line's transmitter has it.
    """

    def __init__(self):
        super().__init__({
            "rx": In(stream.Signature(received(), always_ready=True)),
            "tx": Out(stream.Signature(8)),
            "busy": In(1),
            "strobe": Out(1),
            "byte": Out(8),
            "end": Out(1),
            "good": Out(1),
            "i": In(stream.Signature(answer_byte())),
            "idle": Out(1),
        })

    def _receive(self, m, crc):
        code = self.rx.p.data
        begun, escaped, damaged = Signal(), Signal(), Signal()
        m.d.comb += self.byte.eq(code ^ Mux(escaped, FLIP, 0))
        with m.If(self.rx.valid):
            with m.If(self.rx.p.broken):
                m.d.sync += damaged.eq(1)
            with m.Elif(code == FLAG):
                m.d.comb += [
                    self.end.eq(begun | damaged | escaped),
                    self.good.eq(begun & ~damaged & ~escaped & ~self.busy & crc.match_detected),
                    crc.start.eq(~self.busy),
                ]
                m.d.sync += [begun.eq(0), damaged.eq(0), escaped.eq(0)]
            with m.Elif(self.busy):
                m.d.sync += damaged.eq(1)
            with m.Elif((code == ESCAPE) & ~escaped):
                m.d.sync += escaped.eq(1)
            with m.Else():
                m.d.comb += [self.strobe.eq(1), crc.data.eq(self.byte), crc.valid.eq(1)]
                m.d.sync += [begun.eq(1), escaped.eq(0)]

    def _send(self, m, crc):
        code, flipped, moved = Signal(8), Signal(), Signal()
        m.d.comb += self.tx.payload.eq(
            Mux(special(code) & ~flipped, ESCAPE, code ^ Mux(flipped, FLIP, 0)))
        with m.If(self.tx.valid & self.tx.ready):
            m.d.sync += flipped.eq(special(code) & ~flipped)
            m.d.comb += moved.eq(flipped | ~special(code))
        with m.FSM(name="sender") as sender:
            m.d.comb += self.idle.eq(sender.ongoing("OPEN") & ~self.i.valid)
            with m.State("OPEN"):
                m.d.comb += self.tx.payload.eq(FLAG)
                with m.If(self.i.valid):
                    m.d.comb += [self.tx.valid.eq(1), crc.start.eq(1)]
                    with m.If(self.tx.ready):
                        m.next = "BODY"
            with m.State("BODY"):
                m.d.comb += [
                    code.eq(self.i.p.data),
                    self.tx.valid.eq(self.i.valid),
                    self.i.ready.eq(moved),
                ]
                with m.If(moved):
                    m.d.comb += [crc.data.eq(code), crc.valid.eq(1)]
                    with m.If(self.i.p.last):
                        m.next = "CRC_LOW"
            with m.State("CRC_LOW"):
                m.d.comb += [code.eq(crc.crc[:8]), self.tx.valid.eq(1)]
                with m.If(moved):
                    m.next = "CRC_HIGH"
            with m.State("CRC_HIGH"):
                m.d.comb += [code.eq(crc.crc[8:]), self.tx.valid.eq(1)]
                with m.If(moved):
                    m.next = "CLOSE"
            with m.State("CLOSE"):
                m.d.comb += [self.tx.payload.eq(FLAG), self.tx.valid.eq(1)]
                with m.If(self.tx.ready):
                    m.next = "OPEN"

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = crc = CRC.create()
        self._receive(m, crc)
        self._send(m, crc)
        return m
