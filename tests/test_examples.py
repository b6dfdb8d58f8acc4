"""Every example is an experiment that can be read, and its core can be made."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from ranvier.sim.experiment import load_experiment
from ranvier.train.datasets import load_dataset
from ranvier.train.trainer import train

ROOT = Path(__file__).parents[1]
OWN = (ROOT / "data" / "own").resolve()
EXAMPLES = sorted((ROOT / "examples").glob("*.toml"))
RECORDED = {"shd": ("train", "test"), "ssc": ("train", "valid", "test")}
CLASSES = {"shd": 20, "ssc": 35}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_is_sound(path):
    data = load_experiment(path).resolved(path.parent).data
    for name in ("path", "train_path", "validation_path", "test_path"):
        place = getattr(data, name)
        if place is not None:
            place = Path(place).resolve()
            assert place.is_file() or OWN in place.parents


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_in_the_docs(path):
    pages = [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]
    assert any(path.name in page.read_text(encoding="utf-8") for page in pages)


def write_recordings(path, classes, rng):
    """Write a file in the layout of SHD and SSC: two recordings of each class, 40 events each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as h5:
        times = h5.create_dataset("spikes/times", 2 * classes, h5py.vlen_dtype("f2"))
        units = h5.create_dataset("spikes/units", 2 * classes, h5py.vlen_dtype("u2"))
        for i in range(2 * classes):
            times[i] = np.sort(rng.random(40)).astype("f2")
            units[i] = rng.integers(0, 700, 40)
        h5["labels"] = np.arange(2 * classes).astype("u2") % classes


def trained(experiment, sets, epochs):
    """Check the core and train for some epochs; returns the record of the last."""
    shape = experiment.network_config(sets["train"].n_channels, sets["train"].n_classes)
    experiment.check_design(shape)
    settings = replace(experiment.train, epochs=epochs, patience=0)
    return train(shape, settings, sets, experiment.seed, progress=False, threads=1)[1][-1]


@pytest.mark.parametrize("name", RECORDED)
def test_recordings_of_the_user_fit_the_example(tmp_path, name):
    rng = np.random.default_rng(7)
    for part in RECORDED[name]:
        # h5py reads what isn't compressed as well.
        file = tmp_path / "data" / "own" / name / f"{name}_{part}.h5.gz"
        write_recordings(file, CLASSES[name], rng)
    folder = tmp_path / "examples"
    folder.mkdir()
    shutil.copy(ROOT / "examples" / f"{name}.toml", folder)
    experiment = load_experiment(folder / f"{name}.toml").resolved(folder)
    sets = load_dataset(experiment.data)
    assert set(sets) == {"train", "validation", "test"}
    assert (sets["train"].n_channels, sets["train"].n_classes) == (700, CLASSES[name])
    record = trained(experiment, sets, 1)
    assert set(record["accuracy"]) == set(sets)


def test_real_words_in_the_layout_of_shd_are_learned():
    """Digits through a cochlea, not in the repository: RANVIER_DATA names their folder."""
    folder = Path(os.environ.get("RANVIER_DATA", "")) / "cochlea_digits"
    paths = {f"{part}_path": folder / f"fsdd700_shd_layout_{part}.h5.gz"
             for part in ("train", "test")}  # fmt: skip
    if not all(path.is_file() for path in paths.values()):
        pytest.skip("RANVIER_DATA must name a folder with cochlea_digits/*_shd_layout_*.h5.gz")
    experiment = load_experiment(ROOT / "examples" / "shd.toml")
    data = replace(experiment.data, **{name: str(path) for name, path in paths.items()})
    record = trained(experiment, load_dataset(data), 3)
    assert record["accuracy"]["train"] > 0.3  # three times chance, after 18 steps
