"""The design space: its points are those of the models, and each is measured once."""

import csv
import io
import itertools
import json

import numpy as np
import pytest
from amaranth.hdl import Fragment

from ranvier.hw.synthesis.predict import predict
from ranvier.model.config import BUFFERS, DELAYS, ROWS
from ranvier.model.cycles import CycleModel
from ranvier.model.memory import bits, core_memories
from ranvier.sim.cli import main
from ranvier.sim.designs import Subject, changed, combinations, storages
from ranvier.sim.explore import study
from ranvier.sim.explore.front import front, mark_fronts
from ranvier.sim.explore.picture import explore_picture, explore_png
from ranvier.sim.explore.settings import ExploreConfig
from ranvier.sim.explore.study import explore_csv, run_explore
from ranvier.sim.explore.tables import explore_table
from ranvier.sim.folder import RunFolder
from ranvier.sim.report import _explore
from ranvier.train.accuracy import fixed_accuracy
from ranvier.train.design import DesignConfig
from ranvier.train.network import Network
from ranvier.train.quantise import encode_dataset

from .experiments import TINY, write

TABLE = """
[explore]
weight_bits = [3, 6]
trace_bits = [18]
tick = [0.5]
banks = [1, 2, 40]
samples = 30
cycle_samples = 4
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run whose network isn't trained: what counts here is that its designs differ."""
    folder = tmp_path_factory.mktemp("explore")
    run = RunFolder.create(write(folder, TINY + TABLE), folder / "run")
    settings = run.experiment.train
    Network.random(run.network_config, settings, 1).save(run.path / "network.safetensors")
    return run


@pytest.fixture(scope="module")
def rows(run):
    return run_explore(run, run.experiment.explore)


def test_points_are_those_of_the_models(run, rows):
    assert len(rows) == 2 * 3 * 2
    subject, test = Subject(run), run.data["test"].subset(range(30))
    for row in rows:
        if row["banks"] == 40:
            assert "banks must be at most 15" in row["failed"]
            assert row["accuracy"] is row["lut4"] is None
            continue
        design = DesignConfig(tick=0.5, trace_bits=18, weight_bits=row["weight_bits"],
                              banks=row["banks"], buffer=row["buffer"])
        parameters = subject.parameters(design)
        config = parameters.config
        assert row["accuracy"] == fixed_accuracy(subject.network, design, test)
        assert row["low"] < row["accuracy"] < row["high"]
        assert (row["buffer"], row["cursors"]) == (config.buffer, config.cursors)
        assert row["memory_bits"] == bits(core_memories(config))
        cells = predict(config, "ecp5-25k")
        assert [row[name] for name in ("lut4", "flip_flops", "block_rams", "multipliers")] == [
            cells[kind] for kind in ("LUT4", "flip-flop", "block RAM", "multiplier")]
        events = encode_dataset(test.subset(range(4)), config)
        assert row["cycles"] == np.mean(CycleModel(parameters).run(events).cycles)
    assert len({row["cycles"] for row in rows}) == 9  # None of those that failed among them


def test_the_accuracy_is_measured_once_for_all_banks_and_buffers(run, monkeypatch, tmp_path):
    done = []
    monkeypatch.setitem(study.WORK, "accuracy", lambda *_, **__: done.append(1) or {
        "accuracy": 0.5, "low": 0.4, "high": 0.6})
    table = ExploreConfig(weight_bits=(5, 7), trace_bits=(18,), banks=(1, 2), cycle_samples=1)
    found = run_explore(run, table)
    assert len(found) == 8
    assert len(done) == 2


def test_points_are_measured_once_and_others_go(run, rows, monkeypatch):
    again = run_explore(run, run.experiment.explore)
    assert again == rows

    def fail(*_, **__):
        raise AssertionError("measured again")

    with monkeypatch.context() as patch:
        for work in study.WORK:
            patch.setitem(study.WORK, work, fail)
        assert run_explore(run, run.experiment.explore) == rows
    assert len(list((run.path / "explore" / "points").iterdir())) == 2 + 12


def test_a_stopped_study_goes_on_and_workers_change_nothing(run, rows, monkeypatch):
    for path in (run.path / "explore" / "points").iterdir():
        path.unlink()
    plain, calls = study.WORK["cost"], itertools.count()

    def interrupted(*arguments, **options):
        if next(calls) == 3:
            raise KeyboardInterrupt
        return plain(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setitem(study.WORK, "cost", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run_explore(run, run.experiment.explore)
    assert len(list((run.path / "explore" / "points").iterdir())) == 2 + 3
    assert run_explore(run, run.experiment.explore, workers=2) == rows


def test_a_changed_network_is_measured_anew(run, rows):
    key = Subject.key(run)
    path = run.path / "network.safetensors"
    before = path.read_bytes()
    Network.random(run.network_config, run.experiment.train, 2).save(path)
    try:
        assert Subject.key(run) != key
        assert run_explore(run, run.experiment.explore) != rows
    finally:
        path.write_bytes(before)


def test_combinations_are_all_and_own_values_stand_for_empty_lists():
    table = ExploreConfig(weight_bits=(4,), trace_bits=(), banks=(1, 2), rows=("sparse", "dense"))
    design = DesignConfig(tick=0.5, trace_bits=22)
    found = list(combinations(design, table))
    assert len(found) == 2 * (2 + 1)
    assert {(one["tick"], one["trace_bits"], one["weight_bits"]) for one in found} == {(0.5, 22, 4)}
    assert [(one["buffer"], one["rows"]) for one in found[:3]] == [
        ("ring", "sparse"), ("ring", "dense"), ("cursor", "sparse")]
    own = DesignConfig(buffer="cursor", cursors=64)
    assert changed(own, {"banks": 2}).cursors == 64
    assert changed(own, {"buffer": "ring"}).cursors is None


def test_the_front_is_what_nothing_beats():
    assert front([(1, 5), (2, 2), (2, 3), (5, 1), (6, 1), (1, 5)]) == [
        True, True, False, True, False, True]
    rows = [{"failed": "", "accuracy": accuracy, "cycles": cycles, "memory_bits": memory, "lut4": 9}
            for accuracy, cycles, memory in ((0.9, 10, 8), (0.9, 11, 7), (0.8, 20, 9))]
    rows.append({"failed": "too wide"})
    mark_fronts(rows)
    assert [row["front"] for row in rows] == [
        ["cycles", "lut4", "all"], ["memory_bits", "lut4", "all"], [], []]


def test_files_pictures_and_table_show_the_points(run, rows):
    lines = list(csv.DictReader(io.StringIO(explore_csv(rows))))
    assert [line["number"] for line in lines] == [str(k) for k in range(1, 13)]
    assert lines[0]["lut4"] == str(rows[0]["lut4"])
    assert lines[0]["front"].split() == rows[0]["front"]
    assert explore_png(rows, "up5k").startswith(b"\x89PNG")
    assert explore_png(rows, "up5k") == explore_png(rows, "up5k")
    assert explore_png(rows, "up5k") != explore_png(rows[:3], "up5k")
    assert explore_picture(rows, "up5k") == explore_picture(rows, "up5k")
    known = [row | {"synthesised": {"LUT4": 2 * row["lut4"]} if row["number"] == 1 else None}
             for row in rows]
    text = explore_table({"rows": known, "samples": 30, "cycle_samples": 4, "device": "up5k",
                          "error": {"LUT4": 0.2}})
    table = text.splitlines()
    assert table[0].split()[-2:] == ["LUT4", "synthesised"]
    assert table[1].split()[-1] == f"{2 * rows[0]['lut4']:,}"
    assert ("*" in table[1]) == ("all" in rows[0]["front"])
    assert "failed: Design banks" in table[5]
    assert "by 50.0% at most" in text
    assert "by more than 20%" in text


def test_the_front_is_synthesised(run, monkeypatch):
    cores = []

    def count(core, device, folder):
        Fragment.get(core, None)  # Amaranth warns of those that aren't elaborated
        cores.append((core.config, device, folder.is_dir()))
        return {"LUT4": 1234}

    monkeypatch.setattr(study, "count_cells", count)
    table = ExploreConfig(weight_bits=(3,), trace_bits=(18,), banks=(1, 2), buffer=("ring",),
                          cycle_samples=1, synthesise=True, device="hx8k")
    found = run_explore(run, table)
    best = [row for row in found if "all" in row["front"]]
    assert len(cores) == len(best) > 0
    assert all(row["synthesised"] == ({"LUT4": 1234} if row in best else None) for row in found)
    assert {(device, there) for _, device, there in cores} == {("hx8k", True)}


def test_the_command_writes_files_that_the_report_shows(run, rows, capsys):
    assert main(["explore", str(run.path), "-q"]) == 0
    assert "memory and LUTs" in capsys.readouterr().out
    found = json.loads((run.path / "explore/explore.json").read_text())
    assert found["rows"] == rows
    assert (found["samples"], found["cycle_samples"], found["device"]) == (30, 4, "ecp5-25k")
    assert {path.name for path in (run.path / "explore").iterdir()} == {
        "points", "explore.json", "explore.csv", "explore.parquet", "explore.png"}
    page = _explore(run)
    assert page["points"] == 12
    assert [row["number"] for row in page["rows"]] == [
        row["number"] for row in rows if "all" in row["front"]]
    other = found | {"network": "another"}
    (run.path / "explore/explore.json").write_text(json.dumps(other))
    assert _explore(run) is None


@pytest.mark.parametrize(("values", "text"), [
    ({"weight_bits": (13,)}, "weight_bits must be from 2 to 12, not 13"),
    ({"trace_bits": (17,)}, "trace_bits must be from 18 to 24, not 17"),
    ({"tick": (0.0001,)}, "whole number of microseconds"),
    ({"banks": (0,)}, "banks must be at least 1"),
    ({"banks": (1, 1)}, "Each value of banks must be there once"),
    ({"buffer": ("heap",)}, "buffer must be one of ring, cursor, not 'heap'"),
    ({"rows": ("wide",)}, "rows must be one of sparse, dense"),
    ({"cycle_samples": 0}, "cycle_samples must be at least 1"),
    ({"samples": -1}, "samples must be at least 0"),
    ({"device": "abacus"}, "not 'abacus'"),
])
def test_what_can_t_be_explored_is_refused(values, text):
    with pytest.raises(ValueError, match=text):
        ExploreConfig(**values)


def test_all_ways_to_store_are_there_and_none_that_a_core_cannot_have():
    ways = [tuple(way.values()) for way in storages(BUFFERS, ROWS, DELAYS)]
    assert len(set(ways)) == len(ways) == len(BUFFERS) * len(ROWS) * len(DELAYS) - 1
    assert ("cursor", "sparse", "axonal") in ways
    assert ("cursor", "dense", "synaptic") not in ways
    assert storages(("cursor",), ("dense",), ("synaptic",)) == [
        {"buffer": "cursor", "rows": "sparse", "delays": "synaptic"}]
