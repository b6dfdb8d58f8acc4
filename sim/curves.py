"""The learning curves of a training: as a table, as a file for people, and for the report."""

from .pictures import draw_picture, draw_png
from .tables import table_text

__all__ = ["CURVES", "curve_picture", "curves_csv", "curves_png"]

COUNTS = ("penalty", "margin", "spikes", "silent", "woken", "limited", "seconds")


def _line(axis, history, values, **style):
    axis.plot([record["epoch"] for record in history], values, **style)


def _finish(axis, theme, history, kept, label):
    if kept < len(history):
        axis.axvline(kept, color=theme.faint, ls=":", lw=1.2)
    axis.set(xlabel="epoch", ylabel=label, xlim=(0.5, len(history) + 0.5))
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.grid(True)


def _loss(axis, theme, history, kept):
    _line(axis, history, [r["loss"] for r in history], color=theme.first, label="train")
    if "validation_loss" in history[0]:
        _line(axis, history, [r["validation_loss"] for r in history], color=theme.third,
              label="validation")
        axis.legend(loc="upper right")
    axis.set_ylim(0, None)
    _finish(axis, theme, history, kept, "loss")


def _accuracy(axis, theme, history, kept):
    colours = {"train": theme.first, "validation": theme.third, "test": theme.second}
    for name in (name for name in colours if name in history[0]["accuracy"]):
        _line(axis, history, [100 * r["accuracy"][name] for r in history], color=colours[name],
              label=name)
    axis.set_ylim(None, 100.5)
    axis.legend(loc="lower right")
    _finish(axis, theme, history, kept, "accuracy, %")


def _spikes(axis, theme, history, kept):
    _line(axis, history, [r["spikes"] for r in history], color=theme.first)
    axis.set_ylim(0, None)
    _finish(axis, theme, history, kept, "spikes a hidden neuron and sample")


def _silent(axis, theme, history, kept):
    _line(axis, history, [r["silent"] for r in history], color=theme.first, label="silent")
    _line(axis, history, [r["woken"] for r in history], color=theme.second, ls="--", label="woken")
    axis.set_ylim(0, max(1.0, 1.05 * max(r["silent"] for r in history)))
    axis.yaxis.get_major_locator().set_params(integer=True)
    axis.legend(loc="upper right")
    _finish(axis, theme, history, kept, "neurons")


CURVES = {"loss": _loss, "accuracy": _accuracy, "spikes": _spikes, "silent": _silent}
"""What can be drawn against the epoch."""


def curve_picture(name, history, kept):
    """Return one of ``CURVES`` as a `Picture`.

    Parameters
    ----------
    name : str
    history : list of dict
        That of ``training.json``.
    kept : int
        The epoch whose parameters the network has; a line marks it, if it isn't the last.
    """
    return draw_picture(lambda axis, theme: CURVES[name](axis, theme, history, kept), 5.0, 2.9)


def curves_png(history, kept):
    """Return all ``CURVES`` side by side, as the content of a PNG file."""

    def draw(axes, theme):
        for axis, curve in zip(axes.flat, CURVES.values(), strict=True):
            curve(axis, theme, history, kept)

    return draw_png(draw, 10.0, 5.8, nrows=2, ncols=2)


def curves_csv(history):
    """Return the history as the text of a CSV file: a line for each epoch, after the names."""
    sets = [name for name in ("train", "validation", "test") if name in history[0]["accuracy"]]
    losses = [name for name in ("loss", "validation_loss") if name in history[0]]
    header = ["epoch", *losses, *(f"accuracy_{name}" for name in sets), *COUNTS]
    return table_text(header, (
        [record["epoch"], *(record[name] for name in losses),
         *(record["accuracy"][name] for name in sets), *(record[name] for name in COUNTS)]
        for record in history))
