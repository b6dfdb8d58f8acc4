"""Converts an event file with time differences into the .npz layout of Ranvier.

    python examples/convert_events.py braille_events.npz data/own/braille/braille_events.npz
    python examples/convert_events.py fsdd700.npz data/own/cochlea_digits/fsdd700_speakers.npz \\
        --test theo yweweler

docs/data.md describes both layouts. Needs ranvier and numpy. Says on standard output what it wrote.
"""

import argparse
from pathlib import Path

import numpy as np

from ranvier.train.npz import SETS, save_npz
from ranvier.train.samples import DataError, Dataset


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="the file to read")
    parser.add_argument("target", type=Path, help="the file to write")
    parser.add_argument(
        "--split", default="split", metavar="ARRAY",
        help="array that says which samples are for training (0), test (1), validation (2)",
    )
    parser.add_argument(
        "--test", nargs="+", metavar="SPEAKER",
        help="test on all samples of these speakers and train on the rest, whatever the split",
    )
    parser.add_argument(
        "--validation", nargs="+", default=[], metavar="SPEAKER",
        help="with --test: validate on all samples of these speakers",
    )
    parser.add_argument(
        "--pool", type=int, default=1, metavar="N", help="make one channel of N neighbours"
    )
    options = parser.parse_args(arguments)
    if options.validation and not options.test:
        parser.error("--validation needs --test")
    with np.load(options.source, allow_pickle=False) as file:
        arrays = dict(file)
    try:
        whole = read(arrays, options.pool)
        split = arrays[options.split]
        if options.test:
            split = by_speaker(arrays, options.test, options.validation)
    except KeyError as error:
        raise SystemExit(f"{options.source} must have the array {error}, not miss it") from None
    except DataError as error:
        raise SystemExit(f"{options.source}: {error}") from None
    options.target.parent.mkdir(parents=True, exist_ok=True)
    save_npz(options.target, whole, split)
    sizes = ", ".join(f"{n} {SETS[k]}" for k, n in enumerate(np.bincount(split)))
    print(f"{options.target}: {sizes}, {whole.n_channels} channels, {len(whole.times)} events")


def read(arrays, pool=1):
    """Return all samples of a file with time differences, as one `Dataset`.

    Parameters
    ----------
    arrays : dict of str to array
        The file's arrays, as docs/data.md lists them.
    pool : int
        Neighbouring channels that become one.
    """
    channels = int(arrays["channels"])
    if pool < 1 or channels % pool:
        raise DataError(f"--pool must be a whole part of {channels} channels, not {pool}")
    offsets = arrays["offsets"].astype(np.int64)
    total = np.concatenate([[0], np.cumsum(arrays["dt"], dtype=np.int64)])
    begin = np.repeat(total[offsets[:-1]], np.diff(offsets))
    channel = arrays["ch_lo"].astype(np.int64)
    if "ch_hi" in arrays:
        channel += 256 * arrays["ch_hi"].astype(np.int64)
    return Dataset(
        times=(total[1:] - begin) * int(arrays["tick_us"]),
        channels=channel // pool,
        offsets=offsets,
        labels=arrays["label"],
        n_channels=channels // pool,
        n_classes=int(arrays["label"].max()) + 1,
    )


def by_speaker(arrays, test, validation=()):
    """Return the set of each sample, an index of `SETS`: that which has its speaker, or training.

    Speakers go by their names in ``speaker_names``; in files without it, by their numbers.
    """
    known = arrays.get("speaker_names", np.arange(int(arrays["speaker"].max()) + 1)).astype(str)
    split = np.zeros(len(arrays["speaker"]), np.uint8)
    for number, names in ((1, test), (2, validation)):
        for name in names:
            if name not in known:
                raise DataError(f"Speakers must be of {', '.join(known)}, not {name!r}")
            split[known[arrays["speaker"]] == name] = number
    return split


if __name__ == "__main__":
    main()
