# amaranth: UnusedElaboratable=no
"""The wheel of bitmaps against sets of neurons."""
import numpy as np
import pytest

from ranvier.hw.slots import SlotMap
from ranvier.sim.benches import get, put, random_stalls, simulate


async def drain(ctx, dut, slot, stalls):
    """Start ``slot`` and return its neurons."""
    neurons = []
    ctx.set(dut.slot, slot)
    ctx.set(dut.start, 1)
    await ctx.tick()
    ctx.set(dut.start, 0)
    while not ctx.get(dut.idle):
        if ctx.get(dut.o.valid):
            neurons += await get(ctx, dut.o, 1, stalls)
        else:
            await ctx.tick()
    return neurons


@pytest.mark.parametrize(("slots", "neurons"), [(2, 1), (4, 5), (8, 64), (8, 65), (4, 200)])
@pytest.mark.parametrize("busy", [1.0, 0.5])
def test_drains_what_was_marked(slots, neurons, busy):
    generator = np.random.default_rng([slots, neurons])
    dut = SlotMap(slots=slots, neurons=neurons)
    rounds = 3 * slots
    marks = [[(int(generator.integers(1, slots)), int(generator.integers(neurons)))
              for _ in range(generator.integers(0, 12))] for _ in range(rounds)]
    wheel = [set() for _ in range(slots)]

    async def bench(ctx):
        for k in range(rounds):
            slot = k % slots
            neurons = await drain(ctx, dut, slot, random_stalls([7, k], busy))
            assert neurons == sorted(wheel[slot])
            wheel[slot].clear()
            words = [{"slot": (slot + ahead) % slots, "neuron": j} for ahead, j in marks[k]]
            for word in words:
                await put(ctx, dut.i, [word], random_stalls([8, k], busy))
                assert ctx.get(dut.present) == (word["neuron"] in wheel[word["slot"]])
                wheel[word["slot"]].add(word["neuron"])
            await ctx.tick()

    simulate(dut, bench, cycles=20_000)
    assert any(len(row) for row in marks)


def test_marks_go_in_while_a_slot_drains():
    dut = SlotMap(slots=4, neurons=130)
    first = [0, 3, 64, 127, 129]
    later = [{"slot": 2, "neuron": j} for j in range(0, 130, 3)]

    async def bench(ctx):
        await put(ctx, dut.i, [{"slot": 1, "neuron": j} for j in first])
        await ctx.tick()
        assert await drain(ctx, dut, 1, random_stalls(1)) == first
        while not (ctx.get(dut.idle) and not ctx.get(dut.i.valid)):
            await ctx.tick()
        assert await drain(ctx, dut, 2, random_stalls(2)) == [word["neuron"] for word in later]

    async def marker(ctx):
        await ctx.tick().repeat(9)
        await put(ctx, dut.i, later)

    simulate(dut, bench, marker, cycles=1000)


def test_an_idle_slot_costs_one_cycle():
    dut = SlotMap(slots=8, neurons=100)

    async def bench(ctx):
        await put(ctx, dut.i, [{"slot": 6, "neuron": 99}])
        await ctx.tick()
        ctx.set(dut.start, 1)
        for slot in range(6):
            ctx.set(dut.slot, slot)
            await ctx.tick()
            assert ctx.get(dut.idle)
        ctx.set(dut.slot, 6)
        await ctx.tick()
        ctx.set(dut.start, 0)
        assert not ctx.get(dut.idle)
        assert await get(ctx, dut.o, 1) == [99]

    simulate(dut, bench, cycles=100)


def test_clear_forgets_all_marks_in_the_stated_cycles():
    dut = SlotMap(slots=16, neurons=70)

    async def bench(ctx):
        await put(ctx, dut.i, [{"slot": k, "neuron": 69 - k} for k in range(16)])
        await ctx.tick()
        ctx.set(dut.clear, 1)
        await ctx.tick()
        ctx.set(dut.clear, 0)
        cycles = 0
        while not ctx.get(dut.idle):
            cycles += 1
            await ctx.tick()
        assert cycles == dut.clear_cycles
        for slot in range(16):
            assert await drain(ctx, dut, slot, random_stalls(1)) == []

    simulate(dut, bench, cycles=1000)


def test_bad_sizes_are_refused():
    with pytest.raises(ValueError, match=r"^Slots must be a power of two above 1, not 6$"):
        SlotMap(slots=6, neurons=4)
    with pytest.raises(ValueError, match=r"^Neurons of a slot must be at least 1, not 0$"):
        SlotMap(slots=8, neurons=0)
