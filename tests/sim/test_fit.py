"""What fits which device is told by prediction, and changes that would make it fit with it."""

import json
from dataclasses import replace

import pytest

from ranvier.hw.synthesis import devices
from ranvier.hw.synthesis.predict import LOGIC, predict
from ranvier.sim.cli import main
from ranvier.sim.designs import Subject, changed
from ranvier.sim.explore.fit import fit
from ranvier.sim.folder import RunFolder
from ranvier.train.network import Network

from .experiments import TINY, write


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fit")
    run = RunFolder.create(write(folder, TINY), folder / "run")
    Network.random(run.network_config, run.experiment.train, 1).save(
        run.path / "network.safetensors")
    Subject(run).parameters(run.experiment.design).save(run.path / "design.safetensors")
    return run


def own_cells(run, **changes):
    design = changed(run.experiment.design, changes)
    return predict(Subject(run).parameters(design).config, "up5k")


def with_room(monkeypatch, **kinds):
    """Let up5k have other numbers of cells."""
    old = devices.DEVICES["up5k"]
    names = {"lut4": "LUT4", "rams": "block RAM", "multipliers": "multiplier"}
    has = old.has | {names[kind]: count for kind, count in kinds.items()}
    monkeypatch.setitem(devices.DEVICES, "up5k", replace(old, has=has))


def test_what_fits_is_told_with_what_it_needs(run, monkeypatch):
    cells = own_cells(run)
    with_room(monkeypatch, lut4=2 * cells[LOGIC], rams=cells["block RAM"],
              multipliers=cells["multiplier"])
    (report,) = fit(run, ["up5k"])["devices"]
    assert report["fits"]
    assert not report["close"]
    assert report["needs"] == {
        LOGIC: {"needed": cells[LOGIC], "has": 2 * cells[LOGIC]},
        **{kind: {"needed": cells[kind], "has": cells[kind]}
           for kind in ("block RAM", "multiplier")}}
    assert report["changes"] == []


def test_what_is_close_is_told(run, monkeypatch):
    with_room(monkeypatch, lut4=own_cells(run)[LOGIC] + 1, rams=99)
    assert fit(run, ["up5k"])["devices"][0]["close"]


def test_changes_that_keep_results_come_first_and_are_checked(run, monkeypatch):
    one = own_cells(run, banks=1)
    with_room(monkeypatch, lut4=one[LOGIC], rams=99, multipliers=99)
    report = fit(run, ["up5k"])["devices"][0]
    assert not report["fits"]
    first = report["changes"][0]
    assert first["change"] == {"banks": 1}
    assert not first["results_change"]
    assert first["needs"][LOGIC]["needed"] == one[LOGIC]
    assert fit(run, [report["larger"]])["devices"][0]["fits"]
    results = [change["results_change"] for change in report["changes"]]
    assert results == sorted(results)
    for change in report["changes"]:
        assert own_cells(run, **change["change"])[LOGIC] <= one[LOGIC]


def test_fewer_bits_are_told_where_nothing_else_helps(run, monkeypatch):
    narrow = own_cells(run, banks=1, trace_bits=18, weight_bits=4)
    best = min(own_cells(run, banks=1)[LOGIC], own_cells(run, banks=1, rows="dense")[LOGIC])
    assert narrow[LOGIC] < best
    with_room(monkeypatch, lut4=narrow[LOGIC], rams=99, multipliers=99)
    report = fit(run, ["up5k"])["devices"][0]
    assert report["changes"]
    assert all(change["results_change"] for change in report["changes"])
    with_room(monkeypatch, lut4=100)
    assert fit(run, ["up5k"])["devices"][0]["changes"] == []


def test_the_command_s_status_says_whether_any_fits(run, monkeypatch, capsys):
    with_room(monkeypatch, lut4=100)
    assert main(["fit", str(run.path), "--device", "up5k", "ecp5-85k"]) == 0
    said = capsys.readouterr().out
    assert "up5k (iCE40UP5K-SG48): doesn't fit" in said
    assert "of 100 logic cells TOO MANY" in said
    assert "none of the changes" in said
    assert "ecp5-85k (LFE5U-85F-6BG381C): fits" in said
    assert main(["fit", str(run.path), "--device", "up5k"]) == 1
    found = json.loads((run.path / "fit.json").read_text())
    assert [report["device"] for report in found["devices"]] == ["up5k"]
    assert [report["device"] for report in fit(run)["devices"]] == list(devices.DEVICES)
