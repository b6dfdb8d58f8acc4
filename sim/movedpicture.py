"""The picture of how far a kind of noise moves spikes."""

import numpy as np

from .noise.answers import DISTANCES
from .pictures import draw_picture

__all__ = ["moved_picture"]

BINS = 41  # of shifts, at most; an odd number, so that no shift at all is in the middle of one
TITLES = ("Victor and Purpura, spikes", "van Rossum")


def moved_picture(levels, *, unit, tick):
    """Return the distances of spikes against the level, and how many moved how far.

    Parameters
    ----------
    levels : list of dict
        Of ``noise.json``: ``level``, and ``spikes`` as of
        `ranvier.sim.noise.moved.moved_spikes`.
    unit : str
        What a level counts.
    tick : float
        Milliseconds.
    """
    shifts = [np.array(row["spikes"]["shifts"], np.int64).reshape(-1, 2) for row in levels]
    most = max(row["spikes"]["clean"] for row in levels)
    farthest = max(np.abs(found[:, 0]).max(initial=0) for found in shifts)

    def draw(axes, theme):
        _distances(axes[0], theme, levels, unit)
        axes[1].set(ylim=(90 / max(most, 1), 120), yscale="log")  # from just below one spike on
        for row, found, alpha in zip(levels, shifts, np.linspace(0.35, 1, len(levels)),
                                     strict=True):
            clean = max(1, row["spikes"]["clean"])
            style = {"color": theme.first, "alpha": alpha, "lw": 1.2, "label": f"{row['level']:g}"}
            centres, counts = _histogram(found, farthest)
            axes[1].step(centres * tick, 100 * counts / clean, where="mid", **style)
            far = np.repeat(np.abs(found[:, 0]), found[:, 1])
            at, counts = np.unique(far, return_counts=True)
            share = 100 * np.cumsum([0, *counts]) / clean
            axes[2].step([0, *at * tick, 1.02 * farthest * tick + tick], [*share, share[-1]],
                         where="post", **style)
        axes[1].set(xlabel="spikes are later by, ms", ylabel="share of spikes, %")
        axes[1].yaxis.set_major_formatter("{x:g}")
        axes[2].set(ylim=(0, 102), xlabel="found so near or nearer, ms",
                    ylabel="share of spikes, %")
        axes[2].legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4, fontsize=8,
                       borderaxespad=0.1, handlelength=1.0, columnspacing=0.8)
        for axis in axes:
            axis.grid(True)

    return draw_picture(draw, 10.0, 3.0, ncols=3)


def _distances(axis, theme, levels, unit):
    """Draw both distances against the level, each with a scale of its own: mean, least and most."""
    at = [row["level"] for row in levels]
    for side, name, title, colour in zip((axis, axis.twinx()), DISTANCES, TITLES,
                                         (theme.first, theme.second), strict=True):
        values = [row["spikes"][name] for row in levels]
        side.fill_between(at, list(map(min, values)), list(map(max, values)), color=colour,
                          alpha=0.12, lw=0)
        side.plot(at, [np.mean(found) for found in values], "o-", color=colour, ms=3.5, lw=1.2)
        side.set_ylabel(title, color=colour)
        side.set_ylim(0, 1.05 * max(max(map(max, values)), 1))
        side.tick_params(axis="y", labelcolor=colour)
    if min(at) > 0:
        axis.set_xscale("log")
    axis.set_xlabel(unit)


def _histogram(shifts, farthest):
    """Return the middles of bins (ticks), and how many spikes moved so far."""
    width = 2 * (farthest // BINS) + 1  # odd: as many ticks on each side of a middle
    reach = -(-(farthest - width // 2) // width) if farthest else 0
    centres = width * np.arange(-reach - 1, reach + 2)
    edges = np.append(centres, centres[-1] + width) - width / 2
    counts, _ = np.histogram(shifts[:, 0], edges, weights=shifts[:, 1])
    return centres, counts
