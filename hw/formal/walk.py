"""What is proven of `RowWalk`."""

from amaranth.hdl import Mux, Signal, Value, signed
from amaranth.lib import data

from ..payloads import cursor_link
from ..walk import RowWalk
from .spec import Spec, before

__all__ = ["claim_walk", "stretches_walked"]


def stretches_walked(*, config):
    """A cursor's stretch comes out once, in order and in time; what's put is the row's next one."""
    spec = Spec(RowWalk(config=config))
    claim_walk(spec, config)
    return spec.m


def claim_walk(spec, config):
    """Claim all that is true of a walk.

    Returns
    -------
    Walk
    """
    walk = Walk(spec, config)
    walk.follow()
    walk.claim_ports()
    walk.claim_way()
    return walk


class Walk:
    """The cursor that is walked, and the one that is accepted when its stretch ends.

    Members
    -------
    walked, next : Signal(data.StructLayout)
        As on ``i``. What is walked goes on with each synapse that comes out.
    held : Signal(range(3))
        How many of them are there.
    link : Signal(cursor_link(config))
        That of the synapse that is walked.
    """

    def __init__(self, spec, config):
        self._spec, self._config = spec, config
        m, unit = spec.m, spec.inside.unit
        self._payload = data.StructLayout({
            name: unit.i.p[name].shape() for name in ("pointer", "delay", "cursor", "far")})
        # The walk itself, the cursor behind it, and what's walked once this cycle is over.
        self.walked, self.next, self._then = (
            Signal(self._payload, name=name) for name in ("walked", "next", "then"))
        self.held, self._left = Signal(range(3)), Signal(range(3))  # how many, now and then
        self._new = Signal()  # a synapse is shown for the first time
        m.d.comb += self._new.eq(unit.o.valid & before(m, ~unit.o.valid | unit.o.ready))
        spec.assume(~unit.load.en | unit.idle)

    def _words(self, pointer):
        """Return a synapse's words: its weight's, and its link's."""
        link = Signal(cursor_link(self._config))
        weight = Signal(signed(self._config.weight_bits))
        self._spec.m.d.comb += [
            link.eq(self._spec.inside.word("links", address=pointer)),
            weight.eq(self._spec.inside.word("weights", address=pointer)),
        ]
        return weight, link

    def follow(self):
        """Let the ghosts walk as the row's words say."""
        m, unit, walked, then = self._spec.m, self._spec.inside.unit, self.walked, self._then
        self._ends = Signal()
        self._weight, self.link = self._words(walked.pointer)
        after, longer = Signal.like(walked.pointer), Signal.like(walked.delay)
        self._after, self._longer = after, longer
        # Words are looked up before it's known whose are next: a memory whose word is the address
        # of another one is a loop to Yosys.
        following, behind = self._words(after), self._words(self.next.pointer)
        self._words_then = [
            Mux(self._ends, last, Mux(self._new, later, now)) for now, later, last in zip(
                (Value.cast(self._weight), Value.cast(self.link)), map(Value.cast, following),
                map(Value.cast, behind), strict=True)]
        m.d.comb += [
            after.eq(walked.pointer + 1),
            longer.eq(walked.delay + self.link.gap),
            self._ends.eq(Mux(walked.far, unit.put, self._new & self.link.end)),
            self._left.eq(self.held - self._ends),
            then.eq(walked),
        ]
        with m.If(self._ends):
            m.d.comb += then.eq(self.next)
        with m.Elif(self._new):
            m.d.comb += [then.pointer.eq(after), then.delay.eq(longer)]
        accepted = unit.i.valid & unit.i.ready
        m.d.sync += [walked.eq(then), self.held.eq(self._left + accepted)]
        with m.If(accepted):
            m.d.sync += self.next.eq(unit.i.p)
            with m.If(self._left == 0):
                m.d.sync += walked.eq(unit.i.p)

    def claim_ports(self):
        """What is shown is the walked cursor's, and so is what is put."""
        spec, unit, walked, new = self._spec, self._spec.inside.unit, self.walked, self._new
        link, output = self.link, unit.o.p
        spec.claim(~(new | unit.put) | (self.held != 0))
        spec.claim(~new | ~walked.far)
        spec.claim(~new | ((output.target == link.target) & (output.weight == self._weight)
                           & (output.delay == walked.delay[: len(output.delay)])))
        spec.claim(unit.put == self._ends)
        spec.claim(~unit.put | (unit.put_cursor == walked.cursor))
        spec.claim(~unit.put | (unit.put_last == ~walked.far & (link.gap == 0)))
        spec.claim(~unit.put | (unit.put_pointer == Mux(walked.far, walked.pointer, self._after)))
        spec.claim(~unit.put | (unit.put_delay == Mux(walked.far, walked.delay, self._longer)))
        spec.claim(unit.idle == (self.held == 0) & ~unit.o.valid)
        spec.claim_stream(unit.o)
        # As the wheel takes what is put: a cycle later.
        put = before(spec.m, unit.put)
        spec.claim(~put | ~unit.put)
        for port in (unit.put_pointer, unit.put_cursor):
            spec.claim(~put | (port == before(spec.m, port)))
        # Nothing is kept waiting but by a stall: a stretch takes a cycle more than it has synapses.
        waits = Signal(range(4))  # cycles without a stall in which nothing came
        comes = new | unit.put | (self.held == 0)
        with spec.m.If(comes):
            spec.m.d.sync += waits.eq(0)
        with spec.m.Elif(~unit.o.valid | unit.o.ready):
            spec.m.d.sync += waits.eq(waits + 1)
        reading = spec.inside.signal("reading")
        spec.claim(comes | (waits <= reading))

    def claim_way(self):
        """Where the cursor is on its way, and that what was read is its synapse."""
        spec, unit, then, signal = (self._spec, self._spec.inside.unit, self._then,
                                    self._spec.inside.signal)
        addressing, reading, read_begins = (signal(name) for name in (
            "addressing", "reading", "read_begins"))
        pointer = (then.pointer + ~then.far)[: len(then.pointer)]
        starts = addressing & ~reading
        spec.claim(self._left == addressing)
        spec.claim(self.held <= 2)
        spec.claim(~reading | addressing & ~unit.put)
        spec.claim(~addressing | ((signal("cursor") == then.cursor) & (signal("far") == then.far)))
        spec.claim(~addressing | (signal("begins") == ~reading))
        spec.claim(~addressing | (signal("pointer") == Mux(reading, pointer, then.pointer)))
        spec.claim(~starts | (signal("distance") == then.delay))
        spec.claim(~reading | (signal("read_far") == then.far))
        for name, word in zip(("weights_word", "links_word"), self._words_then, strict=True):
            spec.claim(~reading | (signal(name) == word))
        spec.claim(~reading | (then.delay == Mux(read_begins, signal("distance"), unit.put_delay)))
        spec.claim(~reading | ~then.far | read_begins)
