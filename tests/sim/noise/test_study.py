import csv
import json
import logging
from dataclasses import replace

import numpy as np
import pytest

from ranvier.model.emulator import Emulator
from ranvier.sim.compare import spikes_of
from ranvier.sim.noise import NoiseConfig, study
from ranvier.sim.noise.moved import moved_spikes
from ranvier.sim.noise.plan import draw_plan
from ranvier.sim.noise.planfile import load_plan, plan_hash
from ranvier.sim.noise.sizing import queue_sizes
from ranvier.sim.noise.study import run_study
from ranvier.sim.noise.sweep import WATCHED

from . import subjects

SETTINGS = subjects.settings(levels={"input_jitter": [0.5, 4], "event_loss": [0.4],
                               "weight_flips": [0.002, 0.05]}, instances=3)
SUBJECT = subjects.random_subject(14, samples=40, inputs=8, neurons=12, outputs=4,
                                  readout="spike-count")


def run(folder, settings=SETTINGS, subject=SUBJECT, seed=3, **options):
    return run_study(subject.parameters, subject.dataset, settings, seed, folder, **options)


def interrupted(*arguments):
    raise KeyboardInterrupt


def test_figures_are_those_of_single_runs(tmp_path):
    result = run(tmp_path)
    plan = load_plan(tmp_path / study.PLAN, SUBJECT)
    emulator = Emulator(SUBJECT.parameters)
    labels = SUBJECT.dataset.labels
    clean = np.array([emulator.run(events).decision for events in SUBJECT.clean])
    assert result["clean"]["accuracy"] == np.mean(clean == labels)
    changed = 0
    for name, kind in result["kinds"].items():
        for level in kind["levels"]:
            decisions, truth, before = [], [], []
            for i in range(level["rows"][0], level["rows"][1] + 1):
                row = plan.rows[i]
                assert (row.kind.name, row.level) == (name, level["level"])
                for sample in row.samples(SUBJECT):
                    events = row.kind.events(row.change, SUBJECT, sample)
                    weight = subjects.weight(row, SUBJECT)
                    decisions.append(emulator.run(events, weight=weight).decision)
                    truth.append(labels[sample])
                    before.append(clean[sample])
            right = np.equal(decisions, truth)
            assert level["n"] == right.size
            assert level["accuracy"] == pytest.approx(right.mean(), abs=1e-15)
            assert level["drop"] == pytest.approx(100 * (np.mean(clean == labels) - right.mean()))
            assert level["changed"] == np.count_nonzero(np.not_equal(decisions, before))
            assert level["interval"][0] <= level["accuracy"] <= level["interval"][1]
            assert np.mean(level["by_instance"]) == pytest.approx(level["accuracy"])
            changed += level["changed"]
    assert changed > 30
    flips = result["kinds"]["weight_flips"]["levels"][1]
    assert len(flips["by_instance"]) == 3
    assert flips["p_value"] is None
    assert flips["counts"]["bits"] == 3 * 8 * SUBJECT.parameters.weight.size
    assert 40 <= flips["n_effective"] <= 120
    found = flips["spread"]
    assert found["mean"] == pytest.approx(flips["accuracy"])
    assert found["least"] == min(flips["by_instance"]) < found["mean"]
    assert found["interval"][0] <= found["mean"] <= found["interval"][1]
    assert found["bound"] is None  # of 3 chips
    assert result["kinds"]["event_loss"]["levels"][0]["spread"] is None


def test_any_number_of_threads_gives_the_same_files(tmp_path):
    for threads in (1, 2):
        run(tmp_path / str(threads), threads=threads)
    for name in (study.RESULT, study.PLAN):
        one, two = ((tmp_path / str(threads) / name).read_bytes() for threads in (1, 2))
        assert one == two


def test_the_result_names_all_that_it_came_from(tmp_path):
    result = run(tmp_path)
    assert json.loads((tmp_path / study.RESULT).read_text()) == result
    plan = draw_plan(SUBJECT, SETTINGS, 3)
    assert result["plan"] == plan_hash(plan)
    assert result["parameters"] == SUBJECT.parameters.hash
    assert result["data"] == SUBJECT.data_hash
    assert result["seed"] == 3
    assert result["rows"] == len(plan.rows)
    assert NoiseConfig(**result["settings"]) == SETTINGS
    assert "numpy" in result["versions"]


def test_finished_levels_are_not_run_again(tmp_path, monkeypatch):
    whole = run(tmp_path / "whole")
    calls = []
    run_level = study.run_cell

    def twice(subject, kind, rows, threads):
        calls.append(kind.name)
        return interrupted() if len(calls) == 3 else run_level(subject, kind, rows, threads)

    monkeypatch.setattr(study, "run_cell", twice)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "part")
    assert not (tmp_path / "part" / study.RESULT).exists()
    assert not (tmp_path / "part" / study.PLAN).exists()
    assert run(tmp_path / "part") == whole
    assert calls == ["input_jitter", "input_jitter", "event_loss",
                     "event_loss", "weight_flips", "weight_flips"]
    monkeypatch.setattr(study, "run_cell", interrupted)
    assert run(tmp_path / "part") == whole


def test_a_new_level_runs_alone(tmp_path, monkeypatch):
    run(tmp_path)
    more = {name: SETTINGS.levels[name] for name in SETTINGS.kinds} | {"event_loss": [0.1, 0.4]}
    calls = []
    run_level = study.run_cell
    monkeypatch.setattr(study, "run_cell", lambda subject, kind, rows, threads: (
        calls.append(kind.name) or run_level(subject, kind, rows, threads)))
    result = run(tmp_path, replace(SETTINGS, levels=more))
    assert calls == ["event_loss"]
    assert result == run(tmp_path / "fresh", replace(SETTINGS, levels=more))


@pytest.mark.parametrize("change", ["seed", "weights", "labels"])
def test_other_studies_find_no_finished_levels(tmp_path, monkeypatch, change):
    run(tmp_path)
    monkeypatch.setattr(study, "run_cell", interrupted)
    parameters, dataset = SUBJECT.parameters, SUBJECT.dataset
    if change == "weights":
        parameters = replace(parameters, weight=parameters.weight ^ 1)
    if change == "labels":
        dataset = replace(dataset, labels=(dataset.labels + 1) % 4)
    with pytest.raises(KeyboardInterrupt):
        run_study(parameters, dataset, SETTINGS, 4 if change == "seed" else 3, tmp_path)


def test_levels_of_another_model_are_not_taken_over(tmp_path, monkeypatch):
    run(tmp_path)
    monkeypatch.setattr(study, "run_cell", interrupted)
    run(tmp_path)
    monkeypatch.setattr("ranvier.sim.noise.subject.Emulator", subjects.Other)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path)


@pytest.mark.parametrize("text", ["", "{}", '{"decisions":[[1]],"counts":{},"spikes":{}}', "[1, 2]",
                                  '{"decisions":[["x"]],"counts":{},"spikes":{}}'])
def test_a_damaged_level_is_made_again(tmp_path, caplog, text):
    whole = run(tmp_path)
    cell = sorted((tmp_path / study.CELLS).iterdir())[0]
    kept = cell.read_bytes()
    cell.write_text(text)
    with caplog.at_level(logging.WARNING):
        assert run(tmp_path) == whole
    assert f"{cell} is damaged, and is made again" in caplog.text
    assert cell.read_bytes() == kept


def test_a_level_without_spikes_is_made_again(tmp_path):
    whole = run(tmp_path)
    cell = sorted((tmp_path / study.CELLS).iterdir())[0]
    found = json.loads(cell.read_text())
    cell.write_text(json.dumps({name: found[name] for name in ("decisions", "counts")}))
    assert run(tmp_path) == whole


def test_levels_of_no_use_are_swept_away(tmp_path):
    run(tmp_path)
    run(tmp_path, subjects.settings(levels={"event_loss": [0.4]}, instances=3))
    assert len(list((tmp_path / study.CELLS).iterdir())) == 1


def test_queues_are_sized_under_all_loads_of_congestion(tmp_path):
    found = run(tmp_path, subjects.settings(levels={
        "congestion_wait": [0.5, 1.0], "congestion_drop_old": [1.0, 2.0]}))
    assert found["queue"] == queue_sizes(SUBJECT, [0.5, 1.0, 2.0])
    assert run(tmp_path)["queue"] is None


def test_spikes_are_compared_on_the_first_samples_each_on_another_chip(tmp_path):
    result = run(tmp_path)
    plan, emulator = load_plan(tmp_path / study.PLAN, SUBJECT), Emulator(SUBJECT.parameters)
    tau = SUBJECT.parameters.config.tau_s / SUBJECT.parameters.config.tick
    moved = 0
    for kind in result["kinds"].values():
        for level in kind["levels"]:
            first, last = level["rows"]
            pairs = []
            for k in range(WATCHED):
                row = plan.rows[first + k % (last - first + 1)]
                assert k in row.samples(SUBJECT)
                noisy = emulator.run(row.kind.events(row.change, SUBJECT, k),
                                     weight=subjects.weight(row, SUBJECT))
                clean = emulator.run(SUBJECT.clean[k])
                pairs.append((spikes_of(clean.trace), spikes_of(noisy.trace)))
            assert level["spikes"] == moved_spikes(pairs, tau)
            moved += level["spikes"]["missing"]
    assert moved > 10
    with open(tmp_path / study.LEVELS, newline="") as file:
        lines = list(csv.DictReader(file))
    levels = [level for kind in result["kinds"].values() for level in kind["levels"]]
    for line, level in zip(lines, levels, strict=True):
        assert (line["spikes"], line["missing"], line["extra"]) == tuple(
            str(level["spikes"][name]) for name in ("clean", "missing", "extra"))
        assert float(line["van_rossum"]) == pytest.approx(np.mean(level["spikes"]["van_rossum"]))
