# amaranth: UnusedElaboratable=no
"""Counters in one memory against sums."""
import numpy as np
import pytest

from ranvier.hw.counters import Counters
from ranvier.sim.benches import simulate

STEPS = {"samples": 1, "few": 1, "many": 7, "most": 64}


def run(counts, *, begins=(), bits=32, reads=()):
    """Count (cycles, counters) ``counts``; returns the totals in the end.

    A sample begins in the cycles of ``begins``, and totals are read in those of ``reads``.
    """
    dut = Counters(steps=STEPS, kept=1, bits=bits)
    totals = []

    async def bench(ctx):
        for cycle, row in enumerate(counts):
            for name, value in zip(STEPS, row, strict=True):
                ctx.set(dut.count[name], int(value))
            ctx.set(dut.begin, cycle in begins)
            ctx.set(dut.read, cycle in reads)
            await ctx.tick()
        ctx.set(dut.read, 0)
        ctx.set(dut.count, dict.fromkeys(STEPS, 0))
        await ctx.tick().repeat(dut.latency)
        for k in range(len(STEPS)):
            ctx.set(dut.index, k)
            ctx.set(dut.read, 1)
            await ctx.tick()
            ctx.set(dut.read, 0)
            totals.append(ctx.get(dut.total))
            await ctx.tick()

    simulate(dut, bench, cycles=len(counts) + 100)
    return totals


def draw(seed, cycles):
    generator = np.random.default_rng(seed)
    return np.stack([generator.integers(0, step + 1, size=cycles) for step in STEPS.values()], 1)


@pytest.mark.parametrize("reads", [(), range(0, 400, 2)])
def test_everything_is_counted(reads):
    counts = draw(1, 400)
    assert run(counts, reads=reads) == counts.sum(0).tolist()


def test_the_most_in_every_cycle_is_counted_beside_reads():
    counts = np.tile(list(STEPS.values()), (300, 1))
    assert run(counts, reads=range(0, 300, 2)) == counts.sum(0).tolist()


@pytest.mark.parametrize("rest", range(12))
def test_a_sample_counts_from_its_first_cycle_on(rest):
    counts = draw(2, 100)
    counts[40:60 + rest] = 0  # the sample before is counted
    counts[60 + rest, 1:] = 1
    totals = run(counts, begins=(60 + rest,))
    assert totals == [counts[:, 0].sum(), *counts[60 + rest:, 1:].sum(0)]


def test_totals_stop_at_their_largest_value():
    counts = draw(3, 200)
    few = [min(int(total), 255) for total in counts.sum(0)]
    assert run(counts, bits=8) == few
    assert few.count(255) == 2
