"""The pictures of a report: SVG text, drawn once for light and once for dark pages.

And what others draw theirs with.
"""

import base64
import io
from dataclasses import dataclass

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

__all__ = ["Picture", "against_tick", "draw_picture", "draw_png", "memories", "raster",
           "spikes_over"]

RASTERISED = 4000  # points beyond which a scatter goes into the SVG as pixels


@dataclass(frozen=True)
class Theme:
    """Colours of one kind of page."""

    ink: str
    faint: str
    grid: str
    first: str
    second: str
    third: str


LIGHT = Theme("#1f2933", "#66727f", "#e3e7eb", "#1264a3", "#d9480f", "#2b8a3e")
DARK = Theme("#e4e8ec", "#98a4b0", "#333b44", "#62b0f0", "#ff9355", "#69cf80")


@dataclass(frozen=True)
class Picture:
    """One picture as data URIs, for light and for dark pages."""

    light: str
    dark: str


def _render(draw, canvas, form, theme, width, height, back, **layout):
    settings = {
        "font.family": "DejaVu Sans",
        "font.size": 9,
        "text.color": theme.ink,
        "axes.edgecolor": theme.faint,
        "axes.facecolor": "none",
        "axes.labelcolor": theme.ink,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlesize": 9,
        "grid.color": theme.grid,
        "legend.frameon": False,
        "svg.hashsalt": "ranvier",
        "xtick.color": theme.faint,
        "ytick.color": theme.faint,
        "xtick.labelcolor": theme.ink,
        "ytick.labelcolor": theme.ink,
    }
    hidden = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}[form]
    with rc_context(settings):
        figure = Figure(figsize=(width, height), facecolor=back, layout="constrained", dpi=150)
        canvas(figure)
        draw(figure.subplots(**layout), theme)
        file = io.BytesIO()
        figure.savefig(file, format=form, metadata=hidden)
    return file.getvalue()


def _svg(*arguments, **layout):
    content = _render(*arguments, back="none", **layout)
    return "data:image/svg+xml;base64," + base64.b64encode(content).decode()


def draw_picture(draw, width, height, **layout):
    """Return the `Picture` that ``draw(axes, theme)`` makes, ``width`` by ``height`` inches."""
    return Picture(*(_svg(draw, FigureCanvasSVG, "svg", theme, width, height, **layout)
                     for theme in (LIGHT, DARK)))


def draw_png(draw, width, height, **layout):
    """Return the same for a light page as the content of a PNG file."""
    return _render(draw, FigureCanvasAgg, "png", LIGHT, width, height, "white", **layout)


def against_tick(rows, exact, chosen):
    """Return the accuracy against the tick, and the spikes that are missed.

    Parameters
    ----------
    rows : list of dict
        ``tick`` in ms, ``accuracy`` and its interval ``low`` and ``high``, as fractions; and
        ``spikes``, as of `ranvier.sim.missed.spikes_against_tick`.
    exact : float
        Accuracy in continuous time.
    chosen : float
        The design's tick, in ms.
    """

    def draw(axes, theme):
        axis, below = axes
        ticks = np.array([row["tick"] for row in rows])
        values = 100 * np.array([row["accuracy"] for row in rows])
        low, high = (100 * np.array([row[name] for row in rows]) for name in ("low", "high"))
        axis.fill_between(ticks, low, high, color=theme.first, alpha=0.15, lw=0)
        axis.plot(ticks, values, "o-", color=theme.first, ms=4, label="integer model")
        axis.axhline(100 * exact, color=theme.third, ls="--", lw=1.2, label="float network")
        axis.set(ylabel="accuracy, %", ylim=(low.min() - 3, min(100.0, high.max() + 3)))
        for name, style, colour in (("missing", "o-", theme.first), ("extra", "s-", theme.faint)):
            below.plot(ticks, [100 * row["spikes"][name] / max(1, row["spikes"]["clean"])
                               for row in rows], style, color=colour, ms=4, label=name)
        below.set(xscale="log", xlabel="tick, ms", ylabel="spikes, %", ylim=(0, None))
        below.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        below.minorticks_off()
        below.legend(loc="upper left", fontsize=8)
        for part in axes:
            part.axvline(chosen, color=theme.second, lw=1.2, ls=":", label="this design's tick")
            part.grid(True)
        axis.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, handlelength=1.4,
                    columnspacing=1.0, fontsize=8)

    return draw_picture(draw, 5.4, 4.4, nrows=2, sharex=True, height_ratios=(1.4, 1))


def raster(inputs, model, rtl, *, tick, ticks, channels, neurons, outputs):
    """Return one sample's events, with the spikes of model and RTL over each other.

    Parameters
    ----------
    inputs, model, rtl : (events, 2) integers
        Ticks, and channels or neurons.
    tick : float
        Milliseconds.
    ticks, channels, neurons, outputs : int
        Of the core.
    """

    def draw(axes, theme):
        axes[0].scatter(inputs[:, 0] * tick, inputs[:, 1], s=9, marker="|", color=theme.faint,
                        lw=0.9, **_dots(inputs))
        spikes_over(axes[1], theme, {"model": model, "RTL": rtl}, tick=tick, neurons=neurons,
                    outputs=outputs)
        axes[0].set(ylabel="channel", ylim=(-1, channels))
        last = max(points[:, 0].max(initial=1) for points in (inputs, model, rtl))
        axes[1].set_xlim(0, min(ticks, 1.05 * last) * tick)
        axes[0].set_title("input events", loc="left", color=theme.ink)
        axes[0].tick_params(labelbottom=False)

    return draw_picture(draw, 8.4, 5.2, nrows=2, sharex=True, height_ratios=(1, 2.6))


def spikes_over(axis, theme, runs, *, tick, neurons, outputs):
    """Draw the spikes of two runs over each other, the first as rings, the second as dots.

    Parameters
    ----------
    axis, theme
        As `draw_picture` gives them.
    runs : dict of str to (spikes, 2) integers
        Two, by their names in the legend: ticks and neurons.
    tick : float
        Milliseconds.
    neurons, outputs : int
        Of the core.
    """
    styles = ({"s": 26, "facecolors": "none", "edgecolors": theme.first, "lw": 0.8},
              {"s": 8, "color": theme.second, "lw": 0})
    for (name, spikes), style in zip(runs.items(), styles, strict=True):
        axis.scatter(spikes[:, 0] * tick, spikes[:, 1], marker="o",
                     label=f"{name}, {len(spikes)} spikes", **_dots(spikes), **style)
    axis.set(ylabel="neuron", ylim=(-1, neurons), xlabel="time, ms")
    axis.axhline(neurons - outputs - 0.5, color=theme.grid, lw=1)
    axis.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, borderaxespad=0.1)


def _dots(points):
    return {"clip_on": False, "rasterized": len(points) > RASTERISED}


def memories(bits):
    """Return the bits of each memory, a dict by name, as bars."""

    def draw(axis, theme):
        names = sorted(bits, key=bits.get)
        values = [bits[name] / 1024 for name in names]
        bars = axis.barh(names, values, color=theme.first, height=0.62)
        axis.bar_label(bars, [f"{value:,.1f}" for value in values], padding=4, color=theme.ink)
        axis.set(xlabel="Kibit", xlim=(0, 1.15 * max(values)))
        axis.tick_params(axis="y", length=0)
        axis.spines["left"].set_visible(False)

    return draw_picture(draw, 6.8, 0.6 + 0.26 * len(bits))
