"""Rows on speed and memory: contestants in turn, CPU time of one thread, the best of several."""

from registry import SPEED, compare, cost, row

QUICKER = ("snntorch", "norse", "spikingjelly")
CLOCKED = (*QUICKER, "rockpool")


def yinyang_size(context):
    """Return the options of the Yin-Yang race."""
    return {"samples": 192, "hidden": 10, "repeats": 1} if context.quick else {"repeats": 5}


def shd_size(context, samples=32):
    """Return the options of an SHD race."""
    toy = {"samples": 2, "hidden": 8, "events": 200, "duration": 100.0, "repeats": 1}
    return toy if context.quick else {"samples": samples, "repeats": 3}


def large_batch(context, task):
    """Return a race with 128 samples in a batch, which costs clocked peers less a sample."""
    return compare(context.race(("ranvier", *QUICKER), task, rounds=1, **shd_size(context, 128)))


@row("yinyang-speed", "Yin-Yang 5-120-3 with delays, one epoch of 5000 samples", "CPU s", SPEED)
def yinyang_speed(context):
    """One epoch of training, everything included; the limit kernel trains weights and delays."""
    names = ("limit", "ranvier", "exact_snn_nn", "jaxsnn", "mlgenn", *CLOCKED)
    found = context.race(names, "yinyang", **yinyang_size(context))
    return cost(found["ranvier"]), compare(found)


@row(
    "shd-speed", "SHD's shape, recurrent, delays to 60 ms, forward + backward a sample, "
    "tick 1 ms / exact", "CPU ms", SPEED,
)  # fmt: skip
def shd_speed(context):
    """On the grid and exact. The exact limit kernel does the input layer alone."""
    size = shd_size(context)
    grid = context.race(("limit", "ranvier", "mlgenn", *CLOCKED), "shd", **size)
    exact = context.race(("limit", "ranvier"), "shd_exact", **size)
    values = [cost(grid["ranvier"]), cost(exact["ranvier"])]
    return values, {
        "tick 1 ms": compare(grid), "tick 1 ms, batch 128": large_batch(context, "shd"),
        "exact": compare(exact),
    }  # fmt: skip


@row("shd-fine", "The same at a tick of 0.1 ms", "CPU ms", SPEED)
def shd_fine(context):
    """Clocked peers need gigabytes here; rockpool would also need hours."""
    size = shd_size(context)
    found = context.race(("limit", "ranvier", "mlgenn", *QUICKER), "shd", tick=0.1, **size)
    return cost(found["ranvier"]), compare(found)


@row("inference", "Integer model on SHD's shape, bit-exact, a sample", "CPU ms", SPEED)
def inference(context):
    """`model.Emulator` against float and integer simulators."""
    names = ("limit", "ranvier", "brian2", "xylosim", *CLOCKED)
    found = compare(context.race(names, "inference", **shd_size(context)))
    larger = large_batch(context, "inference")
    return cost(found["contestants"]["ranvier"]), found | {"batch 128": larger}


@row(
    "memory", "Peak beyond data and parameters, SHD's shape, batch 32, tick 1 ms / 0.1 ms",
    "MiB", SPEED,
)  # fmt: skip
def memory(context):
    """Of one training step, in a process of its own."""
    found, values = {}, []
    for tick, names in ((1.0, ("limit", "ranvier", *CLOCKED)), (0.1, ("limit", "ranvier"))):
        size = shd_size(context) | {"repeats": 1}
        found[f"tick {tick} ms"] = context.race(names, "shd", rounds=1, tick=tick, **size)
        values.append(found[f"tick {tick} ms"]["ranvier"]["peak"])
    return values, found


@row("threads", "Wall time of shd-speed on one thread over two, tick 1 ms / exact", "x", SPEED)
def threads(context):
    """Only as true as the second core is free; the bits must be the same in any case."""
    values, detail = [], {}
    for task in ("shd", "shd_exact"):
        size = shd_size(context)
        found = {
            count: context.race(("ranvier",), task, threads=count, **size)["ranvier"]
            for count in (1, 2)
        }
        if found[1]["digest"] != found[2]["digest"]:
            raise RuntimeError(f"Bits of {task} on one and on two threads must be equal")
        values.append(found[1]["wall"] / found[2]["wall"])
        detail[task] = {"wall": [found[1]["wall"], found[2]["wall"]], "bits": "equal"}
    return values, detail
