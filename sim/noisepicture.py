"""Pictures of a study of noise."""

import numpy as np

from .pictures import draw_picture

__all__ = ["level_picture"]


def level_picture(points, *, unit, clean):
    """Return the accuracy against the level of one kind of noise.

    Parameters
    ----------
    points : list of dict
        ``level``, ``accuracy``, its interval ``low`` and ``high``, and ``chips``, the accuracy of
        each drawn chip if there are several, as fractions.
    unit : str
        What a level counts.
    clean : float
        Accuracy without noise.
    """

    def draw(axis, theme):
        levels = np.array([point["level"] for point in points])
        values, low, high = (
            100 * np.array([point[name] for point in points])
            for name in ("accuracy", "low", "high")
        )
        axis.fill_between(levels, low, high, color=theme.first, alpha=0.18, lw=0)
        for point in points:
            axis.plot([point["level"]] * len(point["chips"]), 100 * np.array(point["chips"]), "o",
                      color=theme.second, ms=3, mew=0, alpha=0.45)
        axis.plot(levels, values, "o-", color=theme.first, ms=3.5)
        axis.axhline(100 * clean, color=theme.third, ls="--", lw=1.1)
        if levels.min() > 0:
            axis.set_xscale("log")
        axis.set(xlabel=unit, ylabel="accuracy, %", ylim=(0, 102))
        axis.grid(True)

    return draw_picture(draw, 3.7, 2.7)
