"""Damaged files of each kind that is loaded: they must be refused by a sentence.

RANVIER_FUZZ says how many cases each loader gets; 300 without it. Cases are numbered, and each is
made from its number alone.
"""

import itertools
import os
import resource
import time

import h5py
import numpy as np
import pytest

from ranvier.model.parameters import Parameters
from ranvier.sim.experiment import load_experiment
from ranvier.sim.noise.faultmap import read_fault_map
from ranvier.sim.noise.plan import draw_plan
from ranvier.sim.noise.planfile import load_plan, save_plan
from ranvier.sim.noise.settings import NoiseConfig
from ranvier.train.network import Network
from ranvier.train.npz import load_npz, save_npz
from ranvier.train.shd import load_shd

from ..train.test_quantise import mixed_net
from .experiments import TINY, mapped, write
from .noise import subjects
from .noise.maps import file_of

CASES = int(os.environ.get("RANVIER_FUZZ", "300"))
SLOWEST = 10.0  # seconds that a file may take: none is larger than some 100 KB
SUBJECT = subjects.random_subject(5, samples=3)
WORDS = (b"0", b"-1", b"1e999", b"NaN", b"null", b"[[", b"{}", b'"', b"\n", b"\xff", b"9" * 30)


def damaged(content, case):
    """Return a file's content after one to three random changes."""
    rng = np.random.default_rng([7, case])
    content = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        at = int(rng.integers(len(content) + 1))
        size = int(rng.integers(1, 16))
        match rng.integers(6):
            case 0:
                content[at : at + 1] = bytes([int(rng.integers(256))])
            case 1:
                del content[at : at + size]
            case 2:
                content[at:at] = content[max(0, at - size) : at]
            case 3:
                del content[at:]
            case 4:
                content[at : at + size] = WORDS[int(rng.integers(len(WORDS)))]
            case _:
                flip = int(rng.integers(8))
                content[at : at + 1] = bytes([byte ^ 1 << flip for byte in content[at : at + 1]])
        content = content or bytearray(b"x")
    return bytes(content)


def files(folder):
    """Write each kind of file. Returns its loader, and what doesn't change of its content."""
    plan = draw_plan(SUBJECT, NoiseConfig(kinds="all", levels={"weight_map": (1, 2)}, instances=1,
                                          fault_map="map.csv"), 3)
    save_plan(plan, folder / "plan.jsonl")
    SUBJECT.parameters.save(folder / "design.safetensors")
    mixed_net(1).save(folder / "network.safetensors")
    (folder / "map.csv").write_text(file_of(SUBJECT, np.random.default_rng(1)))
    data = SUBJECT.dataset
    save_npz(folder / "events.npz", data, np.arange(len(data)) % 2)
    recordings(folder / "events.h5", data)
    write(folder, mapped(TINY), "experiment.toml")
    return {
        "plan.jsonl": (lambda path: load_plan(path, SUBJECT), lambda found: found.seed),
        "design.safetensors": (Parameters.load, lambda found: found.hash),
        "network.safetensors": (Network.load, type),
        "map.csv": (lambda path: read_fault_map(path, SUBJECT.parameters),
                    lambda found: found.shape[1]),
        "events.npz": (load_npz, lambda found: found["train"].times.tolist()),
        "events.h5": (lambda path: load_shd({"train": path}, data.n_channels), list),
        "experiment.toml": (load_experiment, type)}


def recordings(path, data):
    """Write samples in the layout of SHD, in chunks, as its own files are."""
    with h5py.File(path, "w") as file:
        for name, values, dtype in (("times", data.times / 1e6, "f4"),
                                    ("units", data.channels, "u2")):
            lists = file.create_dataset(f"spikes/{name}", len(data), h5py.vlen_dtype(dtype),
                                        chunks=(2,), maxshape=(None,))
            for i, (start, end) in enumerate(itertools.pairwise(data.offsets)):
                lists[i] = values[start:end]
        file["labels"] = data.labels


def attempt(load, path):
    """Return what is loaded and None, or None and the text of the one error that's allowed."""
    try:
        return load(path), None
    except ValueError as error:
        return None, str(error)


# How many are refused at least. Of some nothing tells what they were: a changed digit is another.
LEAST = {"plan.jsonl": 0.9, "design.safetensors": 0.9, "events.npz": 0.9, "experiment.toml": 0.9,
         "network.safetensors": 0.8, "map.csv": 0.5, "events.h5": 0.5}


@pytest.mark.parametrize("name", LEAST)
def test_a_damaged_file_is_refused_by_a_sentence(name, tmp_path):
    load, content_of = files(tmp_path)[name]
    whole = (tmp_path / name).read_bytes()
    wanted = content_of(load(tmp_path / name))
    path, refused = tmp_path / f"damaged-{name}", 0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for case in range(CASES):
        path.write_bytes(damaged(whole, case))
        began = time.monotonic()
        found, error = attempt(load, path)
        refused += error is not None
        assert content_of(found) == wanted if error is None else str(path) in error, case
        assert time.monotonic() - began < SLOWEST, case
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown * 1024 < 2 * len(whole) + (64 << 20)
    assert refused > LEAST[name] * CASES
