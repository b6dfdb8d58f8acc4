"""Random upsets of a design's state, the same for the same seed."""

import numpy as np

from ranvier.model.upsets import UPSET, Site, site_bits


def random_upsets(rng, config, result, *, count=None):
    """Return upsets of a sample, most of them where and when something is going on.

    Parameters
    ----------
    result : Result
        What the sample does without them.
    """
    upsets = np.zeros(int(rng.integers(1, 12)) if count is None else count, UPSET)
    for upset in upsets:
        upset["tick"], upset["neuron"] = rng.integers(config.ticks), rng.integers(config.neurons)
        if result.trace.size and rng.random() < 0.8:
            touch = result.trace[rng.integers(result.trace.size)]
            later = 0 if rng.random() < 0.5 else int(rng.integers(1, 4))
            upset["tick"] = min(touch["tick"] + later, config.ticks - 1)
            upset["neuron"] = touch["neuron"]
        widths = site_bits(config)
        sites = [Site.SUM] if upset["neuron"] >= config.spiking else list(widths)
        upset["site"] = rng.choice(sites)
        bits = widths[Site(upset["site"])]
        upset["mask"] = 1 << int(rng.integers(bits))
        if rng.random() < 0.2:
            upset["mask"] = rng.integers(1, 1 << bits)
    return np.sort(upsets, order="tick", kind="stable")


def as_tuples(upsets):
    """Return upsets as the oracle takes them."""
    return [(int(tick), Site(site).name.lower(), int(neuron), int(mask))
            for tick, site, neuron, mask in upsets.tolist()]
