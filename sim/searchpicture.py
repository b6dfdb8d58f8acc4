"""The picture of a search: its course, and the accuracy against each setting."""

import numpy as np

from .pictures import draw_png

__all__ = ["draw"]

COLUMNS = 3


def draw(rows, ranges, best):
    """Return the content of a PNG file.

    Parameters
    ----------
    rows : list of dict
        Trials that succeeded: ``number``, ``accuracy`` as a fraction, and ``settings``.
    ranges : dict of str to SearchRange
        What was searched.
    best : int
        Number of the best trial.
    """
    accuracy = 100 * np.array([row["accuracy"] for row in rows])
    numbers = np.array([row["number"] for row in rows])
    (place,) = np.flatnonzero(numbers == best)
    count = 1 + len(ranges)
    columns = min(COLUMNS, count)
    lines = -(-count // columns)

    def dots(axis, theme, places):
        axis.scatter(places, accuracy, s=14, color=theme.first, alpha=0.7, lw=0)
        axis.scatter(places[place], accuracy[place], s=40, facecolors="none",
                     edgecolors=theme.second, lw=1.2, label="best")
        axis.set_ylabel("validation accuracy, %")
        axis.grid(True)
        axis.set_axisbelow(True)

    def paint(axes, theme):
        first, *others = axes.flat
        dots(first, theme, numbers)
        first.plot(numbers, np.maximum.accumulate(accuracy), color=theme.third, lw=1.2,
                   label="best so far")
        first.set_xlabel("trial")
        first.xaxis.get_major_locator().set_params(integer=True)
        first.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, borderaxespad=0.1)
        for axis, (name, values) in zip(others, ranges.items(), strict=False):
            settings = [row["settings"][name] for row in rows]
            if values.choices:
                choices = [_plain(choice) for choice in values.choices]
                dots(axis, theme, np.array([choices.index(_plain(value)) for value in settings]))
                axis.set_xticks(range(len(choices)), [str(choice) for choice in choices])
                axis.set_xlim(-0.5, len(choices) - 0.5)
            else:
                dots(axis, theme, np.array(settings))
                axis.set_xscale("log" if values.log else "linear")
            axis.set_xlabel(name)
        for axis in others[len(ranges):]:
            axis.remove()

    return draw_png(paint, 3.4 * columns, 2.7 * lines, nrows=lines, ncols=columns, squeeze=False)


def _plain(value):
    """Return a choice as JSON has it, whose tuples are lists."""
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value
