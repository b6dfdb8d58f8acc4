"""Rows are measured once, merged at once, and shown as docs/figures.md."""

import json
import subprocess
import sys
from pathlib import Path

import contest
import figures
import numpy as np
import pytest
import registry
import rows.accuracy
import rows.cycles
import rows.robust
import rows.traffic
import tasks
from registry import ROOT, ROWS, Context, PassedOver, Row

from ranvier.train.config import NetworkConfig

figures.import_rows()
TOY = {"samples": 2, "hidden": 6, "inputs": 20, "events": 40, "duration": 40.0, "repeats": 1}


@pytest.fixture
def counted(monkeypatch):
    """A registry of one row, ``counted``, that counts how often it's measured."""
    calls = []

    def act(context):
        calls.append(context)
        return 1.23456789, {
            "more": [1, 2.0], "interval": (1.123456, 1.345649),
            "table": "| a | b |\n|---|---|\n| 1 | 2 |",
        }  # fmt: skip

    only = {"counted": Row("counted", "A row", "ms", ("bench/registry.py",), act)}
    monkeypatch.setattr(figures, "ROWS", only)
    return calls


def test_a_row_is_measured_once(counted, tmp_path):
    path = tmp_path / "figures.json"
    for again, times in ((False, 1), (False, 1), (True, 2)):
        assert figures.run(["counted"], Context(), path, again) == 0
        assert len(counted) == times
    (entry,) = json.loads(path.read_text())
    assert set(entry) == {
        "id", "value", "interval", "unit", "command", "versions", "date", "detail",
    }  # fmt: skip
    assert (entry["value"], entry["interval"]) == (1.2346, [1.1235, 1.3456])
    assert set(entry["detail"]) == {"code", "more", "table"}


def test_page_shows_the_tables_of_rows(counted, tmp_path):
    path = tmp_path / "figures.json"
    figures.run(["counted"], Context(), path)
    page = figures.table(figures.load(path), "noise")
    assert page.endswith("\n\n## `counted`\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")


def test_other_code_is_measured_again(counted, tmp_path, monkeypatch):
    path = tmp_path / "figures.json"
    figures.run(["counted"], Context(), path)
    monkeypatch.setattr(Row, "code", lambda self, quick: "other")
    figures.run(["counted"], Context(), path)
    assert len(counted) == 2


def test_comments_and_docstrings_are_no_code(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "ROOT", tmp_path)
    source = tmp_path / "a.py"
    texts = ['"""A."""\nx = 1\n', '"""B."""\nx = 1  # as before\n', "x = 2\n"]
    codes = []
    for text in texts:
        source.write_text(text)
        codes.append(registry.code_hash(["*.py"]))
    assert codes[0] == codes[1] != codes[2]


def test_a_row_that_fails_leaves_the_others(counted, tmp_path):
    def fail(context):
        raise RuntimeError("no")

    def skip(context):
        raise PassedOver("nothing there")

    figures.ROWS["fails"] = Row("fails", "", "", (), fail)
    figures.ROWS["skips"] = Row("skips", "", "", (), skip)
    path = tmp_path / "figures.json"
    assert figures.run(["fails", "skips", "counted"], Context(), path) == 1
    assert list(figures.load(path)) == ["counted"]


@pytest.mark.parametrize(("subject", "name"), [
    ("training", "figures"), ("core", "core-figures"), ("noise", "noise-figures"),
])  # fmt: skip
def test_page_is_what_the_figures_give(subject, name, tmp_path):
    """In a process of its own, which imports the rows of the subject alone."""
    page = tmp_path / "page.md"
    command = [sys.executable, "bench/figures.py", subject, "--table", str(page)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    assert page.read_text() == (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


def test_every_figure_of_the_file_is_a_row():
    assert set(figures.load(figures.FOLDER / "training.json")) <= set(ROWS)


@pytest.mark.parametrize(("measure", "first"), [
    (rows.traffic.traffic, ""), (rows.cycles.cycle_model, "core "), (rows.robust.delgrad, "noise "),
])  # fmt: skip
def test_a_row_is_measured_among_its_figures(measure, first):
    row = Row("name", "", "", (), measure)
    assert figures.command(row) == f".venv/bin/python bench/figures.py {first}--only name"


@pytest.mark.parametrize("name", contest.SELVES)
@pytest.mark.parametrize("task", contest.TASKS)
def test_own_contestants_run(name, task):
    """In a process of its own, since it holds all libraries there to one thread."""
    options = {"samples": 128, "hidden": 6, "repeats": 1} if task == "yinyang" else TOY
    found = Context().contest(name, task, **options)
    assert registry.cost(found) < 60e3


def test_peers_that_are_not_installed_say_so():
    context = Context(quick=True)
    with pytest.raises(PassedOver, match="--peer norse=VENV"):
        context.contest("norse", "yinyang")
    with pytest.raises(PassedOver, match="norse must be installed"):
        Context(venvs={"norse": Path(sys.prefix)}).contest("norse", "yinyang")


def test_a_race_keeps_the_best(monkeypatch):
    costs = iter([3.0, 5.0, 2.0, 7.0])
    monkeypatch.setattr(Context, "contest", lambda self, *args, **more: {"seconds": next(costs)})
    found = registry.compare(Context().race(("limit", "ranvier"), "yinyang"))
    assert found["contestants"] == {"limit": {"seconds": 2.0}, "ranvier": {"seconds": 5.0}}
    assert found["ratio to ours"] == {"limit": 0.4}


def test_tasks_are_what_they_say():
    task = tasks.Shd(samples=2, events=500, inputs=30, duration=100.0, tick=0.1)
    starts, channels, _ = task.ticked()
    assert starts.shape == (2, 1001)
    assert (starts[:, -1] == 500).all()
    assert channels.max() < 30
    raster = task.raster()[0]
    assert raster.sum() == 1000
    assert raster.max() == 1
    times, sides = tasks.YinYang(samples=300).points()
    assert times.shape == (300, 5)
    np.testing.assert_allclose(times[:, 0] + times[:, 2], 30.0)
    assert np.bincount(sides).min() > 60
    assert np.bincount(sides).size == 3


def test_variants_have_as_many_parameters():
    def count(size, variant):
        return rows.accuracy.trained_parameters(5, size, 3, variant, leaky=False)

    assert count(30, "all") == 2 * 240 + 2 * 33
    larger = rows.accuracy.same_parameters(5, 30, 3, "weights", leaky=False)
    assert abs(count(larger, "weights") - count(30, "all")) <= 4


def test_experiments_are_written_as_they_are_read(tmp_path):
    source = ROOT / "examples" / "yinyang.toml"
    values = rows.accuracy.read_toml(source)
    copy = tmp_path / "copy.toml"
    copy.write_text(rows.accuracy.as_toml(values))
    assert rows.accuracy.read_toml(copy) == values


def test_data_of_the_user_must_be_named(monkeypatch):
    monkeypatch.delenv("RANVIER_DATA", raising=False)
    with pytest.raises(PassedOver, match="RANVIER_DATA must name"):
        rows.accuracy.user_file("braille", "x.npz")


def test_words_of_one_synapse():
    config = NetworkConfig(
        inputs=1, hidden=(), outputs=2, readout="first-spike", delay_min=1.0, delay_max=2.0,
        duration=10.0,
    )  # fmt: skip
    found = rows.traffic.words(config, {"input": 3.0, "output": 1.0})
    assert found["event by event"]["state"] == 6 * 6 + 12
    assert found["dense, 1.0 ms"]["tape"] == 6 * 10 * 2
    assert found["dense, 0.1 ms"]["ratio"] == pytest.approx(10 * found["dense, 1.0 ms"]["ratio"])
