"""The schedule of ticks and samples, with a core that is busy for random times."""
import numpy as np
import pytest

from ranvier.hw.scheduler import Scheduler
from ranvier.sim.benches import get, put, random_stalls, simulate

from .configs import small_config


class Record:
    """What a scheduler did: lists, in the order of time."""

    def __init__(self):
        self.ticks, self.events, self.ends = [], [], []
        self.dropped = self.bad_ends = self.begun = self.cleared = 0


def run(config, words, *, work=(0,), busy=1.0):
    """Feed ``words`` to a scheduler whose core works ``work`` cycles per tick, in turn."""
    dut = Scheduler(config=config)
    record = Record()
    samples = sum(word["last"] for word in words)

    async def send(ctx):
        await put(ctx, dut.i, words, random_stalls(1, busy))
        while len(record.ends) < samples or ctx.get(dut.clearing):
            await ctx.tick()

    async def core(ctx):
        left = 0
        while True:
            ctx.set(dut.settled, left == 0)
            ctx.set(dut.finished, ctx.get(dut.finish))
            _, _, start, upcoming, clear, finish = await ctx.tick().sample(
                dut.start, dut.upcoming, dut.clear, dut.finish)
            left = max(left - 1, 0)
            if start:
                assert ctx.get(dut.tick) == upcoming
                left = work[len(record.ticks) % len(work)]
                record.ticks.append(upcoming)
            if clear:
                left = 5
                record.cleared += 1
            if finish:
                record.ends.append(upcoming)

    async def collect(ctx):
        stalls = random_stalls(2, busy)
        while True:
            [channel] = await get(ctx, dut.events, 1, stalls)
            record.events.append((ctx.get(dut.tick), channel))

    async def watch(ctx):
        while True:
            _, _, dropped, bad_end, begin = await ctx.tick().sample(
                dut.dropped, dut.bad_end, dut.begin)
            record.dropped += dropped
            record.bad_ends += bad_end
            record.begun += begin

    simulate(dut, send, background=(core, collect, watch), cycles=20_000)
    return record


def event(tick, channel):
    return {"tick": tick, "channel": channel, "last": 0}


def last(ticks):
    return {"tick": ticks, "channel": 0, "last": 1}


@pytest.mark.parametrize("work", [(0,), (0, 3, 1)])
@pytest.mark.parametrize("busy", [1.0, 0.5])
def test_every_event_goes_out_in_its_tick(work, busy):
    config = small_config()
    generator = np.random.default_rng(3)
    words, events = [], []
    for ticks in (12, 1, 30):
        some = sorted({(int(generator.integers(ticks)), int(generator.integers(config.inputs)))
                       for _ in range(15)})
        events += some
        words += [event(*pair) for pair in some] + [last(ticks)]
    record = run(config, words, work=work, busy=busy)
    assert record.ticks == [*range(12), 0, *range(30)]
    assert record.events == events
    assert record.ends == [12, 1, 30]
    assert (record.begun, record.cleared) == (3, 4)
    assert (record.dropped, record.bad_ends) == (0, 0)


def test_a_sample_without_ticks_ends_at_once():
    record = run(small_config(), [last(0), event(0, 1), last(2)])
    assert (record.ticks, record.ends, record.events) == ([0, 1], [0, 2], [(0, 1)])


def test_illegal_events_are_dropped_and_counted():
    config = small_config()
    words = [event(0, 3), event(2, 0), event(1, 0), event(100, 1), event(2, 1), last(5)]
    record = run(config, words)
    assert record.events == [(2, 0), (2, 1)]
    assert (record.ends, record.dropped, record.bad_ends) == ([5], 3, 0)


def test_a_late_or_far_end_is_flagged():
    record = run(small_config(), [event(7, 0), last(3), last(127)])
    assert (record.ends, record.bad_ends) == ([8, 100], 2)


def test_an_idle_tick_takes_one_cycle():
    dut = Scheduler(config=small_config())

    async def bench(ctx):
        ctx.set(dut.settled, 1)
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.i.payload, last(90))
        while not ctx.get(dut.ticking):
            await ctx.tick()
        cycles = 0
        while ctx.get(dut.ticking):
            cycles += 1
            await ctx.tick()
        assert cycles == 90

    simulate(dut, bench, cycles=200)
