# amaranth: UnusedElaboratable=no
"""The wheel of bitmaps against sets of neurons."""
import numpy as np
import pytest
from amaranth.hdl import ResetInserter, Signal

from ranvier.hw.payloads import GROUP
from ranvier.hw.slots import SlotMap
from ranvier.sim.benches import get, put, random_stalls, simulate

SHAPES = [((2,), 1), ((4,), 5), ((32,), 64), ((8, 16), 65), ((64, 8), 200), ((32, 128), 33)]


class Wheels:
    """The marks of each kind, as sets, slot by slot."""

    def __init__(self, sizes):
        self.sizes = sizes
        self.marks = [[set() for _ in range(size)] for size in sizes]

    def at(self, kind, slot):
        return self.marks[kind][slot % self.sizes[kind]]

    def take(self, slot):
        """Return what a drain of ``slot`` hands out, and unmark it."""
        found = [(kind, j) for kind in range(len(self.sizes)) for j in sorted(self.at(kind, slot))]
        for kind in range(len(self.sizes)):
            self.at(kind, slot).clear()
        return found


async def settle(ctx, dut):
    while not ctx.get(dut.idle):
        await ctx.tick()


async def begin(ctx, dut, slot, expected=False):
    """Start ``slot``, which is the one that was foreseen if it's ``expected``."""
    ctx.set(dut.slot, slot)
    ctx.set(dut.start, 1)
    ctx.set(dut.expected, expected)
    await ctx.tick()
    ctx.set(dut.start, 0)


async def drain(ctx, dut, slot, stalls, expected=False):
    """Start ``slot`` and return its kinds and neurons."""
    words = []
    await begin(ctx, dut, slot, expected)
    while not ctx.get(dut.drained):
        if ctx.get(dut.o.valid):
            words += await get(ctx, dut.o, 1, stalls)
        else:
            await ctx.tick()
    await settle(ctx, dut)
    return [(word["kind"], word["neuron"]) for word in words]


async def look(ctx, dut, group):
    """Return which slots of a group are said to have marks."""
    ctx.set(dut.group, group)
    ctx.set(dut.look, 1)
    await ctx.tick()
    ctx.set(dut.look, 0)
    await ctx.tick().repeat(2)
    return ctx.get(dut.busy)


@pytest.mark.parametrize(("sizes", "neurons"), SHAPES)
@pytest.mark.parametrize("busy", [1.0, 0.5])
def test_drains_what_was_marked(sizes, neurons, busy):
    generator = np.random.default_rng([*sizes, neurons])
    dut = SlotMap(sizes=sizes, neurons=neurons)
    rounds = 3 * max(sizes)
    wheels = Wheels(sizes)
    drained = []

    async def bench(ctx):
        await settle(ctx, dut)
        for slot in range(rounds):
            expected = bool(ctx.get(dut.foreseen)) and generator.random() < 0.8
            found = await drain(ctx, dut, slot % dut.slots, random_stalls([7, slot], busy),
                                expected)
            assert found == wheels.take(slot)
            drained.extend(found)
            ctx.set(dut.next, (slot + 1) % dut.slots)
            ctx.set(dut.foreseen, int(generator.random() < 0.8))
            for k in range(generator.integers(0, 12)):
                kind = int(generator.integers(len(sizes)))
                ahead = slot + int(generator.integers(1, sizes[kind]))
                j = int(generator.integers(neurons))
                await put(ctx, dut.i, [{"kind": kind, "slot": ahead % dut.slots, "neuron": j}],
                          random_stalls([8, slot, k], busy))
                await ctx.tick()
                assert ctx.get(dut.marked)
                assert ctx.get(dut.present) == (j in wheels.at(kind, ahead))
                wheels.at(kind, ahead).add(j)
            await settle(ctx, dut)

    simulate(dut, bench, cycles=100_000)
    assert len(drained) > rounds // 2


@pytest.mark.parametrize(("kind", "late"), [(0, False), (1, False), (1, True)])
def test_what_is_foreseen_is_there_in_the_next_cycle(kind, late):
    dut = SlotMap(sizes=(32, 128), neurons=200)
    marks = [[], []]

    async def mark(ctx, neuron, of=kind):
        await put(ctx, dut.i, [{"kind": of, "slot": 9, "neuron": neuron}])
        marks[of].append(neuron)

    async def bench(ctx):
        await settle(ctx, dut)
        ctx.set(dut.o.ready, 1)  # that nobody is handed out yet doesn't depend on it
        await mark(ctx, 70)
        ctx.set(dut.next, 9)
        ctx.set(dut.foreseen, 1)
        await ctx.tick().repeat(12)
        for neuron in (75, 130, 64):  # the first two change what was read
            await mark(ctx, neuron)
            await ctx.tick().repeat(12)
        if late:  # one of the first kind, which comes before all that was read
            await mark(ctx, 3, of=0)
            await ctx.tick().repeat(12)
        ctx.set(dut.o.ready, 0)
        await begin(ctx, dut, 9, expected=True)
        words = [(of, neuron) for of in (0, 1) for neuron in sorted(marks[of])]
        assert ctx.get(dut.o.valid)
        assert (ctx.get(dut.o.p.kind), ctx.get(dut.o.p.neuron)) == words[0]
        found = await get(ctx, dut.o, len(words), random_stalls(1))
        assert [(word["kind"], word["neuron"]) for word in found] == words
        await settle(ctx, dut)
        assert await drain(ctx, dut, 9, random_stalls(1)) == []

    simulate(dut, bench, cycles=10_000)


@pytest.mark.parametrize(("sizes", "neurons"), SHAPES)
def test_shows_the_nearest_slot_with_marks(sizes, neurons):
    generator = np.random.default_rng([2, *sizes])
    dut = SlotMap(sizes=sizes, neurons=neurons)

    async def bench(ctx):
        await settle(ctx, dut)
        now, pending = 0, set()
        for step in range(60):
            for _ in range(generator.integers(1, 4) if step < 50 else 0):
                kind = int(generator.integers(len(sizes)))
                ahead = now + int(generator.integers(1, sizes[kind]))
                pending.add(ahead)
                await put(ctx, dut.i, [{"kind": kind, "slot": ahead % dut.slots,
                                        "neuron": int(generator.integers(neurons))}])
            await settle(ctx, dut)
            if not pending:
                break
            nearest, group = min(pending), now // GROUP
            busy = ctx.get(dut.busy)
            while True:
                offsets = [k for k in range(GROUP)
                           if busy >> k & 1 and group * GROUP + k > now]
                if offsets:
                    break
                group += 1
                assert group * GROUP <= nearest
                busy = await look(ctx, dut, group % (dut.slots // GROUP))
            assert group * GROUP + offsets[0] == nearest
            pending.remove(nearest)
            now = nearest
            assert await drain(ctx, dut, now % dut.slots, random_stalls(1))

    simulate(dut, bench, cycles=50_000)


def test_marks_go_in_while_a_slot_drains():
    dut = SlotMap(sizes=(4,), neurons=130)
    first = [0, 3, 64, 127, 129]
    later = [{"slot": 2, "neuron": j} for j in range(0, 130, 3)]

    async def bench(ctx):
        await settle(ctx, dut)
        await put(ctx, dut.i, [{"slot": 1, "neuron": j} for j in first])
        await settle(ctx, dut)
        assert [j for _, j in await drain(ctx, dut, 1, random_stalls(1))] == first
        while ctx.get(dut.i.valid):
            await ctx.tick()
        await settle(ctx, dut)
        assert [j for _, j in await drain(ctx, dut, 2, random_stalls(2))] == [
            word["neuron"] for word in later]

    async def marker(ctx):
        await settle(ctx, dut)
        await ctx.tick().repeat(9)
        await put(ctx, dut.i, later)

    simulate(dut, bench, marker, cycles=1000)


def test_marks_go_in_at_one_per_cycle():
    dut = SlotMap(sizes=(8, 16), neurons=40)
    words = [{"kind": k % 2, "slot": k % 3, "neuron": k % 40} for k in range(100)]

    async def bench(ctx):
        await settle(ctx, dut)
        for word in words:
            ctx.set(dut.i.payload, word)
            ctx.set(dut.i.valid, 1)
            assert ctx.get(dut.i.ready)
            await ctx.tick()
        ctx.set(dut.i.valid, 0)
        await settle(ctx, dut)
        for slot in range(3):
            want = {(w["kind"], w["neuron"]) for w in words if w["slot"] == slot}
            assert await drain(ctx, dut, slot, random_stalls(1)) == sorted(want)

    simulate(dut, bench, cycles=2000)


@pytest.mark.parametrize("reset", [False, True])
def test_clear_and_reset_forget_all_marks_in_the_stated_cycles(reset):
    dut = SlotMap(sizes=(16, 32), neurons=70)

    async def bench(ctx):
        cycles = 0
        while not ctx.get(dut.idle):
            cycles += 1
            await ctx.tick()
        assert cycles == dut.reset_cycles
        await put(ctx, dut.i, [{"kind": k % 2, "slot": k % 32, "neuron": k % 70}
                               for k in range(64)])
        await settle(ctx, dut)
        assert await look(ctx, dut, 0)
        ctx.set(dut.clear, 1)
        await ctx.tick()
        ctx.set(dut.clear, 0)
        cycles = 0
        while not ctx.get(dut.idle):
            cycles += 1
            await ctx.tick()
        assert cycles <= dut.clear_cycles
        for group in range(dut.slots // GROUP):
            assert not await look(ctx, dut, group)
        for slot in range(32):
            assert await drain(ctx, dut, slot, random_stalls(1)) == []

    simulate(dut, bench, cycles=5000)


def test_a_reset_in_the_midst_of_marks_empties_all_memories():
    dut = SlotMap(sizes=(16, 32), neurons=70)
    reset = Signal()

    async def bench(ctx):
        for stop in range(1, 12):
            while not ctx.get(dut.idle):
                await ctx.tick()
            for k in range(stop):
                ctx.set(dut.i.payload, {"kind": k % 2, "slot": 5, "neuron": 7 * k})
                ctx.set(dut.i.valid, 1)
                if k == stop // 2:
                    ctx.set(dut.slot, 4)
                    ctx.set(dut.start, 1)
                await ctx.tick()
                ctx.set(dut.start, 0)
            ctx.set(dut.i.valid, 0)
            ctx.set(reset, 1)
            await ctx.tick()
            ctx.set(reset, 0)
            await ctx.tick()
            await settle(ctx, dut)
            assert await drain(ctx, dut, 5, random_stalls(1)) == []

    simulate(ResetInserter(reset)(dut), bench, cycles=20_000)


def test_bad_sizes_are_refused():
    with pytest.raises(ValueError, match=(
            r"^Slots must be one or two powers of two above 1, not \(6,\)$")):
        SlotMap(sizes=(6,), neurons=4)
    with pytest.raises(ValueError, match=r"^Neurons of a slot must be at least 1, not 0$"):
        SlotMap(sizes=(8,), neurons=0)
