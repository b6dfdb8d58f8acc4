# amaranth: UnusedElaboratable=no
import numpy as np
import pytest

from ranvier.hw.boards.uart import Receiver, Transmitter, divisor
from ranvier.sim.benches import put, simulate

BYTES = [0x00, 0xFF, 0x55, 0xAA, 0x7E, *np.random.default_rng(3).integers(0, 256, 15).tolist()]


def levels(byte, *, stop=1):
    return [0, *(byte >> k & 1 for k in range(8)), stop]


def receive(line, cycles, period):
    """Play levels, ``period`` cycles each, to a receiver; returns (data, broken) of each byte."""
    dut, got = Receiver(cycles=cycles), []

    async def play(ctx):
        played = 0
        for n, level in enumerate(line, 1):
            ctx.set(dut.rx, level)
            while played < round(n * period):
                _, _, valid, byte = await ctx.tick().sample(dut.o.valid, dut.o.payload)
                played += 1
                if valid:
                    got.append((byte.data, byte.broken))

    simulate(dut, play)
    return got


@pytest.mark.parametrize("cycles", [8, 9, 27])
@pytest.mark.parametrize("drift", [0.97, 1, 1.03])
def test_bytes_in_a_row_arrive_at_a_rate_that_is_somewhat_off(cycles, drift):
    line = [1, 1, *(level for byte in BYTES for level in levels(byte)), 1, 1]
    assert receive(line, cycles, cycles * drift) == [(byte, 0) for byte in BYTES]


def test_a_byte_without_stop_bit_is_broken_and_the_next_one_is_not():
    line = [1, *levels(0x41, stop=0), 1, *levels(0x42), 1]
    assert receive(line, 8, 8) == [(0x41, 1), (0x42, 0)]


def test_a_break_of_the_line_is_one_broken_byte():
    assert receive([1, *[0] * 60, 1, *levels(0x42), 1], 8, 8) == [(0, 1), (0x42, 0)]


def test_a_glitch_shorter_than_half_a_bit_is_no_start_bit():
    line = [1] * 20 + [0] * 3 + [1] * 20 + [level for level in levels(0x42) for _ in range(8)]
    assert receive(line + [1] * 8, 8, 1) == [(0x42, 0)]


@pytest.mark.parametrize("cycles", [8, 12])
def test_a_sent_byte_takes_ten_bits(cycles):
    dut, line = Transmitter(cycles=cycles), []

    async def watch(ctx):
        async for _, _, level in ctx.tick().sample(dut.tx):
            line.append(level)

    async def send(ctx):
        await put(ctx, dut.i, BYTES)
        for _ in range(11 * cycles):
            await ctx.tick()

    simulate(dut, send, background=[watch])
    start = line.index(0)
    bits = [line[start + n * cycles : start + (n + 1) * cycles] for n in range(10 * len(BYTES))]
    assert all(len(set(bit)) == 1 for bit in bits)
    assert [bit[0] for bit in bits] == [level for byte in BYTES for level in levels(byte)]
    assert set(line[:start] + line[start + 10 * len(BYTES) * cycles :]) == {1}


def test_rates_that_a_clock_can_and_can_not_make():
    assert [divisor(clock, 1e6) for clock in (12e6, 25e6, 27e6)] == [12, 25, 27]
    assert divisor(12e6, 115200) == 104
    with pytest.raises(ValueError, match="2 % of 12000000 Hz over a whole number of 8 or more, "
                                         "not 1250000"):
        divisor(12e6, 1250000)
    with pytest.raises(ValueError, match="not 2000000"):
        divisor(12e6, 2000000)
    with pytest.raises(ValueError, match="at least 8 cycles, not 7"):
        Receiver(cycles=7)
