"""What is proven of `DelayRing`."""

from amaranth.hdl import Mux, Signal, signed
from amaranth.lib import data

from ..fixed import saturate
from ..payloads import synapse
from ..ring import SUM_LATENCY, DelayRing
from .memories import word_of
from .slots import claim_marks
from .spec import Spec, before

__all__ = ["sums_kept"]


def sums_kept(*, config):
    """A neuron is due in the ticks of its arrivals alone, with the saturated sum of all of them."""
    unit = DelayRing(config=config)
    spec = Spec(unit)
    _assume_surroundings(spec, config)
    sums = _OneSum(spec, config)
    sums.claim_way()
    sums.claim_words()
    return spec.m


def _assume_surroundings(spec, config):
    """Let events and commands come as a bank gives them."""
    unit = spec.inside.unit
    spec.assume_stream(unit.i)
    spec.assume(~unit.i.valid | ((unit.i.p.delay != 0) & (unit.i.p.target < config.bank_neurons)))
    spec.assume(~(unit.start | unit.clear) | ~unit.i.valid)
    spec.assume(unit.idle | ~(unit.start | unit.look | unit.clear))
    spec.assume(~unit.look | ~(unit.start | unit.clear))
    spec.assume(~unit.clear | ~unit.start)
    spec.assume(~(unit.start & unit.expected)
                | (unit.foreseen & (unit.tick[: len(unit.next)] == unit.next)))
    if "wakes" in unit.signature.members:
        looks = unit.wakes
        slot_bits = (config.wheel_sizes[1] - 1).bit_length()
        now = (looks.p.slot ^ spec.inside.signal("tick"))[:slot_bits] == 0
        spec.assume_stream(looks)
        spec.assume(~looks.valid | ((looks.p.neuron < config.bank_neurons) & ~now))
        spec.assume(~(unit.start | unit.clear) | ~looks.valid)


class _OneSum:
    """The arrivals of any one neuron in any one slot, on their way into its accumulator."""

    def __init__(self, spec, config):
        self._spec, self._config = spec, config
        unit, m = spec.inside.unit, spec.m
        self._view, self._marked, self._due, self._tick = claim_marks(spec.part("marks"))
        spec.assume(self._view.kind == 0)
        self._slot = self._view.slot[: (config.slots - 1).bit_length()]
        # What was accepted for it since its slot was started: at all, and in sum. Up to the port,
        # to the buffer's end, and to the marks.
        inside, buffer = spec.inside, spec.inside.part("buffer").unit
        marks = inside.part("marks").unit
        self._event = data.StructLayout({
            "slot": len(marks.slot), "target": config.local_bits,
            "weight": signed(config.weight_bits)})(inside.signal("event"))
        self._mine = self._in_slot(self._event.slot) & (self._event.target == self._view.neuron)
        marked = Signal()
        m.d.comb += marked.eq(marks.i.valid & marks.i.ready & (marks.i.p.kind == 0))
        self._entering = marked & self._mine
        left = buffer.o.valid & buffer.o.ready
        self.accepted = self._count("accepted", unit.i.valid & unit.i.ready, unit.i.p)
        self.passed = self._count("passed", left, buffer.o.p)
        self.entered = self._total("entered", self._entering, self._event.weight)
        self._owed, self._owed_sum = Signal(), Signal(signed(config.sum_bits))
        with m.If(unit.start & self._in_slot(unit.tick)):
            any_one, total = self.accepted
            m.d.sync += [self._owed.eq(any_one), self._owed_sum.eq(total)]
        with m.If(self._handed & unit.o.ready):
            m.d.sync += self._owed.eq(0)

    def _in_slot(self, slot):
        return slot[: len(self._slot)] == self._slot

    @property
    def _handed(self):
        word = self._spec.inside.unit.o
        return (word.valid & word.p.arrival & (word.p.neuron == self._view.neuron)
                & self._in_slot(self._tick))

    def _is_mine(self, word):
        return (word.target == self._view.neuron) & self._in_slot(self._tick + word.delay)

    def _add(self, total, weight):
        """Return a sum with a weight more, saturated: what that is, `saturates` proves."""
        return saturate(self._spec.m, total + weight, self._config.sum_bits)[0]

    def _total(self, name, more, weight):
        """Return whether any event of its passed a place, and the sum of those that have."""
        m, unit = self._spec.m, self._spec.inside.unit
        any_one = Signal(name=f"any_{name}")
        total = Signal(signed(self._config.sum_bits), name=f"sum_{name}")
        with m.If(more):
            m.d.sync += [any_one.eq(1), total.eq(self._add(total, weight))]
        with m.If(unit.clear | (unit.start & self._in_slot(unit.tick))):
            m.d.sync += [any_one.eq(0), total.eq(0)]
        return any_one, total

    def _count(self, name, passes, word):
        return self._total(name, passes & self._is_mine(word), word.weight)

    def _with(self, place, there, weight):
        """Return what a place has seen once it has seen an event, too."""
        any_one, total = place
        return any_one | there, Mux(there, self._add(total, weight), total)

    def claim_way(self):
        """Nothing is lost, doubled or overtaken up to the marks."""
        spec = self._spec
        inside, unit = spec.inside, spec.inside.unit
        part = inside.part("buffer")
        buffer, spared = part.unit, part.signal("spared")
        spare = synapse(self._config)(part.signal("spare"))
        waiting, event = inside.signal("waiting"), self._event
        spec.claim(inside.signal("tick")[: len(self._tick)] == self._tick)
        spec.claim(~spared | buffer.o.valid)
        for there, word in ((buffer.o.valid, buffer.o.p), (spared, spare)):
            spec.claim(~there | ((word.delay != 0) & (word.target < self._config.bank_neurons)))
        first = self._with(self.passed, buffer.o.valid & self._is_mine(buffer.o.p),
                           buffer.o.p.weight)
        both = self._with(first, spared & self._is_mine(spare), spare.weight)
        passed = self._with(self.entered, waiting & self._mine, event.weight)
        for (any_one, total), (there, true) in ((self.accepted, both), (self.passed, passed)):
            spec.claim((any_one == there) & (total == true))
        spec.claim(self.entered[0] == self._marked)
        spec.claim(self._marked | (self.entered[1] == 0))
        spec.claim(~waiting | ((event.target < self._config.bank_neurons)
                               & (event.slot[: len(self._slot)] != self._tick[: len(self._slot)])))
        spec.claim(~unit.idle | (self.accepted[0] == self._marked))
        spec.claim(self._owed == self._due)
        spec.claim(~self._handed | self._owed)
        spec.claim(~unit.idle | ~self._owed)
        spec.claim_stream(unit.o)

    def claim_words(self):
        """The accumulator is what has entered, but for what is still on its way."""
        spec, m, unit = self._spec, self._spec.m, self._spec.inside.unit
        part, adding = spec.inside.part("sums"), spec.inside.signal("adding")
        address = Signal.like(part.unit.address, name="sum_address")
        m.d.comb += address.eq((self._view.neuron << len(self._slot)) | self._slot)
        stages = [part.unit.address, part.signal("second"), part.signal("third")]
        entering, known = self._past(self._entering), self._past(self._marked)
        stored = latest = word_of(part, address=address)
        for k, stage in reversed(list(enumerate(stages))):
            mine, then = entering[k], Signal(signed(self._config.sum_bits), name=f"then_{k}")
            weight = spec.inside.signal(f"weight_{k}").as_signed()
            m.d.comb += then.eq(Mux(mine, self._add(Mux(known[k], latest, 0), weight), latest))
            latest = then
            spec.claim(mine == (adding[k] & (stage == address)))
            spec.claim(~mine | ~self._in_slot(self._tick))
        spec.claim(~entering[2] | (part.unit.word == Mux(known[2], stored, 0)))
        spec.claim(~self._marked | (latest == self.entered[1]))
        spec.claim(~self._due | (latest == self._owed_sum))
        handed, owed = self._past(self._handed & unit.o.ready), self._past(self._owed_sum)
        for k in range(2):
            spec.claim(~handed[k] | (stored == owed[k]))
        spec.claim(~handed[1] | (stages[0] == address))
        spec.claim(~handed[-1] | (unit.sum == owed[-1]))

    def _past(self, value):
        """Return what a value was, 1 to `SUM_LATENCY` cycles before."""
        past = [value]
        for _ in range(SUM_LATENCY):
            past.append(before(self._spec.m, past[-1]))
        return past[1:]
