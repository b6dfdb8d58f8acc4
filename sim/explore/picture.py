"""The picture of a design space: accuracy against each cost, with the front of both."""

import numpy as np
from matplotlib import colormaps
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullLocator

from ..pictures import draw_picture, draw_png
from .front import COSTS

__all__ = ["explore_picture", "explore_png"]

LABELS = {"cycles": "clock cycles per sample", "memory_bits": "memory, Kibit",
          "lut4": "LUT4 on {device}, predicted"}
UNITS = {"memory_bits": 1024}
MARKERS = {"ring": "o", "ring, dense": "D", "ring, axonal": "^", "ring, dense, axonal": "v",
           "cursor": "s"}
WIDTH, HEIGHT = 4.0, 4.1
WIDE = 5  # costs that differ by a larger factor are drawn by their logarithms
NEAR = (0.09, 0.05)  # of a panel: how close two numbers may come


def way(row):
    """Return what the way in which rows and delays are stored is called."""
    plain = ("sparse", "synaptic")
    return ", ".join([row["buffer"], *(row[name] for name in ("rows", "delays")
                                       if row[name] not in plain)])


def _colours(rows):
    """Return a colour for each number of weight bits."""
    widths = sorted({row["weight_bits"] for row in rows})
    places = np.linspace(0.12, 0.88, len(widths)) if len(widths) > 1 else [0.4]
    return dict(zip(widths, colormaps["viridis"](places), strict=True))


def _panel(axis, theme, rows, cost, device, colours):
    unit = UNITS.get(cost, 1)
    for row in rows:
        best = cost in row["front"]
        axis.scatter(row[cost] / unit, 100 * row["accuracy"], marker=MARKERS[way(row)],
                     s=42 if best else 18, color=[colours[row["weight_bits"]]],
                     alpha=1.0 if best else 0.45, edgecolors=theme.ink if best else "none",
                     linewidths=0.8, zorder=3 if best else 2)
    best = sorted((row for row in rows if cost in row["front"]), key=lambda row: row[cost])
    axis.step([row[cost] / unit for row in best], [100 * row["accuracy"] for row in best],
              where="post", color=theme.second, lw=1.2, zorder=1)
    for row in rows:
        if row["own"]:
            axis.scatter(row[cost] / unit, 100 * row["accuracy"], marker="o", s=130, zorder=4,
                         facecolors="none", edgecolors=theme.second, linewidths=1.3)
    wide = max(row[cost] for row in rows) > WIDE * min(row[cost] for row in rows)
    if wide:
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.xaxis.set_minor_locator(NullLocator())
    else:
        axis.xaxis.set_major_locator(MaxNLocator(5))
    axis.xaxis.set_major_formatter(EngFormatter(sep=""))
    _number(axis, theme, best, cost, unit, np.log if wide else np.asarray, rows)
    axis.set_xlabel(LABELS[cost].format(device=device))
    axis.grid(True)
    axis.set_axisbelow(True)
    axis.margins(0.08, 0.1)


def _number(axis, theme, best, cost, unit, scale, known):
    """Write the numbers of the front's points beside them, but where one is written already."""
    places = scale([float(row[cost]) for row in known])
    heights = [row["accuracy"] for row in known]
    spans = [(max(values) - min(values)) or 1.0 for values in (places, heights)]
    written = []
    for row in sorted(best, key=lambda row: -row["accuracy"]):
        place = scale(float(row[cost])) / spans[0], row["accuracy"] / spans[1]
        if any(abs(place[0] - x) < NEAR[0] and abs(place[1] - y) < NEAR[1] for x, y in written):
            continue
        written.append(place)
        axis.annotate(str(row["number"]), (row[cost] / unit, 100 * row["accuracy"]),
                      xytext=(-6, 3), textcoords="offset points", ha="right", fontsize=7.5,
                      color=theme.ink)


def _legend(figure, theme, rows, colours):
    """Put what colours and marks mean above the panels."""
    dots = [Line2D([], [], ls="", marker="o", color=colour, label=f"{bits}-bit weights")
            for bits, colour in colours.items()]
    marks = [Line2D([], [], ls="", marker=MARKERS[name], color=theme.faint, label=name)
             for name in MARKERS if any(way(row) == name for row in rows)]
    lines = [Line2D([], [], color=theme.second, lw=1.2, label="front"),
             Line2D([], [], ls="", marker="o", ms=9, mfc="none", mec=theme.second,
                    label="the run's design")]
    handles = [*dots, *marks, *lines[:1 + any(row["own"] for row in rows)]]
    figure.legend(handles=handles, loc="outside upper center", ncols=min(9, len(handles)),
                  fontsize=8, handletextpad=0.3, columnspacing=1.2)


def _draw(rows, device):
    rows = [row for row in rows if not row["failed"]]
    colours = _colours(rows)

    def draw(axes, theme):
        for axis, cost in zip(axes.flat, COSTS, strict=True):
            _panel(axis, theme, rows, cost, device, colours)
        axes.flat[0].set_ylabel("accuracy, %")
        _legend(axes.flat[0].figure, theme, rows, colours)

    return draw, {"ncols": len(COSTS), "squeeze": False, "sharey": True}


def explore_picture(rows, device):
    """Return accuracy against cycles, memory and LUTs as a `Picture`.

    Parameters
    ----------
    rows : list of dict
        As `run_explore` gives them. At least one has not failed.
    device : str
        Of which the LUTs are.
    """
    draw, layout = _draw(rows, device)
    return draw_picture(draw, WIDTH * layout["ncols"], HEIGHT, **layout)


def explore_png(rows, device):
    """Return the same as the content of a PNG file."""
    draw, layout = _draw(rows, device)
    return draw_png(draw, WIDTH * layout["ncols"], HEIGHT, **layout)
