"""The picture of accuracies against bits."""

from .pictures import draw_picture, draw_png

__all__ = ["bits_picture", "bits_png"]

LABELS = {"weights": "bits of a weight", "delays": "bits of a delay"}


def _panel(axis, theme, rows, kind, exact):
    rows = [row for row in rows if row["kind"] == kind]
    for name, colour, label in (("before", theme.second, "only rounded"),
                                ("after", theme.first, "fine-tuned")):
        points = [row for row in rows if row[name] is not None]
        if not points:
            continue
        bits = [row["bits"] for row in points]
        value, low, high = (
            [100 * row[key] for row in points] for key in (name, f"{name}_low", f"{name}_high")
        )
        axis.fill_between(bits, low, high, color=colour, alpha=0.15, lw=0)
        axis.plot(bits, value, "o-", color=colour, ms=4, label=label)
    axis.axhline(100 * exact, color=theme.third, ls="--", lw=1.2, label="float network")
    axis.set(xlabel=LABELS[kind], ylabel="accuracy, %", ylim=(None, 100.5))
    axis.set_xticks([row["bits"] for row in rows])
    axis.invert_xaxis()
    axis.grid(True)
    axis.legend(loc="lower left", fontsize=8)


def _draw(rows, exact):
    kinds = [kind for kind in LABELS if any(row["kind"] == kind for row in rows)]

    def draw(axes, theme):
        for axis, kind in zip(axes.flat, kinds, strict=True):
            _panel(axis, theme, rows, kind, exact)

    return draw, {"ncols": len(kinds), "squeeze": False, "sharey": True}


def bits_picture(rows, exact):
    """Return the accuracies before and after fine-tuning as a `Picture`.

    Parameters
    ----------
    rows : list of dict
        As `run_bits` gives them. At least one.
    exact : float
        Accuracy of the trained network in continuous time.
    """
    draw, layout = _draw(rows, exact)
    return draw_picture(draw, 4.2 * layout["ncols"], 3.1, **layout)


def bits_png(rows, exact):
    """Return the same as the content of a PNG file."""
    draw, layout = _draw(rows, exact)
    return draw_png(draw, 4.2 * layout["ncols"], 3.1, **layout)
