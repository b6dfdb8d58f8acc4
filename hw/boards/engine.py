"""Carries out the requests of a host on a core: docs/boards.md has the protocol."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..payloads import BUS_BITS, input_word, output_word
from ..registers import BusSignature
from .frames import Framing
from .output import POSITION_BITS, OutputBuffer
from .protocol import LARGEST, PROTOCOL, SHARE, Command, Status, fingerprint
from .uart import received

__all__ = ["Engine"]


class Engine(wiring.Component):
    """Answers each good request once, and acts on none that is damaged.

    It works on one request at a time, out of a buffer of 256 bytes, from which the core also takes
    its events. The core's output waits in another buffer; while that is full, the core waits.

    Parameters
    ----------
    config : CoreConfig
    patience : int
        Cycles that the words of a request may wait for the core in all, before it's answered
        without the rest, so that every request has its answer.

    Members
    -------
    rx : In(stream.Signature(received(), always_ready=True))
        Bytes from the host.
    tx : Out(stream.Signature(8))
        Bytes to the host.
    events : Out(stream.Signature(input_word(config)))
        To the core's ``i``.
    spikes : In(stream.Signature(output_word(config)))
        From the core's ``o``.
    bus : Out(BusSignature(config))
    reset : Out(1)
        Reset the core, in this cycle.

    Raises
    ------
    ValueError
        If a word of the core's streams has more than 32 bits, or there's no patience.
    """

    def __init__(self, *, config, patience=1 << 16):
        for name, layout in (("input", input_word(config)), ("output", output_word(config))):
            if layout.size > BUS_BITS:
                raise ValueError(f"An {name} word must fit {BUS_BITS} bits, not {layout.size}")
        if patience < 1:
            raise ValueError(f"Patience must be at least 1 cycle, not {patience!r}")
        self._config = config
        self._patience = patience
        super().__init__({
            "rx": In(stream.Signature(received(), always_ready=True)),
            "tx": Out(stream.Signature(8)),
            "events": Out(stream.Signature(input_word(config))),
            "spikes": In(stream.Signature(output_word(config))),
            "bus": Out(BusSignature(config)),
            "reset": Out(1),
        })

    def _units(self, m):
        """Make the units, and the registers that the states share."""
        m.submodules.framing = self._framing = framing = Framing()
        m.submodules.output = self._output = output = OutputBuffer(
            shape=output_word(self._config))
        wiring.connect(m, wiring.flipped(self.rx), framing.rx)
        wiring.connect(m, framing.tx, wiring.flipped(self.tx))
        wiring.connect(m, wiring.flipped(self.spikes), output.i)
        self._tag, self._command = Signal(8), Signal(Command)
        self._status = Signal(Status)
        self._filled = Signal(range(LARGEST + 2))  # bytes of the frame; later, where its words end
        self._next = Signal(range(LARGEST + 1))  # byte of the buffer
        self._word = Signal(BUS_BITS)  # that was in the request
        self._byte = Signal(2)  # of the word that comes in or goes out
        self._address = Signal(max(len(self.bus.address), POSITION_BITS))
        self._left = Signal(range(256))  # words that are still to be sent
        self._taken = Signal(POSITION_BITS)  # words of events
        self._damaged = Signal(8)  # frames
        self._waited = Signal(range(self._patience))  # cycles of this request
        m.d.comb += [
            output.at.eq(self._address),
            self.bus.address.eq(self._address),
            self.bus.w_data.eq(self._word),
        ]

    def _fill(self, m, busy):
        """Put a request's bytes into the buffer. Returns its read port, and the accepted signal."""
        framing, filled = self._framing, self._filled
        m.submodules.request = memory = Memory(shape=8, depth=LARGEST + 1, init=[])
        write, read = memory.write_port(), memory.read_port()
        accepted = Signal()
        m.d.comb += [
            framing.busy.eq(busy),
            write.addr.eq(filled),
            write.data.eq(framing.byte),
            write.en.eq(framing.strobe & (filled <= LARGEST)),
            read.addr.eq(self._next),
            accepted.eq(framing.end & framing.good & (filled >= 4)),
        ]
        with m.If(write.en):
            m.d.sync += filled.eq(filled + 1)
            with m.If(filled == 0):
                m.d.sync += self._tag.eq(framing.byte)
            with m.If(filled == 1):
                m.d.sync += Value.cast(self._command).eq(framing.byte)
        with m.If(framing.end & ~accepted):
            m.d.sync += self._damaged.eq(self._damaged + 1)
            with m.If(~busy):
                m.d.sync += filled.eq(0)
        return read, accepted

    def _refuse(self, status):
        return [self._status.eq(status), self._left.eq(0)]

    def _judge(self, m):
        """Judge command and length; go on with the request's words, or with the answer."""
        filled = self._filled
        fits = Signal()
        m.d.sync += [self._status.eq(Status.OK), self._left.eq(1), self._next.eq(2),
                     filled.eq(filled - 2), self._waited.eq(0)]
        m.next = "FETCH"
        with m.Switch(self._command):
            with m.Case(Command.PING):
                m.d.comb += fits.eq(filled == 4)
                m.d.sync += self._left.eq(2)
                m.next = "TAG"
            with m.Case(Command.RESET):
                m.d.comb += [fits.eq(filled == 4), self.reset.eq(fits)]
                m.next = "TAG"
            with m.Case(Command.READ):
                m.d.comb += fits.eq(filled == 12)
            with m.Case(Command.OUTPUT):
                m.d.comb += fits.eq(filled == 8)
            with m.Case(Command.WRITE, Command.EVENTS):
                m.d.comb += fits.eq((filled[:2] == 0) & (filled >= 8) & (filled <= LARGEST))
            with m.Default():
                m.d.comb += fits.eq(1)
                m.d.sync += self._refuse(Status.UNKNOWN)
                m.next = "TAG"
        with m.If(~fits):
            m.d.sync += self._refuse(Status.LENGTH)
            m.next = "TAG"

    def _fetch(self, m, read, argued):
        """Bring the next four bytes of the buffer into the word."""
        there = Signal()  # the byte asked for in the cycle before
        m.d.sync += there.eq(~there)
        with m.If(there):
            m.d.sync += [
                self._word.eq(Cat(self._word[8:], read.data)),
                self._next.eq(self._next + 1),
                self._byte.eq(self._byte + 1),
            ]
            with m.If(self._byte == 3):
                m.next = "ARGUMENT"
                with m.If(argued):
                    m.next = "WORD"

    def _argument(self, m, ended):
        """Act on the first word of a request."""
        m.d.sync += self._address.eq(self._word)
        m.next = "FETCH"
        with m.If(ended | ((self._command == Command.EVENTS)
                           & (self._word[:POSITION_BITS] != self._taken))):
            m.next = "TAG"
        with m.If(self._command == Command.OUTPUT):
            m.next = "RELEASE"

    def _release(self, m):
        """Release the output that the host has; as much as an answer may have of the rest is it."""
        output = self._output
        there = Signal(POSITION_BITS)
        m.d.comb += [output.release.eq(output.held), there.eq(output.end - output.at)]
        m.d.sync += self._left.eq(Mux(there >= SHARE, SHARE, there))
        with m.If(~output.held):
            m.d.sync += self._refuse(Status.POSITION)
        m.next = "TAG"

    def _use(self, m, ended):
        """Act on a further word of a request."""
        waited, free, stuck = self._waited, Signal(), Signal()
        m.d.comb += [
            free.eq(~self.events.valid | self.events.ready),
            stuck.eq((self.spikes.valid & ~self.spikes.ready) | (waited == self._patience - 1)),
        ]
        m.next = "FETCH"
        with m.If(ended):
            m.next = "TAG"
        with m.Switch(self._command):
            with m.Case(Command.READ):
                m.d.sync += self._left.eq(self._word)
            with m.Case(Command.WRITE):
                m.d.comb += self.bus.w_en.eq(1)
                m.d.sync += self._address.eq(self._address + 1)
            with m.Case(Command.EVENTS):
                with m.If(free):
                    m.d.sync += [
                        Value.cast(self.events.payload).eq(self._word),
                        self.events.valid.eq(1),
                        self._taken.eq(self._taken + 1),
                    ]
                with m.Else():
                    m.next = "TAG"
                    with m.If(~stuck):
                        m.d.sync += waited.eq(waited + 1)
                        m.next = "WORD"

    def _source(self, m):
        """Return the word that goes out next."""
        word = Signal(BUS_BITS)
        state = Cat(Const(PROTOCOL, 8), self._damaged, self._taken, self._output.first)
        with m.Switch(self._command):
            with m.Case(Command.READ):
                m.d.comb += word.eq(self.bus.r_data)
            with m.Case(Command.OUTPUT):
                m.d.comb += word.eq(self._output.word)
            with m.Default():
                m.d.comb += word.eq(state)
                with m.If((self._command == Command.PING) & (self._left == 1)):
                    m.d.comb += word.eq(fingerprint(self._config))
        return word

    def _answer(self, m, word):
        """Send tag, status and words, ``word`` the next of them."""
        answer, last_word = self._framing.i, self._left == 1
        with m.State("TAG"):
            m.d.comb += [answer.p.data.eq(self._tag), answer.valid.eq(1)]
            with m.If(answer.ready):
                m.next = "STATUS"
        with m.State("STATUS"):
            m.d.comb += [
                answer.p.data.eq(self._status),
                answer.p.last.eq(self._left == 0),
                answer.valid.eq(1),
            ]
            with m.If(answer.ready):
                m.next = "LOAD"
                with m.If(answer.p.last):
                    m.next = "CLOSE"
        with m.State("LOAD"):
            m.d.comb += self.bus.r_en.eq(self._command == Command.READ)
            m.next = "SEND"
        with m.State("SEND"):
            m.d.comb += [
                answer.p.data.eq(word.word_select(self._byte, 8)),
                answer.p.last.eq(last_word & (self._byte == 3)),
                answer.valid.eq(1),
            ]
            with m.If(answer.ready):
                m.d.sync += self._byte.eq(self._byte + 1)
                with m.If(self._byte == 3):
                    m.d.sync += [self._left.eq(self._left - 1),
                                 self._address.eq(self._address + 1)]
                    m.next = "LOAD"
                with m.If(answer.p.last):
                    m.next = "CLOSE"

    def elaborate(self, platform):
        m = Module()
        self._units(m)
        busy, argued, ended = Signal(), Signal(), Signal()
        read, accepted = self._fill(m, busy)
        source = self._source(m)
        m.d.comb += ended.eq(self._next == self._filled)
        with m.If(self.events.ready):
            m.d.sync += self.events.valid.eq(0)
        with m.FSM(name="engine") as engine:
            m.d.comb += busy.eq(~engine.ongoing("RECEIVE"))
            with m.State("RECEIVE"):
                with m.If(accepted):
                    m.next = "JUDGE"
            with m.State("JUDGE"):
                m.d.sync += argued.eq(0)
                self._judge(m)
            with m.State("FETCH"):
                self._fetch(m, read, argued)
            with m.State("ARGUMENT"):
                m.d.sync += argued.eq(1)
                self._argument(m, ended)
            with m.State("RELEASE"):
                self._release(m)
            with m.State("WORD"):
                self._use(m, ended)
            self._answer(m, source)
            with m.State("CLOSE"):
                m.d.sync += self._filled.eq(0)
                with m.If(self._framing.idle):
                    m.next = "RECEIVE"
        m.d.comb += self._output.clear.eq(self.reset)
        with m.If(self.reset):
            m.d.sync += [self._taken.eq(0), self.events.valid.eq(0)]
        return m
