"""Pictures of a study of noise."""

import numpy as np

from .pictures import draw_picture

__all__ = ["beside_picture", "chips_picture", "level_picture"]

STYLES = ("o-", "s--", "^:", "D-.", "v-")
"""Marks and lines of runs that are side by side."""


def level_picture(rows, *, unit, clean):
    """Return the accuracy against the level of one kind of noise.

    Parameters
    ----------
    rows : list of dict
        ``level``, ``accuracy``, and its ``interval``, as ``noise.json`` has them.
    unit : str
        What a level counts.
    clean : float
        Accuracy without noise.
    """

    def draw(axis, theme):
        levels, values, low, high = _curve(rows)
        axis.fill_between(levels, low, high, color=theme.first, alpha=0.18, lw=0)
        axis.plot(levels, values, "o-", color=theme.first, ms=3.5)
        axis.axhline(100 * clean, color=theme.third, ls="--", lw=1.1)
        if levels.min() > 0:
            axis.set_xscale("log")
        axis.set(xlabel=unit, ylabel="accuracy, %", ylim=(0, 102))
        axis.grid(True)

    return draw_picture(draw, 3.7, 2.7)


def beside_picture(runs, *, unit):
    """Return the accuracy of several runs against the level of one kind of noise.

    Parameters
    ----------
    runs : dict of str to list of dict
        By the run's name, rows as of `level_picture`.
    unit : str
        What a level counts.
    """

    def draw(axis, theme):
        colours = (theme.first, theme.second, theme.third, theme.faint, theme.ink)
        for k, (name, rows) in enumerate(runs.items()):
            levels, values, low, high = _curve(rows)
            colour = colours[k % len(colours)]
            axis.fill_between(levels, low, high, color=colour, alpha=0.15, lw=0)
            axis.plot(levels, values, STYLES[k % len(STYLES)], color=colour, ms=3.5, lw=1.3,
                      label=name)
        if min(row["level"] for rows in runs.values() for row in rows) > 0:
            axis.set_xscale("log")
        axis.set(xlabel=unit, ylabel="accuracy, %", ylim=(0, 102))
        axis.grid(True)
        axis.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, fontsize=8,
                    borderaxespad=0.1, handlelength=2.4)

    return draw_picture(draw, 3.7, 2.9)


def _curve(rows):
    """Return levels, and in percent the accuracies and both ends of their intervals."""
    levels, values = (np.array([row[name] for row in rows]) for name in ("level", "accuracy"))
    low, high = np.array([row["interval"] for row in rows]).T
    return levels, 100 * values, 100 * low, 100 * high


def chips_picture(points, *, unit, clean):
    """Return how the accuracies of drawn chips are spread at each level, as violins.

    Parameters
    ----------
    points : list of dict
        ``level``; ``chips``, the accuracy of each chip; ``low``, their 5th percentile, and
        ``bound``, what 95 % of all chips exceed, or None; as fractions.
    unit : str
        What a level counts.
    clean : float
        Accuracy without noise.
    """

    def draw(axis, theme):
        places = np.arange(len(points))
        bodies = axis.violinplot([100 * np.array(point["chips"]) for point in points], places,
                                 widths=0.8, showextrema=False)["bodies"]
        for body in bodies:
            body.set(facecolor=theme.first, edgecolor=theme.first, alpha=0.3, lw=0.8)
        for place, point in zip(places, points, strict=True):
            chips = 100 * np.array(point["chips"])
            axis.plot(np.full(chips.size, place), chips, "o", color=theme.first, ms=2.2, mew=0,
                      alpha=0.5)
        for name, mark, label in (("low", "_", "5th percentile"), ("bound", "x", "95 % exceed it")):
            there = [place for place in places if points[place][name] is not None]
            if there:
                axis.plot(there, [100 * points[place][name] for place in there], mark,
                          color=theme.second, ms=8 if mark == "_" else 4.5, mew=1.5, label=label)
        axis.axhline(100 * clean, color=theme.third, ls="--", lw=1.1)
        axis.set(xlabel=unit, ylabel="accuracy, %")
        axis.set_xticks(places, [f"{point['level']:g}" for point in points], fontsize=7.5)
        axis.set_axisbelow(True)
        axis.grid(True, axis="y")
        axis.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, fontsize=8,
                    borderaxespad=0.1, handletextpad=0.2)

    return draw_picture(draw, 3.7, 2.7)
