"""The picture of how much the faults of each neuron do."""

from collections import Counter

import numpy as np

from .faultspicture import SHOWN
from .noise.outcomes import Outcome
from .noise.statistics import wilson
from .pictures import draw_picture

__all__ = ["neurons_picture"]

SIDES = {"critical": (Outcome.CRITICAL,), "what came out changed": SHOWN}


def neurons_picture(rows, *, neurons, outputs):
    """Return the shares of each neuron's faults that were critical, and that showed at all.

    Parameters
    ----------
    rows : list of dict
        Lines of ``faults.csv``: ``neuron``, which may be empty, and ``outcome``.
    neurons, outputs : int
        Of the core.
    """
    rows = [(int(row["neuron"]), row["outcome"]) for row in rows if row["neuron"]]
    faults = Counter(neuron for neuron, _ in rows)
    there = np.array(sorted(faults))

    def draw(axes, theme):
        for axis, (title, outcomes) in zip(axes, SIDES.items(), strict=True):
            hits = Counter(neuron for neuron, outcome in rows if Outcome(outcome) in outcomes)
            shares = np.array([hits[neuron] / faults[neuron] for neuron in there])
            low, high = np.array([wilson(share, faults[neuron]) for share, neuron
                                  in zip(shares, there, strict=True)]).reshape(-1, 2).T
            colours = np.where(there < neurons - outputs, theme.first, theme.second)
            axis.vlines(there, 100 * low, 100 * high, colors=colours, lw=1.2, alpha=0.35)
            axis.scatter(there, 100 * shares, s=12, color=colours, zorder=3,
                         clip_on=False)
            axis.axhline(100 * hits.total() / max(1, len(rows)), color=theme.third, ls="--", lw=1.1)
            axis.set(ylabel="share of faults, %", xlim=(-0.7, neurons - 0.3), ylim=(0, None))
            axis.set_title(title, loc="left", color=theme.ink)
            axis.grid(True, axis="y")
        axes[1].set_xlabel("neuron")
        axes[1].xaxis.get_major_locator().set_params(integer=True)

    return draw_picture(draw, 8.4, 4.2, nrows=2, sharex=True)
