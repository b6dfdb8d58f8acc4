# amaranth: UnusedElaboratable=no
"""Rounding and saturation against the rules written out in Python."""
import pytest
from amaranth.hdl import Module, Signal, signed, unsigned
from amaranth.sim import Simulator
from hypothesis import given, settings
from hypothesis import strategies as st

from ranvier.hw.fixed import round_shift, saturate


def evaluate(build, shape, values):
    """Return the outputs of the combinational ``build(m, value)`` for each of ``values``."""
    m = Module()
    value = Signal(shape)
    outputs = build(m, value)
    answers = []

    async def bench(ctx):
        for word in values:
            ctx.set(value, word)
            await ctx.delay(1e-9)
            answers.append(tuple(ctx.get(output) for output in outputs))

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()
    return answers


def rounded(m, value, amount):
    output = Signal(signed(40))
    m.d.comb += output.eq(round_shift(value, amount))
    return (output,)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(2, 30), st.integers(1, 12), st.data())
def test_round_shift_adds_half_and_floors(width, amount, data):
    top = 1 << (width - 1)
    values = data.draw(st.lists(st.integers(-top, top - 1), min_size=1, max_size=20))
    values += [-top, top - 1, 0, -1]
    got = evaluate(lambda m, value: rounded(m, value, amount), signed(width), values)
    assert got == [((value + (1 << (amount - 1))) // (1 << amount),) for value in values]


@pytest.mark.parametrize(("width", "narrow"), [(5, 3), (4, 4), (3, 5), (4, 2)])
def test_saturate_clips_to_the_range_and_says_so(width, narrow):
    values = range(-(1 << (width - 1)), 1 << (width - 1))
    got = evaluate(lambda m, value: saturate(m, value, narrow), signed(width), values)
    top = (1 << (narrow - 1)) - 1
    clipped = [min(max(value, -top - 1), top) for value in values]
    assert got == [(want, want != value) for value, want in zip(values, clipped, strict=True)]


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match=r"^Rounding shift must drop at least 1 bit, not 0$"):
        round_shift(Signal(4), 0)
    with pytest.raises(TypeError, match=r"^Value to saturate must be signed, not unsigned\(4\)$"):
        saturate(Module(), Signal(unsigned(4)), 3)
