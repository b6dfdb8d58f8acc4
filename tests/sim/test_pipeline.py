import json
from dataclasses import replace

import pytest

from ranvier.sim import folder, pipeline
from ranvier.sim.folder import RunFolder
from ranvier.sim.noise import NoiseConfig
from ranvier.sim.pipeline import Step, run_all, run_step
from ranvier.sim.settings import BitsConfig

from .experiments import TINY, write


@pytest.fixture
def done(monkeypatch):
    """Put three steps that only copy numbers in the place of the real ones; list those that ran."""
    ran = []

    def first(run):
        ran.append("first")
        (run.path / "a").write_text(str(run.experiment.seed))
        return ["a"]

    def second(run, factor=1):
        ran.append("second")
        (run.path / "b").write_text(str(int((run.path / "a").read_text()) * factor))
        return ["b"]

    def report(run):
        ran.append("report")
        return []

    monkeypatch.setattr(pipeline, "STEPS", {
        "first": Step(first, ("seed",)),
        "second": Step(second, ("train",), ("a",)),
        "report": Step(report, ()),
    })
    monkeypatch.setitem(folder.MADE_BY, "a", "ranvier first {0}")
    return ran


NAMES = ("first", "second", "report")


@pytest.fixture
def run(tmp_path):
    return RunFolder.create(write(tmp_path), tmp_path / "out")


def test_steps_run_once_in_order_and_the_report_each_time(run, done):
    run_all(run, NAMES)
    run_all(run, NAMES)
    assert done == ["first", "second", "report", "report"]


def test_a_changed_section_runs_the_steps_that_read_it(run, done):
    run_all(run, NAMES)
    done.clear()
    run.experiment = replace(run.experiment, train=replace(run.experiment.train, epochs=5))
    run_all(run, NAMES)
    assert done == ["second", "report"]


def test_a_changed_result_runs_what_follows(run, done):
    run_all(run, NAMES)
    done.clear()
    run.experiment = replace(run.experiment, seed=9)
    run_all(run, NAMES)
    assert done == ["first", "second", "report"]
    assert (run.path / "b").read_text() == "9"


def test_a_result_that_comes_out_the_same_stops_the_change(run, done):
    run_all(run, NAMES)
    done.clear()
    (run.path / "a").unlink()
    run_all(run, NAMES)
    assert done == ["first", "report"]


@pytest.mark.parametrize("damage", [lambda p: p.unlink(), lambda p: p.write_text("?")])
def test_a_result_that_is_gone_or_damaged_is_made_again(run, done, damage):
    run_all(run, NAMES)
    done.clear()
    damage(run.path / "b")
    run_all(run, NAMES)
    assert done == ["second", "report"]
    assert (run.path / "b").read_text() == "3"


def test_a_step_with_other_options_counts_as_another(run, done):
    run_all(run, NAMES)
    run_step(run, "second", again=True, factor=7)
    assert (run.path / "b").read_text() == "21"
    done.clear()
    run_all(run, NAMES)
    assert done == ["second", "report"]


def test_an_interrupted_step_runs_again_and_those_before_it_do_not(run, done, monkeypatch):
    good = pipeline.STEPS["second"]

    def interrupted(run):
        raise KeyboardInterrupt

    monkeypatch.setitem(pipeline.STEPS, "second", replace(good, work=interrupted))
    with pytest.raises(KeyboardInterrupt):
        run_all(run, NAMES)
    monkeypatch.setitem(pipeline.STEPS, "second", good)
    run_all(run, NAMES)
    assert done == ["first", "second", "report"]


def test_a_missing_input_is_refused(run, done):
    with pytest.raises(ValueError, match=r"a must be there, and is missing: run `ranvier first "):
        run_step(run, "second")


def test_the_record_of_a_step_has_time_memory_and_hashes(run, done):
    run_step(run, "first")
    record = json.loads((run.path / "steps.json").read_text())["steps"]["first"]
    assert record["seconds"] >= 0
    assert record["peak_mib"] > 10
    assert set(record["outputs"]) == {"a"}


def test_the_data_count_where_the_experiment_reads_them(tmp_path, done):
    text = TINY.replace("[data]", "[data]  # a comment changes nothing")
    run = RunFolder.create(write(tmp_path), tmp_path / "out")
    run_all(run, NAMES)
    done.clear()
    run_all(RunFolder.create(write(tmp_path, text), tmp_path / "out"), NAMES)
    assert done == ["report"]


def test_a_table_brings_a_step_and_inputs(run, done, monkeypatch):
    def tuned(run):
        (run.path / "c").write_text(str(run.experiment.bits.weights))
        return ["c"]

    table = Step(tuned, ("bits",), ("a",), table="bits")
    monkeypatch.setitem(pipeline.STEPS, "tuned", table)
    more = replace(pipeline.STEPS["second"], with_table={"bits": ("c",)})
    monkeypatch.setitem(pipeline.STEPS, "second", more)
    names = ("first", "tuned", "second", "report")
    run_all(run, names)
    assert not (run.path / "c").exists()
    for widths, ran in (((4,), ["second", "report"]), ((3,), ["second", "report"]),
                        ((3,), ["report"])):
        done.clear()
        run.experiment = replace(run.experiment, bits=BitsConfig(weights=widths))
        run_all(run, names)
        assert done == ran
        assert (run.path / "c").read_text() == str(widths)


def test_another_fault_map_runs_the_noise_again(run, done, monkeypatch, tmp_path):
    monkeypatch.setitem(pipeline.STEPS, "second", replace(
        pipeline.STEPS["second"], sections=("noise",)))
    path = tmp_path / "map.csv"
    run.experiment = replace(run.experiment, noise=NoiseConfig(
        kinds=["weight_map"], levels={"weight_map": [1]}, fault_map=str(path)))
    for text, ran in (("1", NAMES), ("1", ("report",)), ("2", ("second", "report"))):
        done.clear()
        path.write_text(text)
        run_all(run, NAMES)
        assert done == list(ran)
