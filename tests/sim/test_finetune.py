"""Steps of a run with the tables [finetune] and [bits]; test_run.py takes all of them."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from ranvier.model.parameters import Parameters
from ranvier.sim import report
from ranvier.sim.cli import main
from ranvier.sim.experiment import make_experiment, read_toml
from ranvier.sim.folder import RunFolder
from ranvier.train.accuracy import fixed_accuracy
from ranvier.train.network import Network
from ranvier.train.quantise import quantise

from .experiments import TINY, write

TUNED = TINY.replace("banks = 2", "weight_bits = 3") + """\
[finetune]
epochs = 2
weight_rate = 0.02
[bits]
weights = [3, 2]
delays = [2]
"""


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """Take its steps up to the study of bits. Returns the folder."""
    folder = tmp_path_factory.mktemp("finetune")
    out = folder / "out"
    assert main(["train", str(write(folder, TUNED)), "--out", str(out), "-q"]) == 0
    for command in ("finetune", "quantise", "emulate", "bits"):
        assert main([command, str(out), "-q"]) == 0
    return out


def read(folder, name):
    return json.loads((folder / name).read_text())


def test_the_design_is_the_fine_tuned_network_with_its_scales(out):
    run = RunFolder.open(out)
    network = Network.load(out / "finetune/network.safetensors")
    scales = read(out, "finetune/scales.json")["scales"]
    wanted, _ = quantise(network, run.experiment.design, scales)
    assert Parameters.load(out / "design.safetensors").hash == wanted.hash
    trained = Network.load(out / "network.safetensors")
    assert quantise(trained, run.experiment.design)[0].hash != wanted.hash
    other, _ = quantise(trained, run.experiment.design, {name: 2.0 for name in scales})
    assert other.hash != wanted.hash


def test_accuracies_are_those_of_the_integers(out):
    tuned, quantised = read(out, "finetune/training.json"), read(out, "quantise.json")
    assert tuned["accuracy"]["test"] == quantised["accuracy"]["traces"]
    assert tuned["accuracy"]["test"] == read(out, "emulate.json")["accuracy"]
    best = max(record["accuracy"]["validation"] for record in tuned["history"])
    assert tuned["accuracy"]["validation"] == best
    run, trained = RunFolder.open(out), Network.load(out / "network.safetensors")
    before = fixed_accuracy(trained, run.experiment.design, run.data["test"])
    assert quantised["trained"]["traces"] == before


def test_files_of_fine_tuning_are_all_there(out):
    names = {path.name for path in (out / "finetune").iterdir()}
    assert names == {"network.safetensors", "scales.json", "training.json", "curves.csv",
                     "curves.parquet", "curves.png"}
    assert read(out, "steps.json")["steps"]["finetune"]["outputs"].keys() == {
        f"finetune/{name}" for name in names}


def test_a_study_of_another_network_is_not_shown(out, tmp_path):
    assert report._bits(RunFolder.open(out))["rows"] == read(out, "bits/bits.json")["rows"]
    copy = tmp_path / "copy"
    shutil.copytree(out, copy)
    values = read(copy, "bits/bits.json")
    (copy / "bits/bits.json").write_text(json.dumps(values | {"network": "another"}))
    assert report._bits(RunFolder.open(copy)) is None


def test_other_settings_of_it_change_the_design_but_not_the_training(out, tmp_path, capsys):
    copy = tmp_path / "copy"
    shutil.copytree(out, copy)
    text = TUNED.replace("epochs = 2\nweight_rate = 0.02", "epochs = 1\nweight_rate = 0.03")
    source = write(tmp_path, text)
    assert main(["train", str(source), "--out", str(copy)]) == 0
    assert "train: passed over" in capsys.readouterr().err
    for command in ("finetune", "quantise"):
        assert main([command, str(copy), "-q"]) == 0
    assert "accuracy, test, fixed: " in capsys.readouterr().out
    designs = [Parameters.load(path / "design.safetensors").hash for path in (copy, out)]
    assert designs[0] != designs[1]


def test_without_the_table_there_is_no_step(tmp_path, capsys):
    source = write(tmp_path, TUNED[: TUNED.index("[finetune]")])
    assert main(["train", str(source), "--out", str(tmp_path / "seeds"), "--seeds", "1"]) == 0
    run = tmp_path / "seeds/seed-3"
    assert not (run / "finetune").exists()
    assert read(run, "steps.json")["steps"].keys() == {"train", "quantise"}
    assert "trained" not in read(run, "quantise.json")
    capsys.readouterr()
    assert main(["finetune", str(run), "-q"]) == 2
    assert capsys.readouterr().err == (
        "ranvier: Experiment must have a table [finetune] for this step, and has none\n")


def test_seeds_are_fine_tuned(out, tmp_path):
    source = write(tmp_path, TUNED)
    assert main(["train", str(source), "--out", str(tmp_path / "s"), "--seeds", "1", "-q"]) == 0
    one, other = (Network.load(path / "finetune/network.safetensors").arrays()
                  for path in (tmp_path / "s/seed-3", out))
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name])
    row = read(tmp_path / "s", "seeds.json")["seeds"][0]
    assert row["fixed"] == read(out, "quantise.json")["accuracy"]["traces"]


def test_settings_are_those_of_training_but_for_what_the_table_says(tmp_path):
    text = TUNED.replace("batch = 50", "batch = 40\ntick = 0.5\npatience = 7\nmargin = 2.0")
    experiment = make_experiment(read_toml(write(tmp_path, text)), "file")
    tuned = experiment.finetune_settings(validated=True)
    changed = {"epochs": 2, "weight_rate": 0.02, "patience": 2, "tick": 0.0}
    assert tuned == replace(experiment.train, **changed)
    assert experiment.finetune_settings(validated=False).patience == 0
    own = text.replace("epochs = 2\nweight_rate", "epochs = 2\npatience = 1\nweight_rate")
    experiment = make_experiment(read_toml(write(tmp_path, own)), "file")
    assert experiment.finetune_settings(validated=True).patience == 1


BAD = [
    ("[finetune]\nepochs = 2", "[finetune]\nepocs = 2",
     "finetune.epocs must be a known key, and isn't one: did you mean epochs?"),
    ("[finetune]\nepochs = 2", "[finetune]", "finetune.epochs must be given, and is missing"),
    ("[finetune]\nepochs = 2", "[finetune]\nepochs = 0",
     "finetune: epochs must be a whole number of at least 1, not 0"),
    ("[finetune]\nepochs = 2", '[finetune]\nepochs = 2\nbatch = "a"',
     "finetune.batch must be a whole number, not 'a'"),
    ("[finetune]\nepochs = 2", "[finetune]\nepochs = 2\ntick = 0.5",
     "finetune.tick must be a known key, and isn't one"),
    ("[finetune]\nepochs = 2", "[finetune]\nepochs = 2\ndropout = 1.0",
     "finetune: dropout must be below 1, not 1.0"),
    ('readout = "first-spike"', 'readout = "leaky"\nsynapse = "jump"',
     "finetune must be left out with jump synapses, and is there"),
    ("weights = [3, 2]", "weights = [3, 1]",
     "bits: Each of weights must be from 2 to 12 bits and below the one before, not 1"),
    ("weights = [3, 2]", "weights = [3, 3]",
     "bits: Each of weights must be from 2 to 12 bits and below the one before, not 3"),
    ("delays = [2]", "delays = [17]",
     "bits: Each of delays must be from 1 to 16 bits and below the one before, not 17"),
    ("weights = [3, 2]\ndelays = [2]", "weights = []\ndelays = []",
     "bits: Bits must be of weights or of delays, not of neither"),
]


@pytest.mark.parametrize(("old", "new", "sentence"), BAD)
def test_a_bad_value_is_one_sentence(tmp_path, capsys, old, new, sentence):
    assert old in TUNED
    path = write(tmp_path, TUNED.replace(old, new, 1))
    assert main(["train", str(path), "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.startswith(f"ranvier: {path}: {sentence}")
