"""What a delay ring does for the unit that takes its neurons: sums come some cycles later."""

from ranvier.hw.payloads import SUM_LATENCY


def due_words(words):
    """Return ``words`` without their sums, as they go into a unit."""
    return [{"neuron": word["neuron"], "arrival": word["arrival"]} for word in words]


def bring_sums(unit, words):
    """Return a bench that brings the sum of each of ``words`` when ``unit`` has accepted it."""
    async def bench(ctx):
        left, coming = iter(words), [None] * (SUM_LATENCY - 1)
        while True:
            _, _, valid, ready = await ctx.tick().sample(unit.i.valid, unit.i.ready)
            coming.append(next(left)["sum"] if valid and ready else None)
            total = coming.pop(0)
            # Any other time there's something else.
            ctx.set(unit.sum, 1 if total is None else total)

    return bench
