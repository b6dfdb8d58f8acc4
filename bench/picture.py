"""Draws what a row of `bench/figures.py` measured, for the docs.

    .venv/bin/python bench/picture.py bits docs/images/bits.png
    .venv/bin/python bench/picture.py parity docs/images/parity.png
"""

import sys
from pathlib import Path

from figures import FOLDER, TRAINING, load

from ranvier.model.files import write_atomically
from ranvier.sim.bitspicture import bits_png
from ranvier.sim.pictures import draw_png


def bits(detail):
    """Return accuracy against bits of weights and delays as a PNG."""
    return bits_png(detail["rows"], detail["float"] / 100)


def parity(detail):
    """Return cosine of gradients, and accuracy, against the grid's tick as a PNG."""

    def draw(axes, theme):
        labels = ("cosine of grid and exact gradients", "accuracy, %")
        for axis, key, label in zip(axes, ("cosine", "accuracy"), labels, strict=True):
            for seed in detail["by seed"]:
                ticks = [point["tick"] for point in seed["curve"]]
                axis.plot(
                    ticks, [point[key] for point in seed["curve"]], color=theme.first, lw=0.7,
                    alpha=0.4,
                )  # fmt: skip
            mean = [point[key] for point in detail["mean curve"]]
            seeds = f"mean of {len(detail['by seed'])} seeds"
            axis.semilogx(ticks, mean, "o-", color=theme.first, ms=4, label=seeds)
            axis.set(xlabel="tick, ms", ylabel=label)
            axis.grid(True)
        axes[1].axhline(
            detail["exact accuracy"], color=theme.third, ls="--", lw=1.2, label="continuous time"
        )
        for axis in axes:
            axis.legend(loc="lower left", fontsize=8)

    return draw_png(draw, 8.4, 3.1, ncols=2)


PICTURES = {"bits": bits, "parity": parity}


def main(name, target, source=FOLDER / f"{TRAINING}.json"):
    """Write the picture of a row in the file of figures ``source`` to ``target``."""
    write_atomically(Path(target), PICTURES[name](load(Path(source))[name]["detail"]))


if __name__ == "__main__":
    main(*sys.argv[1:])
