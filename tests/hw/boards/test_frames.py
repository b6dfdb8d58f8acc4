import numpy as np
import pytest

from ranvier.hw.boards.frames import Framing
from ranvier.hw.boards.protocol import CRC, encode
from ranvier.sim.benches import no_stalls, put, random_stalls, simulate

from .hosts import DAMAGES, Host, damaged

BODIES = [b"\x01\x02", b"\x7e", b"\x7d\x7e\x5d\x5e", bytes(range(120, 130)), b"\x00" * 40]


class Listener:
    """Notes the frames that a `Framing` hands on: the bytes of good ones, None for others."""

    def __init__(self, dut):
        self._dut = dut
        self.frames = []

    async def listen(self, ctx):
        dut, inside = self._dut, bytearray()
        async for _, _, strobe, byte, end, good, busy in ctx.tick().sample(
                dut.strobe, dut.byte, dut.end, dut.good, dut.busy):
            assert not (busy and (strobe or good))
            if strobe:
                inside.append(byte)
            if end:
                self.frames.append(bytes(inside) if good else None)
                inside.clear()


def whole(body):
    return body + CRC.compute(body).to_bytes(2, "little")


def receive(*pieces, stalls=no_stalls):
    """Play bytes, or (bytes, places of the broken ones), to a unit; returns what it hands on."""
    dut = Framing()
    host, listener = Host(dut, stalls), Listener(dut)

    async def play(ctx):
        for piece in pieces:
            data, broken = piece if isinstance(piece, tuple) else (piece, ())
            await host.send(ctx, data, broken=broken)
        await ctx.tick()

    simulate(dut, play, background=[listener.listen])
    return listener.frames


@pytest.mark.parametrize("stalls", [no_stalls, random_stalls(5, longest=9)])
def test_good_frames_are_handed_on(stalls):
    assert receive(*map(encode, BODIES), stalls=stalls) == [whole(body) for body in BODIES]


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_frame_is_not_good_and_the_next_one_is(kind):
    rng = np.random.default_rng(len(kind))
    pieces, expected = [], []
    for body in BODIES:
        pieces += [damaged(body, kind, rng), encode(body)]
        expected += [None, whole(body)]
    assert receive(*pieces, stalls=random_stalls(6)) == expected


def test_a_broken_byte_damages_its_frame_even_where_a_flag_was():
    frame = encode(BODIES[0])
    pieces = [piece for place in range(1, len(frame)) for piece in ((frame, (place,)), frame)]
    got = receive(*pieces)
    assert got.count(whole(BODIES[0])) == len(frame) - 1
    assert got.count(None) == len(frame) - 1


def test_an_escape_before_the_last_flag_aborts_a_frame_that_is_whole():
    aborted = encode(b"\x01\x02")[:-1] + b"\x7d\x7e"
    assert receive(aborted, encode(b"\x03")) == [None, whole(b"\x03")]


def test_flags_in_a_row_are_no_frame():
    assert receive(b"\x7e" * 5, encode(b"\x01"), b"\x7e\x7e") == [whole(b"\x01")]


@pytest.mark.parametrize("seed", [0, 1])
def test_answers_go_out_as_frames(seed):
    dut = Framing()
    host = Host(dut, random_stalls([7, seed], busy=(0.3, 1)[seed]))

    async def send(ctx):
        ctx.set(dut.busy, 1)
        for count, body in enumerate(BODIES, 1):
            words = [{"data": byte, "last": k == len(body) - 1} for k, byte in enumerate(body)]
            await put(ctx, dut.i, words, random_stalls([8, seed]))
            await host.answer(ctx, count)
            assert ctx.get(dut.idle)

    simulate(dut, send, background=[host.take])
    assert host.frames == BODIES


def test_what_comes_while_it_is_busy_is_lost_and_damages_only_its_frame():
    dut = Framing()
    host, listener = Host(dut), Listener(dut)

    async def play(ctx):
        ctx.set(dut.busy, 1)
        await host.send(ctx, encode(b"\x01\x02"))
        await host.send(ctx, encode(b"\x03\x04")[:3])
        await put(ctx, dut.i, [{"data": 5, "last": 1}])
        await host.answer(ctx, 1)
        ctx.set(dut.busy, 0)
        await host.send(ctx, encode(b"\x03\x04")[3:])
        await host.send(ctx, encode(b"\x05\x06"))
        await ctx.tick()

    simulate(dut, play, background=[listener.listen, host.take])
    assert listener.frames == [None, None, whole(b"\x05\x06")]
    assert host.frames == [b"\x05"]
