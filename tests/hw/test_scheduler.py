# amaranth: UnusedElaboratable=no
"""The schedule of ticks and samples, with a core that is busy for random times."""
import numpy as np
import pytest

from ranvier.hw.payloads import GROUP
from ranvier.hw.scheduler import Scheduler
from ranvier.sim.benches import get, put, random_stalls, simulate

from .configs import small_config


class Record:
    """What a scheduler did: lists, in the order of time."""

    def __init__(self):
        self.ticks, self.events, self.ends = [], [], []
        self.dropped = self.bad_ends = self.begun = self.cleared = self.over = 0


def run(config, words, *, due=(), work=(0,), busy=1.0):
    """Feed ``words`` to a scheduler whose core works ``work`` cycles per tick, in turn.

    In the ticks of ``due`` the core has work of its own: each shows from the tick before it in
    ``due`` on, at most half a wheel ahead.
    """
    dut = Scheduler(config=config, counting=4)
    record = Record()
    samples = sum(word["last"] for word in words)
    group_bits = len(dut.group)

    def shown(group, now):
        ahead = [tick for tick in due if now < tick <= now + (GROUP << group_bits) // 2]
        return sum({1 << tick % GROUP for tick in ahead
                    if tick // GROUP % (1 << group_bits) == group})

    async def send(ctx):
        await put(ctx, dut.i, words, random_stalls(1, busy))
        while len(record.ends) < samples or ctx.get(dut.clearing):
            await ctx.tick()

    async def core(ctx):
        left, now, group, looks = 0, 0, 0, []
        while True:
            ctx.set(dut.settled, left == 0)
            ctx.set(dut.finished, ctx.get(dut.finish))
            ctx.set(dut.busy, shown(group, now))
            _, _, start, upcoming, clear, finish, length, look, wanted = await ctx.tick().sample(
                dut.start, dut.upcoming, dut.clear, dut.finish, dut.length, dut.look, dut.group)
            left = max(left - 1, 0)
            looks = [*looks, wanted if look else None][-2:]
            group = group if looks[0] is None else looks[0]
            if start:
                assert left == 0
                assert ctx.get(dut.tick) == upcoming
                left = 5 + work[len(record.ticks) % len(work)]
                now = upcoming
                record.ticks.append(upcoming)
            if clear:
                left, now, group, looks = 5, 0, 0, []
                record.cleared += 1
            if finish:
                record.ends.append(length)

    async def collect(ctx):
        stalls = random_stalls(2, busy)
        while True:
            [channel] = await get(ctx, dut.events, 1, stalls)
            record.events.append((ctx.get(dut.tick), channel))

    async def watch(ctx):
        while True:
            _, _, dropped, bad_end, begin, over = await ctx.tick().sample(
                dut.dropped, dut.bad_end, dut.begin, dut.over)
            record.dropped += dropped
            record.bad_ends += bad_end
            record.begun += begin
            record.over += over

    simulate(dut, send, background=(core, collect, watch), cycles=20_000)
    assert record.over == samples
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
    words, events, worked = [], [], []
    for ticks in (12, 1, 30):
        some = sorted({(int(generator.integers(ticks)), int(generator.integers(config.inputs)))
                       for _ in range(15)})
        events += some
        worked.append([tick for tick, _ in some])
        words += [event(*pair) for pair in some] + [last(ticks)]
    record = run(config, words, work=work, busy=busy)
    assert record.ticks == [tick for k, ticks in enumerate((12, 1, 30))
                            for tick in sorted({0, *worked[k]})]
    assert record.events == events
    assert record.ends == [12, 1, 30]
    assert (record.begun, record.cleared) == (3, 4)
    assert (record.dropped, record.bad_ends) == (0, 0)


def test_a_sample_without_ticks_ends_at_once():
    record = run(small_config(), [last(0), event(0, 1), last(2)])
    assert (record.ticks, record.ends, record.events) == ([0], [0, 2], [(0, 1)])


def test_illegal_events_are_dropped_and_counted():
    config = small_config()
    words = [event(0, 3), event(2, 0), event(1, 0), event(100, 1), event(2, 1), last(5)]
    record = run(config, words)
    assert record.events == [(2, 0), (2, 1)]
    assert (record.ends, record.dropped, record.bad_ends) == ([5], 3, 0)


def test_a_late_or_far_end_is_flagged():
    record = run(small_config(), [event(7, 0), last(3), last(127)])
    assert (record.ends, record.bad_ends) == ([8, 100], 2)


@pytest.mark.parametrize("seed", range(4))
def test_ticks_with_work_are_found_and_all_others_passed_over(seed):
    config = small_config(ticks=1000, delay_max=60)
    generator = np.random.default_rng(seed)
    due, now = [], 0
    while now < 900:
        now += int(generator.integers(1, (2, 8, 40, 64)[seed]))
        due.append(now)
    channels = sorted({int(tick) for tick in generator.integers(990, size=20)})
    record = run(config, [event(tick, 1) for tick in channels] + [last(1000)], due=due)
    assert record.ticks == sorted({0, *due, *channels})
    assert record.events == [(tick, 1) for tick in channels]
    assert record.ends == [1000]


def test_work_after_the_end_is_left():
    record = run(small_config(), [last(20)], due=[5, 19, 20, 21])
    assert (record.ticks, record.ends, record.bad_ends) == ([0, 5, 19], [20], 0)


def test_an_idle_tick_takes_half_a_cycle():
    dut = Scheduler(config=small_config(ticks=1000), counting=1)

    async def bench(ctx):
        ctx.set(dut.settled, 1)
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.i.payload, last(900))
        while not ctx.get(dut.ticking):
            await ctx.tick()
        cycles = 0
        while ctx.get(dut.ticking):
            cycles += 1
            await ctx.tick()
        assert cycles <= 450

    simulate(dut, bench, cycles=1000)
