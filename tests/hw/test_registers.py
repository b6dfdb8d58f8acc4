# amaranth: UnusedElaboratable=no
"""The bus: its map, what it refuses, and the registers that it reads."""
from dataclasses import replace

import pytest
from amaranth.hdl import signed

from ranvier.hw.payloads import Memory, memories, memory_depth
from ranvier.hw.registers import (
    COUNTERS,
    ERRORS,
    IDENTITY,
    REGISTERS,
    BusMap,
    RegisterFile,
    counter_steps,
)
from ranvier.hw.saboteur import PLACE, SETTING
from ranvier.sim.benches import simulate

from .configs import small_config


class Bench:
    """A register file, and the accesses that a master of its bus makes."""

    def __init__(self, **changes):
        self.config = small_config(**changes)
        self.map = BusMap(self.config)
        self.dut = RegisterFile(config=self.config, value_shape=signed(40))

    async def write(self, ctx, address, word):
        ctx.set(self.dut.bus.address, address)
        ctx.set(self.dut.bus.w_data, word)
        ctx.set(self.dut.bus.w_en, 1)
        await ctx.tick()
        ctx.set(self.dut.bus.w_en, 0)

    async def read(self, ctx, name):
        ctx.set(self.dut.bus.address, self.map.register(name))
        ctx.set(self.dut.bus.r_en, 1)
        await ctx.tick()
        ctx.set(self.dut.bus.r_en, 0)
        return ctx.get(self.dut.bus.r_data)

    def loads(self, ctx):
        """Return the write that each bank sees, or None."""
        return [(ctx.get(load.memory), ctx.get(load.address), ctx.get(load.data))
                if ctx.get(load.en) else None for load in self.dut.load]


def test_addresses_are_all_different():
    bus = BusMap(small_config(banks=3, readout="leaky"))
    config = bus.config
    addresses = [bus.register(name) for name in REGISTERS]
    for memory in memories(config):
        for bank in range(config.banks):
            addresses += [bus.address(memory, offset, bank)
                          for offset in range(memory_depth(config, memory))]
    assert len(set(addresses)) == len(addresses)
    assert max(addresses) < 1 << bus.address_bits


@pytest.mark.parametrize("banks", [1, 3])
def test_writes_reach_their_bank_and_tables_reach_all(banks):
    bench = Bench(banks=banks)

    async def control(ctx):
        await bench.write(ctx, bench.map.address(Memory.WEIGHTS, 7, banks - 1), 0x80)
        assert bench.loads(ctx) == [None] * (banks - 1) + [(Memory.WEIGHTS, 7, 0x80)]
        await bench.write(ctx, bench.map.address(Memory.LOW_M, 63), 5)
        assert bench.loads(ctx) == [(Memory.LOW_M, 63, 5)] * banks
        await ctx.tick()
        assert bench.loads(ctx) == [None] * banks
        await ctx.tick().repeat(bench.dut.latency)
        assert await bench.read(ctx, "refused") == 0

    simulate(bench.dut, control, cycles=100)


def test_a_saboteur_has_two_words_in_each_bank():
    bench = Bench(banks=3, saboteurs=True)

    async def control(ctx):
        for offset in (PLACE, SETTING):
            await bench.write(ctx, bench.map.address(Memory.SABOTEUR, offset, 1), 9)
            assert bench.loads(ctx) == [None, (Memory.SABOTEUR, offset, 9), None]
        for offset, bank in ((SETTING + 1, 1), (PLACE, 3)):
            await bench.write(ctx, bench.map.address(Memory.SABOTEUR, offset, bank), 9)
            assert bench.loads(ctx) == [None] * 3
        await ctx.tick().repeat(bench.dut.latency)
        assert await bench.read(ctx, "refused") == 2

    simulate(bench.dut, control, cycles=100)


def test_writes_that_reach_nothing_are_refused_and_counted():
    bench = Bench(banks=3, synapse="jump", adaptive=False)
    depth = memory_depth(bench.config, Memory.WEIGHTS)
    bad = [bench.map.address(Memory.WEIGHTS, depth), bench.map.address(Memory.WEIGHTS, 0, 3),
           bench.map.address(Memory.BETA), bench.map.address(Memory.SLEEP),
           bench.map.address(Memory.READOUT), 15 << 6,  # no such memory
           bench.map.address(Memory.SABOTEUR, SETTING)]

    async def control(ctx):
        for address in bad:
            await bench.write(ctx, address, 1)
            assert bench.loads(ctx) == [None] * 3
        await ctx.tick().repeat(bench.dut.latency)
        assert await bench.read(ctx, "refused") == len(bad)
        ctx.set(bench.dut.running, 1)
        await bench.write(ctx, bench.map.address(Memory.WEIGHTS, 0), 1)
        assert bench.loads(ctx) == [None] * 3
        await ctx.tick().repeat(bench.dut.latency)
        assert await bench.read(ctx, "refused") == len(bad) + 1
        assert await bench.read(ctx, "errors") == 1 << ERRORS.index("refused")
        await bench.write(ctx, bench.map.register("errors"), 1 << ERRORS.index("dropped"))
        assert await bench.read(ctx, "errors") == 1 << ERRORS.index("refused")
        await bench.write(ctx, bench.map.register("errors"), 1 << ERRORS.index("refused"))
        assert await bench.read(ctx, "errors") == 0

    simulate(bench.dut, control, cycles=100)


def test_counters_count_and_begin_anew():
    bench = Bench(banks=2)

    async def control(ctx):
        assert await bench.read(ctx, "identity") == IDENTITY
        for _ in range(2):
            ctx.set(bench.dut.begin, 1)
            ctx.set(bench.dut.count.ticks, 1)  # a tick starts together with its sample
            await ctx.tick()
            ctx.set(bench.dut.begin, 0)
            steps = {name: step // 2 + 1 for name, step in counter_steps(bench.config).items()}
            steps["dropped"] = 1
            for name in COUNTERS:
                ctx.set(bench.dut.count[name], steps[name])
            for _ in range(3):
                await ctx.tick()
            for name in COUNTERS:
                ctx.set(bench.dut.count[name], 0)
            await ctx.tick().repeat(bench.dut.latency)
            counts = {}
            for name in COUNTERS:
                counts[name] = await bench.read(ctx, name)
                await ctx.tick()
            assert counts == {name: 3 * steps[name] + (name == "ticks") for name in COUNTERS}
        assert await bench.read(ctx, "errors") == (
            1 << ERRORS.index("overflow") | 1 << ERRORS.index("dropped"))

    simulate(bench.dut, control, cycles=200)


def test_the_end_of_a_sample_is_kept():
    bench = Bench()

    async def control(ctx):
        ctx.set(bench.dut.over, 1)
        await ctx.tick().repeat(2)
        ctx.set(bench.dut.over, 0)
        await ctx.tick().repeat(bench.dut.latency)
        assert await bench.read(ctx, "samples") == 2
        ctx.set(bench.dut.end, 1)
        ctx.set(bench.dut.decision, 2)
        await ctx.tick()
        ctx.set(bench.dut.decision, 1)
        await ctx.tick()
        ctx.set(bench.dut.end, 0)
        assert await bench.read(ctx, "decision") == 1
        ctx.set(bench.dut.running, 1)
        assert await bench.read(ctx, "status") == 1
        ctx.set(bench.dut.running, 0)
        ctx.set(bench.dut.clearing, 1)
        assert await bench.read(ctx, "status") == 2

    simulate(bench.dut, control, cycles=100)


def test_values_are_read_in_two_words():
    bench = Bench()

    async def control(ctx):
        await bench.write(ctx, bench.map.register("value_select"), 3)
        assert ctx.get(bench.dut.value_select) == 3
        assert await bench.read(ctx, "value_select") == 3
        ctx.set(bench.dut.value, -2)
        assert await bench.read(ctx, "value_low") == 0xFFFFFFFE
        assert await bench.read(ctx, "value_high") == 0xFFFFFFFF

    simulate(bench.dut, control, cycles=100)


def test_what_does_not_fit_the_bus_is_refused():
    config = small_config(banks=5)
    with pytest.raises(ValueError, match=r"^Bus addresses must fit 32 bits, not 33$"):
        BusMap(replace(config, synapses=1 << 26))
    wide = replace(config, neurons=1 << 16, banks=1, delay_max=1 << 16)
    with pytest.raises(ValueError, match=r"^Target and delay of a synapse must fit 32 bits, "
                                         r"not 33$"):
        BusMap(wide)
