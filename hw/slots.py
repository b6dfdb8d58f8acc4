"""A wheel of bitmaps: which neurons are marked in which slot."""

from types import SimpleNamespace

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..model.sizes import FEWEST_SLOTS, chunk_bits
from .ahead import ReadAhead
from .lowest import lowest
from .payloads import GROUP, GROUP_BITS
from .updated import UpdatedMemory

__all__ = ["SlotMap"]


class SlotMap(wiring.Component):
    """Marks neurons in slots of a wheel, and drains one slot at a time.

    There are several kinds of marks, each with a wheel of its own size, and one drain: it hands
    out the neurons of one kind after those of another. Marks are kept as a tree: a bit per neuron
    in chunks, a bit per chunk, and a bit per slot for all kinds together. A mark goes in at one
    per cycle, at any distance, unless the drain needs the memories.

    Parameters
    ----------
    sizes : tuple of int
        Slots of each kind's wheel. One or two powers of two above 1.
    neurons : int
        Neurons per slot. At least 1.

    Members
    -------
    i : In(stream.Signature(data.StructLayout))
        ``kind``, ``slot`` (modulo ``slots``) and ``neuron`` to mark.
    marked : Out(1)
        The mark that was accepted two cycles before goes in now.
    present : Out(1)
        With ``marked``: it was there already.
    slot : In(range(slots))
    start : In(1)
        Drain ``slot``. Allowed while ``idle``, and without a mark.
    next : In(range(slots))
        The slot that is probably drained next, if it's ``foreseen``.
    foreseen : In(1)
    expected : In(1)
        With ``start``: ``slot`` is ``next``. If it was for some cycles, its first neurons are
        there in the next one.
    o : Out(stream.Signature(data.StructLayout))
        The drained neurons, each with its ``kind``, in ascending order of both.
    drained : Out(1)
        Nothing is left of the started slot. Combinational; it tells from the cycle after
        ``start`` on.
    idle : Out(1)
        ``drained``, and no mark is in flight. Combinational.
    group : In(range(slots // GROUP))
    look : In(1)
        Let ``busy`` be that of ``group``, 3 cycles later. Allowed while ``idle``, and without
        ``start`` or a mark; in the next two cycles nothing may be marked, started, looked at or
        cleared.
    busy : Out(GROUP)
        Which slots of the group have marks. A mark shows in the cycle after it was accepted, and
        doesn't from the cycle after ``start`` of its slot. After ``clear`` the group is 0.
    clear : In(1)
        Forget all marks, in at most ``clear_cycles`` cycles from the next on; ``idle`` is 0
        meanwhile. Allowed while ``idle``. A reset does the same, in ``reset_cycles``.
    """

    def __init__(self, *, sizes, neurons):
        if len(sizes) not in (1, 2) or any(s < 2 or s.bit_count() != 1 for s in sizes):
            raise ValueError(f"Slots must be one or two powers of two above 1, not {sizes!r}")
        if neurons < 1:
            raise ValueError(f"Neurons of a slot must be at least 1, not {neurons!r}")
        self._sizes = tuple(sizes)
        self._neurons = neurons
        self._neuron_bits = max(1, (neurons - 1).bit_length())
        self._bit_bits = chunk_bits(neurons)
        slot_bits = (self.slots - 1).bit_length()
        super().__init__({
            "i": In(stream.Signature(data.StructLayout({
                "kind": 1, "slot": slot_bits, "neuron": self._neuron_bits}))),
            "marked": Out(1),
            "present": Out(1),
            "slot": In(slot_bits),
            "start": In(1),
            "next": In(slot_bits),
            "foreseen": In(1),
            "expected": In(1),
            "o": Out(stream.Signature(data.StructLayout({
                "neuron": self._neuron_bits, "kind": 1}))),
            "drained": Out(1),
            "idle": Out(1),
            "group": In(slot_bits - GROUP_BITS),
            "look": In(1),
            "busy": Out(GROUP),
            "clear": In(1),
        })

    @property
    def slots(self):
        """Slots that can be told apart: those of the largest wheel, or two groups."""
        return max(FEWEST_SLOTS, *self._sizes)

    @property
    def sizes(self):
        return self._sizes

    @property
    def neurons(self):
        return self._neurons

    @property
    def chunks(self):
        """Chunks of a slot."""
        return -(-self.neurons >> self._bit_bits)

    @property
    def places(self):
        """Slots of all wheels together."""
        return sum(self._sizes)

    @property
    def clear_cycles(self):
        """Most cycles that ``clear`` takes: each slot has marks in all chunks."""
        return self.places * (self.chunks + 5) + 3

    @property
    def reset_cycles(self):
        """Cycles from the end of a reset until ``idle``."""
        return self.places << self._chunk_bits

    @property
    def _chunk_bits(self):
        return (self.chunks - 1).bit_length()

    def place(self, kind, slot):
        """Return where a slot stands among those of all wheels: the largest wheel comes first."""
        bits = [(size - 1).bit_length() for size in self._sizes]
        if len(bits) == 1:
            return slot[: bits[0]]
        first = int(bits[1] > bits[0])
        large, small = bits[first], bits[1 - first]
        return Mux(kind == first, slot[:large], Cat(slot[:small], Const(0, large - small), 1))

    def operation(self):
        """Return the layout of what passes through the memories, in three cycles."""
        return data.StructLayout({
            "mark": 1,  # sets a neuron's bit, its chunk's and its slot's
            "take": 1,  # reads a slot's chunks and unmarks it
            "wipe": 1,  # reads a chunk and empties it, and the slot's chunks
            "peek": 1,  # reads a slot's chunks
            "look": 1,  # reads a group
            "forget": 1,  # empties a group
            "kind": 1,
            "place": (self.places - 1).bit_length(),
            "chunk": max(1, self._chunk_bits),
            "bit": self._bit_bits,
            "group": len(self.group),
            "member": GROUP_BITS,
        })

    def _memories(self, m, now, third):
        """Let operations pass through the memories; returns those of bits, chunks and groups."""
        # Their addresses are late: there's no time for a multiplexer behind many small RAMs.
        large, *small = sorted(self._sizes, reverse=True)
        m.submodules.bits = bits = UpdatedMemory(
            shape=min(1 << self._bit_bits, self.neurons), depth=large << self._chunk_bits,
            more=sum(small) << self._chunk_bits, block=True)
        m.submodules.chunks = chunks = UpdatedMemory(
            shape=self.chunks, depth=self.places, block=True)
        m.submodules.groups = groups = UpdatedMemory(shape=GROUP, depth=self.slots // GROUP)
        member = Signal(GROUP)
        m.d.comb += [
            bits.address.eq(Cat(now.chunk[: self._chunk_bits], now.place)),
            chunks.address.eq(now.place),
            groups.address.eq(now.group),
            bits.write.eq(third.mark | third.wipe),
            chunks.write.eq(third.mark | third.take | third.wipe),
            groups.write.eq(third.mark | third.take | third.forget),
            member.eq(Const(1) << third.member),
            self.marked.eq(third.mark),
            self.present.eq(bits.word.bit_select(third.bit, 1)),
        ]
        with m.If(third.mark):
            m.d.comb += [
                bits.after.eq(bits.word | (Const(1) << third.bit)),
                chunks.after.eq(chunks.word | (Const(1) << third.chunk)),
                groups.after.eq(groups.word | member),
            ]
        with m.Elif(third.take):
            m.d.comb += groups.after.eq(groups.word & ~member)
        return bits, chunks, groups

    def _accept(self, m, now, focus, free, ahead):
        """Let a mark be the operation of this cycle if it is ``free``, or what is read ahead."""
        word, bits = self.i.p, self._bit_bits
        m.d.comb += [
            self.i.ready.eq(free),
            now.mark.eq(free & self.i.valid),
            # The drain has its states override this.
            focus.kind.eq(Mux(self.i.valid, word.kind, ahead.kind)),
            focus.slot.eq(Mux(self.i.valid, word.slot, self.next)),
            now.kind.eq(focus.kind),
            now.place.eq(self.place(focus.kind, focus.slot)),
            now.chunk.eq(Mux(self.i.valid, word.neuron[bits:], ahead.first)),
            now.bit.eq(word.neuron[:bits]),
            now.group.eq(focus.slot[GROUP_BITS:]),
            now.member.eq(focus.slot[:GROUP_BITS]),
        ]

    def _read_ahead(self, m, second, spare, chunks):
        """Read what is probably due next where there's time; returns the unit that does."""
        m.submodules.ahead = ahead = ReadAhead(
            slot_bits=len(self.slot), kinds=len(self._sizes), chunks=self.chunks)
        changed = (second.mark | second.wipe) & (
            second.place == self.place(second.kind, ahead.aim))
        m.d.comb += [
            ahead.coming.eq(self.next),
            ahead.foreseen.eq(self.foreseen),
            ahead.spare.eq(spare & ~self.i.valid),
            ahead.room.eq(self.drained),
            ahead.upset.eq(changed | self.start | self.clear),
            ahead.seen.eq(chunks.word),
        ]
        return ahead

    def _show(self, m, now, third, groups):
        """Keep the marks of the group that was looked at last in ``busy``."""
        window = Signal.like(self.group)
        added, removed = Signal(GROUP), Signal(GROUP)
        mark = self.i.p.slot  # straight from the port: it's in time
        with m.If(now.mark & (mark[GROUP_BITS:] == window)):
            m.d.comb += added.eq(Const(1) << mark[:GROUP_BITS])
        with m.If(self.start & (self.slot[GROUP_BITS:] == window)):
            m.d.comb += removed.eq(Const(1) << self.slot[:GROUP_BITS])
        m.d.sync += self.busy.eq((self.busy & ~removed) | added)
        with m.If(third.look):
            m.d.sync += [self.busy.eq(groups.word), window.eq(third.group)]
        with m.If(self.clear):
            m.d.sync += [self.busy.eq(0), window.eq(0)]

    def _hand_out(self, m, drain):
        """Hand out the neurons of the chunk that was taken."""
        neuron = lowest(m, drain.pending, "lowest_neuron")
        m.d.comb += [
            self.o.valid.eq(drain.pending.any() & ~self.drained),
            self.o.p.neuron.eq(Cat(neuron, drain.taken) if self.chunks > 1 else neuron),
            self.o.p.kind.eq(drain.kind | (drain.given & drain.looks)),
        ]
        with m.If(self.o.ready & ~self.drained):
            m.d.sync += drain.pending.eq(drain.pending & (drain.pending - 1))

    def _begin(self, m, now, free, spare, drain, ahead, bits):
        """Add the state in which nothing is drained, up to the start of a slot."""
        with m.State("REST"):
            m.d.comb += [self.drained.eq(1), free.eq(1)]
            m.d.sync += [drain.kind.eq(0), drain.taken.eq(ahead.first), drain.looks.eq(ahead.kind)]
            with m.If(self.look):
                m.d.comb += [now.look.eq(1), now.group.eq(self.group)]
            with m.If(ahead.load):
                m.d.sync += drain.pending.eq(bits.word)
            with m.If(self.clear):
                m.d.sync += drain.pending.eq(0)
                m.next = "WALK"
            with m.Elif(self.start):
                m.d.sync += drain.slot.eq(self.slot)
                m.next = "TAKING"
                with m.If(self.expected & (ahead.kind == 0)):
                    # The address is that of ``next``, whoever starts: that's in time.
                    m.d.comb += now.take.eq(1)
                    m.next = "OTHERS"
                m.d.sync += drain.given.eq(self.expected & ahead.ready)
                with m.If(~(self.expected & ahead.ready)):
                    m.d.sync += drain.pending.eq(0)
            with m.Elif(~self.look):
                m.d.comb += spare.eq(1)

    def _drain(self, m, now, focus, free, spare, drain, bits, chunks):
        """Add the states that drain a slot, chunk by chunk."""
        with m.State("TAKING"):
            m.d.comb += [now.take.eq(1), focus.kind.eq(0), focus.slot.eq(drain.slot)]
            m.next = "OTHERS"
        with m.State("OTHERS"):
            if len(self._sizes) == 2:
                m.d.comb += [now.take.eq(1), focus.kind.eq(1), focus.slot.eq(drain.slot)]
            else:
                m.d.comb += free.eq(1)
            m.next = "TAKEN"
        with m.State("TAKEN"):
            m.d.comb += [free.eq(1), spare.eq(1)]
            m.d.sync += drain.left.eq(chunks.word)
            m.next = "PICK"
        with m.State("PICK"):
            m.d.comb += [focus.kind.eq(drain.kind), focus.slot.eq(drain.slot),
                         now.chunk.eq(drain.chunk)]
            with m.If(drain.left.any()):
                m.d.comb += now.wipe.eq(1)
                m.d.sync += [drain.taken.eq(drain.chunk), drain.given.eq(0),
                             drain.left.eq(drain.left & (drain.left - 1))]
                m.next = "READ"
                with m.If(drain.given):
                    m.next = "HAND"
            with m.Elif(drain.others.any() & ~drain.kind):
                m.d.sync += [drain.left.eq(drain.others), drain.kind.eq(1)]
            with m.Else():
                m.next = "REST"
        with m.State("READ"):
            m.d.comb += [free.eq(1), spare.eq(1)]
            m.next = "KEEP"
        with m.State("KEEP"):
            m.d.comb += [free.eq(1), spare.eq(1)]
            m.d.sync += drain.pending.eq(bits.word)
            m.next = "HAND"
        with m.State("HAND"):
            m.d.comb += [free.eq(1), spare.eq(1)]
            with m.If(~drain.pending.any()):
                m.next = "PICK"

    def _forget(self, m, now, third, drain, chunks):
        """Add the states that empty all memories, and those that empty what is marked."""
        sweep = Signal(range(max(self.places << self._chunk_bits, self.places + 2)))
        place = Signal.like(now.place)
        with m.State("WIPE"):
            m.d.comb += [
                now.wipe.eq(1),
                now.forget.eq(1),
                now.chunk.eq(sweep[: self._chunk_bits]),
                now.place.eq(sweep >> self._chunk_bits),
                now.group.eq(sweep >> self._chunk_bits),
            ]
            m.d.sync += sweep.eq(sweep + 1)
            with m.If(sweep == (self.places << self._chunk_bits) - 1):
                m.d.sync += sweep.eq(0)
                m.next = "REST"
        with m.State("WALK"):
            m.d.comb += [
                now.peek.eq(sweep < self.places),
                now.forget.eq(1),
                now.place.eq(sweep),
                now.group.eq(sweep),
            ]
            m.d.sync += sweep.eq(sweep + 1)
            with m.If(third.peek & chunks.word.any()):
                m.d.sync += [place.eq(third.place), drain.left.eq(chunks.word)]
                m.next = "EMPTY"
            with m.Elif(sweep == self.places + 1):
                m.d.sync += sweep.eq(0)
                m.next = "REST"
        with m.State("EMPTY"):
            m.d.sync += [drain.left.eq(drain.left & (drain.left - 1)), sweep.eq(place + 1)]
            m.d.comb += [
                now.chunk.eq(drain.chunk), now.place.eq(place), now.wipe.eq(drain.left.any())]
            with m.If(~drain.left.any()):
                m.next = "WALK"

    def elaborate(self, platform):
        m = Module()
        now, second, third = (Signal(self.operation(), name=name)
                              for name in ("now", "second", "third"))
        m.d.sync += [second.eq(now), third.eq(second)]
        bits, chunks, groups = self._memories(m, now, third)

        free = Signal()  # the drain needs no memory: a mark may go in,
        spare = Signal()  # and without one, words may be read ahead
        # What this cycle's operation is on.
        focus = SimpleNamespace(kind=Signal(name="focus_kind"),
                                slot=Signal.like(self.slot, name="focus_slot"))
        # Chunks of the second kind.
        later, others = (Signal(self.chunks, name=name) for name in ("later", "others"))
        left = Signal(self.chunks, name="left")
        drain = SimpleNamespace(
            slot=Signal.like(self.slot, name="slot"),
            kind=Signal(name="kind"),  # which is drained
            left=left,  # its chunks that are still to be read
            chunk=lowest(m, left, "chunk"),
            others=others,
            taken=Signal(range(max(2, self.chunks)), name="taken"),  # the chunk that's handed out
            pending=Signal.like(bits.word, name="pending"),  # its neurons that are still to be
            # The first chunk was there from the start, and is one of looks.
            given=Signal(name="given"), looks=Signal(name="looks"))
        m.d.comb += others.eq(Mux(third.take & third.kind, chunks.word, later))
        m.d.sync += later.eq(others)

        ahead = self._read_ahead(m, second, spare, chunks)
        self._accept(m, now, focus, free, ahead)
        self._show(m, now, third, groups)
        self._hand_out(m, drain)
        with m.FSM(init="WIPE"):
            self._begin(m, now, free, spare, drain, ahead, bits)
            self._drain(m, now, focus, free, spare, drain, bits, chunks)
            self._forget(m, now, third, drain, chunks)
        m.d.comb += self.idle.eq(self.drained & ~second.mark & ~third.mark)
        return m
