"""A search finds the settings that do best on the validation set, the same ones each time."""

import json
import shutil
import sys
import tomllib
from contextlib import contextmanager

import numpy as np
import pytest

from ranvier.sim import search as module
from ranvier.sim.cli import main
from ranvier.sim.experiment import load_experiment
from ranvier.sim.folder import RunFolder
from ranvier.sim.search import search
from ranvier.sim.workers import Pool

from .experiments import TINY, mapped, write

pytest.importorskip("optuna")

RANGES = """
[search]
"train.weight_rate" = { low = 1e-4, high = 0.3, log = true }
"train.batch" = { low = 30, high = 100 }
"network.hidden" = { choices = [[4], [8, 4]] }
"""
SEARCHED = TINY.replace("epochs = 2", "epochs = 1").replace(
    "train_size = 300", "train_size = 60") + RANGES


def fake(number, values, folder):
    """A trial whose accuracy is best at a rate of 0.01, without training."""
    rate = values["train"]["weight_rate"]
    result = {"accuracy": 1 / (1 + abs(rate - 0.01)), "validation_loss": 1.0, "epoch": 1,
              "epochs": 1, "seconds": 0.0}
    return number, result


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(module, "_trial", fake)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A real search: its folder and its table."""
    folder = tmp_path_factory.mktemp("search")
    result = search(write(folder, SEARCHED), folder / "out", trials=3)
    return folder / "out", result


def settled(result):
    """The trials without the time they took."""
    return [{key: value for key, value in row.items() if key != "seconds"}
            for row in result["trials"]]


def test_trials_are_drawn_within_their_ranges(found):
    _, result = found
    assert [row["number"] for row in result["trials"]] == [0, 1, 2]
    for row in result["trials"]:
        assert 1e-4 <= row["settings"]["train.weight_rate"] <= 0.3
        assert row["settings"]["train.batch"] in range(30, 101)
        assert row["settings"]["network.hidden"] in ([4], [8, 4])
    assert len({row["settings"]["train.weight_rate"] for row in result["trials"]}) == 3


def test_the_best_is_that_of_the_validation_set(found):
    folder, result = found
    assert result["best"]["accuracy"] == max(row["accuracy"] for row in result["trials"])
    for row in result["trials"]:
        report = json.loads((folder / "trials" / str(row["number"]) / "training.json").read_text())
        last = report["history"][-1]
        assert last["accuracy"].keys() == {"train", "validation"}
        assert row["accuracy"] == last["accuracy"]["validation"]
        assert report["settings"]["weight_rate"] == row["settings"]["train.weight_rate"]


def test_the_files_are_written(found):
    folder, result = found
    saved = json.loads((folder / "search.json").read_text())
    assert saved == result
    assert saved["seed"] == 3
    assert (folder / "search.png").read_bytes().startswith(b"\x89PNG")


def test_the_best_experiment_is_one_that_run_accepts(found, tmp_path):
    folder, result = found
    values = tomllib.loads((folder / "best.toml").read_text())
    assert "search" not in values
    run = RunFolder.create(folder / "best.toml", tmp_path / "out")
    settings = result["best"]["settings"]
    assert run.experiment.train.weight_rate == settings["train.weight_rate"]
    assert list(run.experiment.network.hidden) == settings["network.hidden"]
    assert run.experiment.noise == load_experiment(folder.parent / "tiny.toml").noise


def test_paths_of_the_best_experiment_lead_to_the_files(quick, tmp_path):
    np.savez(tmp_path / "events.npz", times=range(12), channels=[0] * 12, offsets=range(13),
             labels=[0, 1] * 6, split=[0] * 8 + [1] * 4, n_channels=1, n_classes=2)
    head, rest = SEARCHED.split("source =")
    text = (head + 'source = "npz"\npath = "events.npz"\nvalidation_part = 0.25\n'
            + rest[rest.index("[network]"):])
    (tmp_path / "map.csv").write_text("bank,address,bit,value,level\n1,0,0,0,1\n")
    search(write(tmp_path, mapped(text)), tmp_path / "a" / "out", trials=1)
    run = RunFolder.create(tmp_path / "a" / "out" / "best.toml", tmp_path / "b")
    assert len(run.data["validation"]) == 2
    assert run.experiment.noise.fault_map == str(tmp_path / "map.csv")


def test_more_trials_go_on_from_those_that_are_there(quick, tmp_path):
    source = write(tmp_path, SEARCHED)
    straight = search(source, tmp_path / "one", trials=14)
    search(source, tmp_path / "two", trials=6)
    assert settled(search(source, tmp_path / "two", trials=14)) == settled(straight)
    assert len({row["settings"]["train.weight_rate"] for row in straight["trials"]}) == 14


@pytest.mark.parametrize("place", [0, 5, 11])
def test_an_interrupted_search_goes_on_as_if_it_had_not_been(
        quick, tmp_path, monkeypatch, place):
    source = write(tmp_path, SEARCHED)
    straight = search(source, tmp_path / "one", trials=13)

    def interrupted(number, values, folder):
        if number == place:
            raise KeyboardInterrupt
        return fake(number, values, folder)

    with monkeypatch.context() as patch:
        patch.setattr(module, "_trial", interrupted)
        with pytest.raises(KeyboardInterrupt):
            search(source, tmp_path / "two", trials=13)
    assert settled(search(source, tmp_path / "two", trials=13)) == settled(straight)


def test_a_draw_that_was_interrupted_is_finished_the_same_way_each_time(
        quick, tmp_path, monkeypatch):
    source = write(tmp_path, SEARCHED)

    def interrupted(trial, *arguments, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("optuna.trial.Trial.suggest_int", interrupted)
        with pytest.raises(KeyboardInterrupt):
            search(source, tmp_path / "one", trials=3)
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    one, other = (search(source, tmp_path / name, trials=3) for name in ("one", "two"))
    assert settled(one) == settled(other)
    assert len(one["trials"]) == 3


def test_of_equal_accuracies_the_lowest_loss_is_best(tmp_path, monkeypatch):
    losses = [2.0, 3.0, 1.0, 1.5]
    monkeypatch.setattr(module, "_trial", lambda number, values, folder: (number, {
        "accuracy": 0.5, "validation_loss": losses[number], "epoch": 1, "epochs": 1,
        "seconds": 0.0}))
    assert search(write(tmp_path, SEARCHED), tmp_path / "out", trials=4)["best"]["number"] == 2


def test_with_several_workers_too(quick, tmp_path, monkeypatch):
    """Three trials at a time, here in one process; one is interrupted while two others wait."""
    plain = module.open_pool

    @contextmanager
    def three(workers, dask):
        with plain() as pool:
            yield Pool(pool.submit, 3)

    monkeypatch.setattr(module, "open_pool", three)
    source = write(tmp_path, SEARCHED)
    straight = search(source, tmp_path / "one", trials=14)

    def interrupted(number, values, folder):
        if number == 12:
            raise KeyboardInterrupt
        return fake(number, values, folder)

    with monkeypatch.context() as patch:
        patch.setattr(module, "_trial", interrupted)
        with pytest.raises(KeyboardInterrupt):
            search(source, tmp_path / "two", trials=14)
    assert settled(search(source, tmp_path / "two", trials=14)) == settled(straight)


def test_processes_find_the_same(found, tmp_path):
    """As long as the sampler draws at random, which its first ten trials are."""
    folder, result = found
    other = search(folder.parent / "tiny.toml", tmp_path / "out", trials=3, workers=2)
    assert settled(other) == settled(result)


def test_a_dask_cluster_finds_the_same(found, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    plain, asked = module.open_pool, []

    def noted(workers, dask):
        asked.append((workers, dask))
        return plain(workers, dask)

    monkeypatch.setattr(module, "open_pool", noted)
    folder, result = found
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0",
        protocol="tcp", host="127.0.0.1",
    ) as cluster:  # fmt: skip
        other = search(folder.parent / "tiny.toml", tmp_path / "out", trials=3,
                       dask=cluster.scheduler_address)
        assert asked == [(None, cluster.scheduler_address)]
    assert settled(other) == settled(result)


def test_a_trial_that_fails_is_told_and_the_search_goes_on(tmp_path, capsys):
    text = SEARCHED.replace("low = 1e-4, high = 0.3, log = true", "choices = [-1.0, 0.01]")
    assert main(["search", str(write(tmp_path, text)), "--out", str(tmp_path / "out"),
                 "--trials", "3"]) == 0
    said = capsys.readouterr()
    result = json.loads((tmp_path / "out" / "search.json").read_text())
    failed = [row for row in result["trials"] if "failed" in row]
    assert 0 < len(failed) < 3
    assert failed[0]["failed"].endswith("train: weight_rate must be at least 0, not -1.0")
    assert f"best of 3 trials, {len(failed)} failed: trial {result['best']['number']}" in said.out
    assert "train.weight_rate    0.01" in said.out
    assert "failed, trial" in said.err


def test_a_search_of_which_nothing_succeeds_is_refused(tmp_path):
    text = SEARCHED.replace("low = 1e-4, high = 0.3, log = true", "choices = [-1.0, -2.0]")
    with pytest.raises(RuntimeError, match="A trial must succeed, and none did: trial 0: train: w"):
        search(write(tmp_path, text), tmp_path / "out", trials=1)


def test_another_search_needs_another_folder(quick, tmp_path):
    search(write(tmp_path, SEARCHED), tmp_path / "out", trials=1)
    source = write(tmp_path, SEARCHED.replace("high = 0.3", "high = 0.2"))
    with pytest.raises(ValueError, match="out must be of this search, not of one with other"):
        search(source, tmp_path / "out", trials=1)


@pytest.mark.parametrize(("text", "trials", "message"), [
    (SEARCHED, 0, "Number of trials must be at least 1, not 0"),
    (TINY, 1, "search must name the settings to search in, and is missing"),
])
def test_what_cannot_be_searched_is_refused_and_leaves_nothing(tmp_path, text, trials, message):
    with pytest.raises(ValueError, match=message):
        search(write(tmp_path, text), tmp_path / "out", trials=trials)
    assert not (tmp_path / "out").exists()


def test_data_without_a_validation_set_are_refused(quick, tmp_path, monkeypatch):
    plain = RunFolder.data.func
    monkeypatch.setattr(RunFolder, "data", property(
        lambda run: {name: part for name, part in plain(run).items() if name != "validation"}))
    with pytest.raises(ValueError, match=r"validation set, not only test, train: set data\.valid"):
        search(write(tmp_path, SEARCHED), tmp_path / "out", trials=1)


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(RuntimeError, match=r"run `pip install 'ranvier\[search\]'`"):
        search(write(tmp_path, SEARCHED), tmp_path / "out", trials=1)
