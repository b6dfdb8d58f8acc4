"""Draws accuracy against bits of weights and delays, as `bench/figures.py --only bits` measured it.

    .venv/bin/python bench/picture.py docs/images/bits.png
"""

import sys
from pathlib import Path

from figures import FILE, load

from ranvier.model.files import write_atomically
from ranvier.sim.bitspicture import bits_png


def main(target, source=FILE):
    """Write the picture of the row `bits` in the file of figures ``source`` to ``target``."""
    detail = load(source)["bits"]["detail"]
    write_atomically(Path(target), bits_png(detail["rows"], detail["float"] / 100))


if __name__ == "__main__":
    main(*sys.argv[1:])
