"""Pieces of testbenches for the Amaranth simulator: stream put and get, stalls, a cycle limit."""

import numpy as np
from amaranth.lib import data
from amaranth.sim import Simulator

__all__ = ["get", "no_stalls", "put", "random_stalls", "simulate", "until"]


def no_stalls():
    """Return 0: never wait."""
    return 0


def random_stalls(seed, busy=0.5, longest=4):
    """Return a function that draws how many cycles to wait before the next word.

    Parameters
    ----------
    seed : int or sequence of int
        Seed of the draws.
    busy : float
        Probability that a word isn't delayed at all.
    longest : int
        Longest wait, in cycles.
    """
    generator = np.random.default_rng(seed)

    def draw():
        return 0 if generator.random() < busy else int(generator.integers(1, longest + 1))

    return draw


def _plain(value):
    """Return a payload as an int, or as a dict of its fields."""
    if isinstance(value, data.Const):
        return {name: _plain(value[name]) for name, _ in value.shape()}
    return int(value)


async def until(ctx, condition, *values):
    """Wait for a clock edge at which ``condition`` is true; return the ``values`` just before it.

    Unlike Amaranth's own ``until``, it can be left unfinished when a simulation ends.
    """
    while True:
        _, _, done, *sampled = await ctx.tick().sample(condition, *values)
        if done:
            return sampled


async def put(ctx, stream, words, stalls=no_stalls):
    """Send ``words`` (ints, or dicts of a layout's fields), with ``stalls()`` idle cycles each."""
    for word in words:
        for _ in range(stalls()):
            await ctx.tick()
        ctx.set(stream.payload, word)
        ctx.set(stream.valid, 1)
        await until(ctx, stream.ready)
        ctx.set(stream.valid, 0)


async def get(ctx, stream, count=None, stalls=no_stalls, last=None):
    """Receive ``count`` words, or words up to the first one for which ``last(word)`` is true.

    Checks the stream's rules while it holds the sender up.

    Returns
    -------
    list of int, or of dict for a layout

    Raises
    ------
    AssertionError
        If the sender takes back a word that wasn't accepted yet, or changes it.
    """
    words = []
    while count is None or len(words) < count:
        offered = None
        for _ in range(stalls()):
            _, _, valid, payload = await ctx.tick().sample(stream.valid, stream.payload)
            assert offered is None or (valid and _plain(payload) == offered), (
                f"{stream.payload} must hold until it's accepted, not change from {offered}")
            offered = _plain(payload) if valid else None
        ctx.set(stream.ready, 1)
        [payload] = await until(ctx, stream.valid, stream.payload)
        ctx.set(stream.ready, 0)
        words.append(_plain(payload))
        assert offered is None or words[-1] == offered, (
            f"{stream.payload} must hold until it's accepted, not change from {offered}")
        if last is not None and last(words[-1]):
            break
    return words


def simulate(component, *benches, background=(), cycles=100_000):
    """Run ``benches`` (async functions of a context) on ``component`` until all have returned.

    Benches in ``background`` may run for ever.

    Raises
    ------
    TimeoutError
        If they need more than ``cycles`` clock cycles.
    """
    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    for bench in benches:
        simulator.add_testbench(bench)
    for bench in background:
        simulator.add_testbench(bench, background=True)

    async def limit(ctx):
        for _ in range(cycles):
            await ctx.tick()
        raise TimeoutError(f"Simulation must end within {cycles} cycles")

    simulator.add_process(limit)
    simulator.run()
