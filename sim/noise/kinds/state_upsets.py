"""Bits of the neurons' state flip while a sample runs."""

import numpy as np

from ....model.upsets import UPSET, site_bits
from ..kind import Kind, parts
from ..philox import stream_key, words

MOST = 1024


class StateUpsets(Kind):
    """Flips so many bits of traces and accumulators in each sample, each at a tick.

    Tick, neuron, word and bit are uniform. An accumulator to which nothing comes in a tick counts
    as 0 whatever is in it, so an upset of it is masked.
    """

    name = "state_upsets"
    number = 24
    protected = False
    unit = "upsets per sample"
    origin = "radiation upsets of the neurons' memory and of the delay buffer"
    levels = (1, 4, 16, 64, 256)
    columns = 4
    field = "upsets"
    meaning = "tick, word (0 to 3: P, Q, A, sum of arrivals), neuron and bit of each upset"
    per_sample = True

    def amount(self, level):
        return parts(level, 1, MOST, "upsets")

    def draw(self, seed, subject, instance, sample):
        """Return all the upsets that any level has, (1024, 4): a level has the first ones."""
        config = subject.parameters.config
        drawn = words(stream_key(seed, self.number), instance, sample, np.arange(MOST), 0)
        drawn = drawn.astype(np.uint64)
        sites = [(site, neurons, bits) for site, bits in site_bits(config).items()
                 for neurons in [config.neurons if site.name == "SUM" else config.spiking]]
        sizes = np.array([neurons * bits for _, neurons, bits in sites])
        place = (drawn[:, 1] * np.uint64(sizes.sum()) >> np.uint64(32)).astype(np.int64)
        which = np.searchsorted(np.cumsum(sizes), place, side="right")
        place -= np.append(0, np.cumsum(sizes))[which]
        bits = np.array([bits for _, _, bits in sites])[which]
        ticks = (drawn[:, 0] * np.uint64(config.ticks) >> np.uint64(32)).astype(np.int64)
        return np.column_stack([ticks, np.array([int(site) for site, _, _ in sites])[which],
                                place // bits, place % bits])

    def change(self, drawn, amount):
        return drawn[:amount][np.argsort(drawn[:amount, 0], kind="stable")]

    def check(self, change, amount, subject, sample):
        if len(change) != amount:
            raise ValueError(f"must have {amount} upsets, not {len(change)}")
        config = subject.parameters.config
        widths = {int(site): bits for site, bits in site_bits(config).items()}
        for i, (tick, site, neuron, bit) in enumerate(change.tolist()):
            neurons = config.neurons if site == 3 else config.spiking
            if not (0 <= tick < config.ticks and 0 <= neuron < neurons
                    and 0 <= bit < widths.get(site, 0)):
                raise ValueError(f"item {i} must be a tick, word, neuron and bit of this design, "
                                 f"not {[tick, site, neuron, bit]}")
        if np.any(np.diff(change[:, 0]) < 0):
            raise ValueError("must come by tick")

    def upsets(self, change):
        found = np.zeros(len(change), UPSET)
        for name, column in zip(UPSET.names[:3], change.T[:3], strict=True):
            found[name] = column
        found["mask"] = 1 << change[:, 3]
        return found

    def counts(self, change, subject, sample):
        return {"upsets": len(change)}
