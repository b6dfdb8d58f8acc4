"""The picture of a slow event link: what it loses, what that costs, how deep its queue must be."""

import numpy as np

from .pictures import draw_picture

__all__ = ["POLICIES", "congestion_picture"]

POLICIES = {"congestion_wait": ("o-", "the sensor waits"),
          "congestion_drop_new": ("s-", "the new word is lost"),
          "congestion_drop_old": ("^--", "the oldest word is lost")}
"""Line and title of each kind of congestion."""


def congestion_picture(kinds, queue, clean):
    """Return losses and accuracy against the offered load, and losses against the queue's depth.

    Parameters
    ----------
    kinds : dict of str to dict
        The kinds of congestion in ``noise.json``, one at least.
    queue : dict
        As of `ranvier.sim.noise.sizing.queue_sizes`.
    clean : float
        Accuracy without noise.
    """

    def draw(axes, theme):
        colours = dict(zip(POLICIES, (theme.third, theme.first, theme.second), strict=True))
        for name, kind in kinds.items():
            style, label = POLICIES[name]
            loads = [row["level"] for row in kind["levels"]]
            lost = [100 * row["counts"]["lost"] / max(1, row["counts"]["events"])
                    for row in kind["levels"]]
            for axis, values in zip(axes, (lost, [100 * row["accuracy"] for row in kind["levels"]]),
                                    strict=False):
                axis.plot(loads, values, style, color=colours[name], ms=4, lw=1.2, mfc="none",
                          label=label)
                axis.set(xscale="log", xlabel="offered load, share of the link's rate",
                         ylim=(0, 102))
                axis.set_xticks(loads, [f"{load:g}" for load in loads])
                axis.minorticks_off()
        axes[0].set_ylabel("words lost, %")
        axes[1].set_ylabel("accuracy, %")
        axes[1].axhline(100 * clean, color=theme.third, ls="--", lw=1.1)
        axes[0].legend(loc="lower left", bbox_to_anchor=(0, 1.0), fontsize=8, borderaxespad=0.1)
        _depths(axes[2], theme, queue)
        for axis in axes:
            axis.grid(True)

    return draw_picture(draw, 10.0, 3.4, ncols=3)


def _depths(axis, theme, queue):
    """Draw the words that queues have no room for, a line for each load."""
    rows, events = queue["loads"], max(1, queue["events"])
    for row, alpha in zip(rows, np.linspace(0.35, 1, len(rows)), strict=True):
        axis.plot(queue["depths"], [100 * full / events for full in row["full"]], "o-",
                  color=theme.first, alpha=alpha, ms=3.5, lw=1.2, label=f"load {row['load']:g}")
    # Whole from none to a hundredth of a percent, then by decades.
    axis.set_yscale("symlog", linthresh=0.01)
    axis.set_xscale("log", base=2)
    axis.set(xlabel="depth of the queue, words", ylabel="words without room, %", ylim=(0, 100))
    axis.set_xticks(queue["depths"], queue["depths"])
    axis.set_yticks([0, 0.01, 0.1, 1, 10, 100], ["0", "0.01", "0.1", "1", "10", "100"])
    axis.minorticks_off()
    axis.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, fontsize=8, borderaxespad=0.1,
                handlelength=1.4, columnspacing=1.0)
