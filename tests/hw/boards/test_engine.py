# amaranth: UnusedElaboratable=no
"""The engine against a host that stalls and errs, and a core that is played."""

import numpy as np
import pytest

from ranvier.hw.boards.engine import Engine
from ranvier.hw.boards.protocol import PROTOCOL, WORDS, Command, Status, encode, fingerprint
from ranvier.hw.registers import BusMap
from ranvier.sim.benches import get, no_stalls, put, random_stalls, simulate

from ...designs import random_config
from .hosts import DAMAGES, Host, damaged, request

CONFIG = random_config(np.random.default_rng(2), inputs=6, neurons=9, ticks=150, banks=2)
TOP = 1 << BusMap(CONFIG).address_bits
EVENT_TOP = 1 << (CONFIG.tick_bits + CONFIG.channel_bits + 1)


class Bench:
    """An engine, its host, and the registers of a played bus."""

    def __init__(self, *, stalls=no_stalls, patience=100):
        self.dut = Engine(config=CONFIG, patience=patience)
        self.host = Host(self.dut, stalls)
        self.writes = []  # (address, word) that came over the bus
        self.reads = []
        self.resets = 0

    async def bus(self, ctx):
        bus = self.dut.bus
        async for _, _, address, write, word, read, reset in ctx.tick().sample(
                bus.address, bus.w_en, bus.w_data, bus.r_en, self.dut.reset):
            if write:
                self.writes.append((address, word))
            if read:
                self.reads.append(address)
                ctx.set(bus.r_data, self.word(address))
            self.resets += reset

    @staticmethod
    def word(address):
        """What is read at an address: every byte of it tells."""
        return (address * 0x9E3779B1 + 0x7E7D5E5D) % (1 << 32)

    def run(self, *benches, cycles=200_000):
        simulate(self.dut, *benches, background=[self.bus, self.host.take], cycles=cycles)


def state(*, damaged=0, taken=0, first=0):
    return PROTOCOL | damaged << 8 | taken << 16 | first << 24


def test_ping_and_reset():
    bench = Bench()

    async def run(ctx):
        ping = request(1, Command.PING)
        assert await bench.host.ask(ctx, ping) == (0, [state(), fingerprint(CONFIG)])
        assert bench.resets == 0
        assert await bench.host.ask(ctx, request(2, Command.RESET)) == (0, [state()])
        assert bench.resets == 1

    bench.run(run)


@pytest.mark.parametrize("seed", [0, 1])
def test_bursts_of_reads_and_writes_use_every_address_once(seed):
    bench, rng = Bench(stalls=random_stalls(seed, busy=0.8)), np.random.default_rng(seed)
    written, read = [], []

    async def run(ctx):
        for tag, count in enumerate([0, 1, 2, 17, WORDS]):
            words = rng.integers(0, 1 << 32, count).tolist()
            start = int(rng.integers(0, TOP - 255))
            body = request(tag, Command.WRITE, start, *words)
            assert await bench.host.ask(ctx, body) == (0, [state()])
            written.extend(enumerate(words, start))
            body = request(tag, Command.READ, start, 4 * count)
            places = range(start, start + 4 * count)
            assert await bench.host.ask(ctx, body) == (0, list(map(bench.word, places)))
            read.extend(places)

    bench.run(run)
    assert bench.writes == written
    assert bench.reads == read


@pytest.mark.parametrize(("body", "status"), [
    (request(1, 6), Status.UNKNOWN),
    (request(1, 0x7E), Status.UNKNOWN),
    (request(1, Command.PING, 0), Status.LENGTH),
    (request(1, Command.RESET) + b"\0", Status.LENGTH),
    (request(1, Command.READ, 5), Status.LENGTH),
    (request(1, Command.READ, 5, 1, 1), Status.LENGTH),
    (request(1, Command.OUTPUT), Status.LENGTH),
    (request(1, Command.OUTPUT, 0, 0), Status.LENGTH),
    (request(1, Command.WRITE), Status.LENGTH),
    (request(1, Command.WRITE, 5, 1) + b"\0", Status.LENGTH),
    (request(1, Command.WRITE, 5, *[1] * (WORDS + 1)), Status.LENGTH),
    (request(1, Command.WRITE, 5, *[1] * 200), Status.LENGTH),
    (request(1, Command.EVENTS) + b"\0", Status.LENGTH),
    (request(1, Command.EVENTS, 0, *[1] * (WORDS + 1)), Status.LENGTH),
    (request(1, Command.OUTPUT, 1), Status.POSITION),
])
def test_a_request_that_can_not_be_is_refused_and_not_acted_on(body, status):
    bench = Bench()

    async def run(ctx):
        assert await bench.host.ask(ctx, body) == (status.value, [])
        assert not ctx.get(bench.dut.events.valid)
        assert await bench.host.ask(ctx, request(2, Command.WRITE, 7, 8)) == (0, [state()])

    bench.run(run)
    assert bench.writes == [(7, 8)]
    assert bench.resets == 0
    assert bench.reads == []


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_request_is_counted_and_not_acted_on(kind):
    bench, rng = Bench(), np.random.default_rng(9)

    async def run(ctx):
        for k, command in enumerate([Command.WRITE, Command.EVENTS, Command.OUTPUT] * 3, 1):
            body = request(k, command, *range(3 if command != Command.OUTPUT else 1))
            await bench.host.send(ctx, damaged(body, kind, rng))
            body = request(100 + k, Command.PING)
            expected = [state(damaged=k), fingerprint(CONFIG)]
            assert await bench.host.ask(ctx, body) == (0, expected)
        assert not ctx.get(bench.dut.events.valid)

    bench.run(run)
    assert bench.writes == []


def test_a_frame_without_tag_and_command_is_damaged():
    bench = Bench()

    async def run(ctx):
        for body in (b"", b"\x01"):
            await bench.host.send(ctx, encode(body))
        expected = [state(damaged=2), fingerprint(CONFIG)]
        assert await bench.host.ask(ctx, request(1, Command.PING)) == (0, expected)

    bench.run(run)


@pytest.mark.parametrize("seed", [0, 1])
def test_events_reach_the_core_once_and_in_order_whatever_is_sent_twice(seed):
    bench, rng = Bench(stalls=random_stalls([1, seed])), np.random.default_rng(seed)
    words = rng.integers(0, EVENT_TOP, (300, 120)[seed]).tolist()
    got = []

    async def core(ctx):
        stalls = random_stalls([2, seed], busy=0.5, longest=(4, 90)[seed])
        got.extend(await get(ctx, bench.dut.events, len(words), stalls))

    async def run(ctx):
        taken = 0
        while taken < len(words):
            count = int(rng.integers(0, WORDS + 1))
            body = request(5, Command.EVENTS, taken % 256, *words[taken : taken + count])
            for _ in range(int(rng.integers(1, 3))):
                status, (after,) = await bench.host.ask(ctx, body)
                assert status == 0
            taken += (((after >> 16) & 0xFF) - taken) % 256

    bench.run(core, run)
    packed = [word["tick"] | word["channel"] << CONFIG.tick_bits
              | word["last"] << (CONFIG.tick_bits + CONFIG.channel_bits) for word in got]
    assert packed == words


def test_a_core_that_takes_nothing_leaves_its_request_answered():
    bench = Bench(patience=300)

    async def run(ctx):
        body = request(1, Command.EVENTS, 0, 1, 2, 3)
        # One word waits for the core; the next doesn't.
        assert await bench.host.ask(ctx, body) == (0, [state(taken=1)])
        assert ctx.get(bench.dut.events.valid)
        assert await bench.host.ask(ctx, request(2, Command.RESET)) == (0, [state()])
        assert not ctx.get(bench.dut.events.valid)

    bench.run(run)


def test_the_words_of_a_request_wait_for_a_slow_core_no_longer_than_one_would():
    bench = Bench(patience=300)

    async def core(ctx):
        while True:
            await get(ctx, bench.dut.events, 1, lambda: 99)

    async def run(ctx):
        body = request(1, Command.EVENTS, 0, *range(WORDS))
        status, (after,) = await bench.host.ask(ctx, body)
        assert status == 0
        assert after in (state(taken=4), state(taken=5))
        body = request(1, Command.EVENTS, after >> 16, *range(WORDS))
        status, (later,) = await bench.host.ask(ctx, body)
        assert later >> 16 >= (after >> 16) + 3

    simulate(bench.dut, run, background=[bench.bus, bench.host.take, core])


@pytest.mark.parametrize("seed", [0, 1])
def test_output_is_neither_lost_nor_doubled_whatever_is_asked_twice(seed):
    bench, rng = Bench(stalls=random_stalls([3, seed], busy=0.9)), np.random.default_rng(seed)
    words = rng.integers(0, 1 << (CONFIG.tick_bits + CONFIG.neuron_bits + 1), 400).tolist()
    payloads = [{"tick": word & ((1 << CONFIG.tick_bits) - 1),
                 "neuron": word >> CONFIG.tick_bits & ((1 << CONFIG.neuron_bits) - 1),
                 "last": word >> (CONFIG.tick_bits + CONFIG.neuron_bits)} for word in words]

    async def core(ctx):
        await put(ctx, bench.dut.spikes, payloads, random_stalls([4, seed], longest=30))

    async def run(ctx):
        have = 0
        while have < len(words):
            for _ in range(int(rng.integers(1, 3))):
                body = request(7, Command.OUTPUT, have % 256)
                status, got = await bench.host.ask(ctx, body)
                assert status == 0
                assert got == words[have : have + len(got)]
            have += len(got)
            # What was released can't be had again.
            body = request(8, Command.OUTPUT, (have - len(got) - 1) % 256)
            assert await bench.host.ask(ctx, body) == (Status.POSITION.value, [])

    bench.run(core, run, cycles=600_000)


def test_a_full_output_leaves_the_request_of_events_answered_at_once():
    bench = Bench(patience=1 << 16)

    async def core(ctx):
        await put(ctx, bench.dut.spikes, [{"tick": k % 64, "neuron": 1} for k in range(256)])

    async def run(ctx):
        while not ctx.get(bench.dut.spikes.valid & ~bench.dut.spikes.ready):
            await ctx.tick()
        body = request(1, Command.EVENTS, 0, 1, 2, 3)
        assert await bench.host.ask(ctx, body) == (0, [state(taken=1)])
        got = []
        while len(got) < 256:
            status, words = await bench.host.ask(ctx, request(2, Command.OUTPUT, len(got)))
            assert (status, len(words)) == (0, 64)
            got += words
        assert got == [k % 64 | 1 << CONFIG.tick_bits for k in range(256)]

    bench.run(core, run)


def test_a_reset_forgets_positions_and_output():
    bench = Bench()

    async def core(ctx):
        await put(ctx, bench.dut.spikes, [{"tick": k, "neuron": 1} for k in range(5)])
        await get(ctx, bench.dut.events, 2)

    async def run(ctx):
        assert (await bench.host.ask(ctx, request(1, Command.EVENTS, 0, 1, 2)))[0] == 0
        status, words = await bench.host.ask(ctx, request(2, Command.OUTPUT, 3))
        assert (status, len(words)) == (0, 2)
        ping = (0, [state(taken=2, first=3), fingerprint(CONFIG)])
        assert await bench.host.ask(ctx, request(3, Command.PING)) == ping
        assert await bench.host.ask(ctx, request(4, Command.RESET)) == (0, [state()])
        assert await bench.host.ask(ctx, request(5, Command.OUTPUT, 0)) == (0, [])

    bench.run(core, run)


def test_what_an_engine_can_not_be():
    wide = random_config(np.random.default_rng(2), ticks=65000, tick=0.1, inputs=60_000)
    with pytest.raises(ValueError, match="An input word must fit 32 bits, not 33"):
        Engine(config=wide)
    with pytest.raises(ValueError, match="Patience must be at least 1 cycle, not 0"):
        Engine(config=CONFIG, patience=0)
