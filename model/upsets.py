"""Faults of neurons: upsets, bits that flip in a stored word at the start of a tick; death."""

from enum import IntEnum

import numpy as np

from .arrivals import upset_sum
from .blocks import upset_trace
from .jit import kernel

__all__ = [
    "NO_UPSETS", "UPSET", "Site", "check_upsets", "dead_weights", "join_upsets", "site_bits",
    "upset_rows",
]  # fmt: skip

# A word of a neuron, at a place, whose bits in `mask` flip at the start of a tick.
UPSET = np.dtype([("tick", "i8"), ("site", "i8"), ("neuron", "i8"), ("mask", "i8")])
NO_UPSETS = np.zeros(0, UPSET)


class Site(IntEnum):
    """Which word of a neuron is upset.

    Members
    -------
    P, Q, A
        A trace of a spiking neuron, as it's stored: after the last touch, not decayed since.
    SUM
        The sum of the arrivals that are due in the tick.
    """

    P = 0
    Q = 1
    A = 2
    SUM = 3


_SUM = int(Site.SUM)


def site_bits(config):
    """Return the width of the word of each `Site` that a core has, as a dict."""
    absent = {Site.Q} if config.synapse == "jump" else set()
    absent |= set() if config.adaptive else {Site.A}
    return {site: config.sum_bits if site == Site.SUM else config.trace_bits
            for site in Site if site not in absent}


def check_upsets(upsets, config):
    """Raise ValueError if upsets, an array of `UPSET`, can't be those of a sample.

    They must be sorted by tick; ticks, sites and neurons must be there, and so must the bits of a
    mask: from 1 to 2^width - 1. Leaky outputs have a sum alone. Streams can't be upset.
    """
    if not isinstance(upsets, np.ndarray) or upsets.dtype != UPSET or upsets.ndim != 1:
        raise ValueError(f"Upsets must be a vector of UPSET, not {upsets!r}")
    if not upsets.size:
        return
    if config.streaming:
        raise ValueError("Upsets must be those of samples, not of the windows of a stream")
    widths = site_bits(config)
    ticks, neurons = upsets["tick"], upsets["neuron"]
    back = np.flatnonzero(np.diff(ticks) < 0)
    if back.size:
        raise ValueError(f"Upset {back[0] + 1} must not be before upset {back[0]}, at tick "
                         f"{ticks[back[0]]}, not at tick {ticks[back[0] + 1]}")
    site = np.clip(upsets["site"], -1, len(Site))
    width = np.array([*(widths.get(s, 0) for s in Site), 0, 0])[site]
    count = np.where(site == Site.SUM, config.neurons, config.spiking)
    for name, values, limit in (("tick", ticks, np.full(ticks.size, config.ticks)),
                                ("site", width == 0, np.ones(ticks.size)),
                                ("neuron", neurons, count),
                                ("mask", upsets["mask"] - 1, (1 << width) - 1)):
        bad = np.flatnonzero((values < 0) | (values >= limit))
        if bad.size:
            wanted = {"site": "one of " + ", ".join(s.name for s in widths),
                      "mask": f"from 1 to {(1 << int(width[bad[0]])) - 1}"}.get(
                          name, f"from 0 to {int(limit[bad[0]]) - 1}")
            raise ValueError(f"Upset {bad[0]} must have a {name} {wanted}, "
                             f"not {upsets[name][bad[0]]}")


def dead_weights(parameters, neurons):
    """Return the weights (synapses,) int32 with which some neurons are dead."""
    return np.where(np.isin(parameters.target, neurons), 0, parameters.weight).astype(np.int32)


def upset_rows(upsets):
    """Return upsets (n,) as the rows (n, 4) int64 that `strike` takes."""
    return np.ascontiguousarray(upsets).view(np.int64).reshape(-1, len(UPSET))


def join_upsets(upsets, samples, config):
    """Check upsets of each sample; return rows of all of them, and where each sample's start.

    Raises
    ------
    ValueError
        If there isn't an array of them for each sample, or `check_upsets` refuses one.
    """
    upsets = [NO_UPSETS] * samples if upsets is None else upsets
    if len(upsets) != samples:
        raise ValueError(f"Upsets must be given for {samples} samples, not for {len(upsets)}")
    for each in upsets:
        check_upsets(each, config)
    return (upset_rows(np.concatenate([NO_UPSETS, *upsets])),
            np.cumsum([0, *(each.size for each in upsets)]))


@kernel
def strike(row, base, shape, state, window):
    """Let an upset (a row of `upset_rows`) strike; ``base`` is where the tick's sums stand."""
    site, neuron, mask = row[1], row[2], row[3]
    if site == _SUM:
        place = neuron if neuron < shape.spiking else neuron + shape.width - shape.spiking
        upset_sum(base + place, mask, shape.sum_bits, window)
    else:
        upset_trace(site, neuron, mask, shape.top, state)
