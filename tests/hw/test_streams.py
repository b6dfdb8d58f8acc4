# amaranth: UnusedElaboratable=no
"""Merge and broadcast keep every word, in order, under any stalls."""
import pytest

from ranvier.hw.streams import Broadcast, Merge
from ranvier.sim.benches import get, put, random_stalls, simulate


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("busy", [1.0, 0.4])
def test_merge_keeps_every_word_in_the_order_of_its_port(count, busy):
    dut = Merge(shape=8, count=count)
    sent = [[10 * port + k for k in range(6)] for port in range(count)]
    received = []

    async def collect(ctx):
        received.extend(await get(ctx, dut.o, 6 * count, random_stalls([1, count], busy)))

    def sender(port):
        async def send(ctx):
            await put(ctx, dut.i[port], sent[port], random_stalls([2, port], busy))
        return send

    simulate(dut, collect, *(sender(port) for port in range(count)), cycles=500)
    for port in range(count):
        assert [word for word in received if word // 10 == port] == sent[port]


def test_merge_is_fair():
    dut = Merge(shape=8, count=3)
    received = []

    async def collect(ctx):
        received.extend(await get(ctx, dut.o, 12))

    def sender(port):
        async def send(ctx):
            await put(ctx, dut.i[port], [port] * 4)
        return send

    simulate(dut, collect, *(sender(port) for port in range(3)), cycles=100)
    assert all(sorted(received[k:k + 3]) == [0, 1, 2] for k in range(0, 12, 3))


@pytest.mark.parametrize("count", [1, 3])
def test_broadcast_gives_each_receiver_every_word_once(count):
    dut = Broadcast(shape=8, count=count)
    words = list(range(20))
    received = {}

    async def send(ctx):
        await put(ctx, dut.i, words, random_stalls(5))

    def receiver(port):
        async def collect(ctx):
            received[port] = await get(ctx, dut.o[port], len(words), random_stalls([6, port]))
        return collect

    simulate(dut, send, *(receiver(port) for port in range(count)), cycles=1000)
    assert received == dict.fromkeys(range(count), words)


def test_bad_counts_are_refused():
    with pytest.raises(ValueError, match=r"^Merge must have at least 1 input, not 0$"):
        Merge(shape=8, count=0)
    with pytest.raises(ValueError, match=r"^Broadcast must have at least 1 output, not 0$"):
        Broadcast(shape=8, count=0)


def test_a_cleared_merge_begins_with_the_turn_of_a_fresh_one():
    dut = Merge(shape=8, count=3)

    async def bench(ctx):
        ctx.set(dut.o.ready, 1)
        for _ in range(3):
            for port in dut.i:
                ctx.set(port.valid, 1)
            order = []
            for _ in range(2):
                order.append([k for k, port in enumerate(dut.i) if ctx.get(port.ready)])
                await ctx.tick()
            assert order == [[1], [2]]
            for port in dut.i:
                ctx.set(port.valid, 0)
            ctx.set(dut.clear, 1)
            await ctx.tick()
            ctx.set(dut.clear, 0)

    simulate(dut, bench, cycles=50)
