"""The harness reaches every port of what is inside it."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from ranvier.hw.synthesis.harness import Harness


class Adder(wiring.Component):
    """A sum a cycle late, as its ports are all that the harness knows of."""

    a: In(5)
    b: In(3)
    total: Out(6)
    carry: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.total.eq(self.a + self.b)
        m.d.comb += self.carry.eq(self.total[5])
        return m


def test_bits_go_in_and_come_out_in_their_order():
    harness, words = Harness(Adder()), []

    async def bench(ctx):
        for a, b in ((17, 5), (31, 7), (0, 3)):
            for bit in reversed(range(8)):  # the last bit ends lowest
                ctx.set(harness.data, (a | b << 5) >> bit & 1)
                await ctx.tick()
            for hold in (1, 0, 1):  # into the inputs, through the sum, out of the outputs
                ctx.set(harness.hold, hold)
                await ctx.tick()
            ctx.set(harness.hold, 0)
            word = 0
            for bit in range(7):
                word |= ctx.get(harness.result) << bit
                await ctx.tick()
            words.append(word)

    simulator = Simulator(harness)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert words == [22, 38 | 64, 3]
