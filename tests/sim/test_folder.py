import json
import re

import pytest

from ranvier.sim.experiment import load_experiment
from ranvier.sim.folder import RunFolder, versions

from .experiments import TINY, write


def test_a_new_folder_says_what_it_is_of(tmp_path):
    source = write(tmp_path)
    run = RunFolder.create(source, tmp_path / "a" / "out")
    assert (run.path / "experiment.toml").read_bytes() == source.read_bytes()
    record = json.loads((run.path / "run.json").read_text())
    assert record["experiment"] == run.sha256
    assert record["seed"] == 3
    assert record["versions"] == versions()
    assert run.name == "tiny"


def test_an_opened_folder_is_the_one_that_was_made(tmp_path):
    made = RunFolder.create(write(tmp_path), tmp_path / "out", seed=11)
    opened = RunFolder.open(tmp_path / "out")
    assert opened.experiment == made.experiment
    assert opened.experiment.seed == 11
    assert opened.sha256 == made.sha256
    assert opened.source == made.source


def test_kinds_of_noise_that_are_left_out_stay_left_out(tmp_path):
    text = TINY.replace("event_loss = [0.1, 0.3]", "event_loss = []")
    made = RunFolder.create(write(tmp_path, text), tmp_path / "out")
    assert RunFolder.open(tmp_path / "out").experiment.noise == made.experiment.noise


@pytest.mark.parametrize(("old", "new"), [
    ("epochs = 2", "epochs = 0"),
    ('source = "yinyang"', 'source = "npz"\npath = "missing.npz"'),
    ("banks = 2", "banks = 99"),
])
def test_nothing_is_written_for_what_cannot_run(tmp_path, old, new):
    text = TINY.replace(old, new)
    if "npz" in new:
        text = re.sub(r"\w+_size = \d+\n", "", text)
    source = write(tmp_path, text)
    with pytest.raises((ValueError, OSError)):
        RunFolder.create(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_is_no_place_for_a_folder(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(ValueError, match="out must be a folder, and is a file"):
        RunFolder.create(write(tmp_path), tmp_path / "out")


def test_a_folder_of_something_else_is_refused(tmp_path):
    with pytest.raises(ValueError, match=re.escape(
            f"{tmp_path} must be the folder of a run, and has no run.json: make it with "
            f"`ranvier run EXPERIMENT.toml --out {tmp_path}`")):
        RunFolder.open(tmp_path)


@pytest.mark.parametrize(("text", "sentence"), [
    ("{", "must be whole JSON"),
    ("[]", "must hold a JSON object"),
    ("{}", "must be the record of a run"),
    ('{"values": {"seed": 1}, "folder": "/", "source": ""}', "data must be given"),
])
def test_a_damaged_record_is_refused(tmp_path, text, sentence):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(ValueError, match=rf"run\.json:? .*{sentence}"):
        RunFolder.open(tmp_path)


def test_a_missing_file_is_a_sentence_with_the_command_that_makes_it(tmp_path):
    run = RunFolder.create(write(tmp_path), tmp_path / "out")
    with pytest.raises(ValueError, match=re.escape(
            f"{run.path / 'design.safetensors'} must be there, and is missing: "
            f"run `ranvier quantise {run.path}`")):
        run.need("design.safetensors")


def test_the_data_hash_follows_the_file(tmp_path):
    text = re.sub(r"\w+_size = \d+\n", "", TINY).replace(
        'source = "yinyang"', 'source = "npz"\npath = "events.npz"')
    experiment = load_experiment(write(tmp_path, text)).resolved(tmp_path)
    hashes = []
    for content in (b"one", b"one", b"other"):
        (tmp_path / "events.npz").write_bytes(content)
        hashes.append(RunFolder(tmp_path, experiment, "", "").data_hash)
    assert hashes[0] == hashes[1] != hashes[2]
