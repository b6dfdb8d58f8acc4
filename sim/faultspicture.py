"""Pictures of a campaign of single faults."""

import numpy as np
from matplotlib.patches import Rectangle

from .noise.outcomes import Outcome
from .pictures import draw_picture, spikes_over

__all__ = ["SHOWN", "bits_of_faults", "distances_picture", "divergence_picture", "layers_picture",
           "outcomes_picture"]

HARM = (Outcome.HANG, Outcome.DETECTED, Outcome.CRITICAL, Outcome.TOLERABLE, Outcome.CORRECTED,
        Outcome.LATENT, Outcome.MASKED)
SHOWN = HARM[:4]
"""Outcomes of faults that changed anything that came out."""
LAYERS = ("input to hidden", "input to output", "hidden to hidden", "hidden to output",
          "output to hidden", "output to output", "hidden", "output")


def outcomes_picture(memories):
    """Return what became of the faults of each memory, as bars of shares.

    Parameters
    ----------
    memories : dict of str to dict
        As of `ranvier.sim.noise.campaign.run_campaign`.
    """
    shown = [outcome.value for outcome in HARM
             if any(memory["outcomes"][outcome.value] for memory in memories.values())]

    def draw(axis, theme):
        colours = [theme.second, theme.first, theme.third]
        names = list(memories)[::-1]
        left = [0.0] * len(names)
        for k, outcome in enumerate(shown):
            width = [100 * memories[name]["outcomes"][outcome] / memories[name]["faults"]
                     for name in names]
            # Three colours, paler each time they come again.
            axis.barh(names, width, left=left, height=0.62, label=outcome,
                      color=colours[k % 3], alpha=(1, 0.45, 0.2)[k // 3])
            left = [a + b for a, b in zip(left, width, strict=True)]
        axis.set(xlabel="share of faults, %", xlim=(0, 100))
        axis.tick_params(axis="y", length=0)
        axis.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=len(shown), fontsize=8)

    return draw_picture(draw, 6.8, 1.1 + 0.3 * len(memories))


def bits_of_faults(bits):
    """Return the share of faults that changed anything that came out, by position in the word.

    Parameters
    ----------
    bits : dict of str to dict
        Counts of outcomes by "memory, bit n".
    """
    lines = {}
    for place, counts in bits.items():
        memory, _, bit = place.rpartition(", bit ")
        seen = _shown(counts)
        lines.setdefault(memory, []).append((int(bit), 100 * seen / sum(counts.values())))

    def draw(axis, theme):
        colours = [theme.first, theme.second, theme.third]
        for k, (memory, points) in enumerate(lines.items()):
            axis.plot(*zip(*sorted(points), strict=True), "o-", ms=3, lw=1.2, label=memory,
                      color=colours[k % 3], alpha=(1, 0.6, 0.35)[k // 3])
        axis.set(xlabel="bit of the word (0 is the lowest)", ylabel="faults that show, %",
                 ylim=(0, 102))
        axis.grid(True)
        axis.legend(loc="upper left", fontsize=8, ncols=2)

    return draw_picture(draw, 6.8, 3.1)


def layers_picture(layers):
    """Return the shares of faults that were critical, and that showed at all, as a heat map.

    Parameters
    ----------
    layers : dict of str to dict
        Counts of outcomes by "memory, layer".
    """
    cells = {tuple(place.rsplit(", ", 1)): counts for place, counts in layers.items()}
    memories = list(dict.fromkeys(memory for memory, _ in cells))[::-1]
    places = [layer for layer in LAYERS if any(layer == there for _, there in cells)]
    sides = {"critical": lambda counts: counts.get(Outcome.CRITICAL.value, 0),
             "what came out changed": _shown}

    def draw(axes, theme):
        for axis, (title, count) in zip(axes, sides.items(), strict=True):
            shares = {place: count(counts) / sum(counts.values())
                      for place, counts in cells.items()}
            most = max(shares.values()) or 1
            for (memory, layer), share in shares.items():
                x, y = places.index(layer), memories.index(memory)
                # Ink must stay readable on the darkest one.
                axis.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, lw=0, facecolor=theme.first,
                                         alpha=0.6 * share / most))
                axis.text(x, y, f"{100 * share:.1f} %\nof {sum(cells[memory, layer].values()):,}",
                          ha="center", va="center", fontsize=7)
            axis.set(xlim=(-0.5, len(places) - 0.5), ylim=(-0.5, len(memories) - 0.5))
            axis.set_title(title, loc="left", color=theme.ink)
            axis.set_xticks(range(len(places)), [layer.replace(" to ", "\nto ")
                                                 for layer in places])
            axis.set_yticks(range(len(memories)), memories)
            axis.tick_params(length=0)

    return draw_picture(draw, 8.4, 1.1 + 0.42 * len(memories), ncols=2, sharey=True)


def distances_picture(rows):
    """Return how far the faults of each memory moved spikes, as shares of faults up to a distance.

    Parameters
    ----------
    rows : list of dict
        Lines of ``faults.csv``: ``memory``, ``victor_purpura``, ``van_rossum``.
    """
    sides = {"victor_purpura": "distance of Victor and Purpura, spikes",
             "van_rossum": "distance of van Rossum"}
    names = list(dict.fromkeys(row["memory"] for row in rows))

    def draw(axes, theme):
        colours = [theme.first, theme.second, theme.third]
        for axis, (side, title) in zip(axes, sides.items(), strict=True):
            values = {name: np.array([float(row[side]) for row in rows if row["memory"] == name])
                      for name in names}
            moved = np.concatenate(list(values.values()))
            moved = moved[moved > 0]
            # The scale of distances has no 0: a line begins at the share of faults that moved none.
            low, high = (moved.min() / 2, 2 * moved.max()) if moved.size else (0.1, 10)
            for k, (name, found) in enumerate(values.items()):
                at, counts = np.unique(found[found > 0], return_counts=True)
                share = 100 * (found.size - counts.sum() + np.cumsum([0, *counts])) / found.size
                axis.step([low, *at, high], [*share, share[-1]], where="post", lw=1.2, label=name,
                          color=colours[k % 3], alpha=(1, 0.6, 0.35)[k // 3])
            axis.set(xscale="log", xlim=(low, high), ylim=(0, 102), xlabel=title)
            axis.grid(True)
        axes[0].set_ylabel("share of faults, %")
        axes[0].legend(loc="lower right", fontsize=8, ncols=2)

    return draw_picture(draw, 8.4, 3.1, ncols=2, sharey=True)


def divergence_picture(found, *, tick, neurons, outputs):
    """Return the spikes around the first divergence of a fault, without it and with it.

    Parameters
    ----------
    found : dict
        As of `ranvier.sim.noise.divergence.critical_spikes`.
    tick : float
        Milliseconds.
    neurons, outputs : int
        Of the core.
    """
    runs = {title: np.array(found[name], np.int64).reshape(-1, 2)
            for title, name in (("without the fault", "clean"), ("with it", "faulty"))}

    def draw(axis, theme):
        at, neuron = found["divergence_tick"] * tick, found["divergence_neuron"]
        axis.axvline(at, color=theme.third, lw=0.8, ls=":")
        axis.axhline(neuron, color=theme.third, lw=0.8, ls=":")
        axis.plot([at], [neuron], "s", ms=9, mfc="none", mec=theme.third, mew=1.4, clip_on=False)
        spikes_over(axis, theme, runs, tick=tick, neurons=neurons, outputs=outputs)
        axis.set_xlim(found["begin"] * tick, found["end"] * tick)

    return draw_picture(draw, 8.4, 3.6)


def _shown(counts):
    """Return how many faults changed anything that came out."""
    return sum(counts.get(outcome.value, 0) for outcome in SHOWN)
