"""One small experiment through every step, as a user takes them."""

import csv
import hashlib
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from amaranth.back import rtlil

from ranvier.model.emulator import Emulator
from ranvier.model.parameters import Parameters
from ranvier.sim import toolchain
from ranvier.sim.cli import main
from ranvier.sim.cxxrtl import CxxrtlSimulator
from ranvier.sim.folder import RunFolder
from ranvier.sim.steps import cosim, synth
from ranvier.sim.summary import summary_table
from ranvier.train.network import Network
from ranvier.train.quantise import encode_dataset

from .experiments import TINY, write

# With narrow traces, which are placed in half the time.
TUNED = TINY.replace("banks = 2", "banks = 2\ntrace_bits = 18") + """\
strikes = 12
mutants = 6
[finetune]
epochs = 1
[bits]
weights = [4]
delays = [3]
[synth]
devices = ["ecp5-25k"]
seeds = 1
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Run the tiny experiment, fine-tuning and all. Returns the folder and the status."""
    folder = tmp_path_factory.mktemp("run")
    status = main(["run", str(write(folder, TUNED)), "--out", str(folder / "out"), "-q"])
    return folder / "out", status


@pytest.fixture(scope="module")
def out(ran):
    return ran[0]


@pytest.fixture(scope="module")
def summary(out):
    return json.loads((out / "summary.json").read_text())


def test_a_run_ends_well(ran):
    assert ran[1] == 0


def test_the_summary_has_the_documented_figures(summary):
    assert 0 < summary["accuracy"]["float"] <= 1
    assert summary["accuracy"]["samples"] == 40
    assert summary["cosim"]["samples"] == 33
    assert summary["cosim"]["mismatches"] == 0
    assert summary["noise"]["mismatches"] == 0
    assert summary["noise"]["replayed"] == 6 + 2  # under CXXRTL and under Verilator
    assert summary["cycles"]["measured"] > summary["cycles"]["predicted"] / 3 > 0
    parts = {name: value for name, value in summary["seconds"].items() if name != "total"}
    assert summary["seconds"]["total"] == pytest.approx(sum(parts.values()))
    assert 100 < summary["memory"]["peak_mib"] < 2048


def test_every_touch_of_every_sample_was_compared(out, summary):
    parameters = Parameters.load(out / "design.safetensors")
    samples = encode_dataset(RunFolder.open(out).data["test"], parameters.config)
    touches = [len(Emulator(parameters).run(sample).trace) for sample in samples[:30]]
    parts = summary["cosim"]["simulators"]
    assert parts["cxxrtl"]["records"] == sum(touches)
    assert parts["verilator"]["records"] == sum(touches[:3])


def test_the_emulation_adds_up(out, summary):
    values = json.loads((out / "emulate.json").read_text())
    with np.load(out / "emulate.npz") as file:
        right = file["decisions"] == file["labels"]
        assert values["cycles"]["mean"] == file["cycles"].mean()
    assert values["accuracy"] == right.mean() == summary["accuracy"]["fixed"]
    assert np.sum(values["confusion"]) == right.size
    assert np.trace(values["confusion"]) == right.sum()


def test_every_file_says_where_it_comes_from(out, summary):
    stamps = {"experiment": summary["experiment"], "seed": 3, "versions": summary["versions"]}
    for name in ("training", "quantise", "emulate", "cosim", "summary", "run", "steps",
                 "noise/replay", "noise/strikes", "noise/mutants"):
        values = json.loads((out / f"{name}.json").read_text())
        assert {key: values[key] for key in stamps} == stamps, name


def test_the_report_shows_the_summary_and_loads_nothing(out, summary):
    page = (out / "report.html").read_text()
    for text in ("The core is the network", "<h2>Fine-tuning</h2>", "<h2>Fewer bits</h2>",
                 "<h2>On devices</h2>", "LFE5U-25F-6BG256C", "core.bank_1.neurons.scale",
                 "memory and layer, and how many were drawn there",
                 "critical or show, by neuron", "by two distances",
                 "<h2>Strikes in registers</h2>", "<h2>Mutants of the netlist</h2>",
                 "<code>bank_1.neurons</code>",
                 "worst chip</th>", "accuracy of single chips under weight flips",
                 "how far spikes move under event loss",
                 f"<code>ranvier noise {out} --row 0</code>",
                 "ranvier finetune ", summary["experiment"]):
        assert text in page
    sources = re.findall(r'(?:src|srcset|href)="([^"]{0,30})', page)
    assert len(sources) >= 20  # a light and a dark one of each picture
    assert all(source.startswith("data:image/svg+xml;base64,") for source in sources)
    assert not re.search(r"<script|<link|@import|url\(", page)


def test_the_campaign_has_a_budget(out):
    budget = json.loads((out / "noise/campaign.json").read_text())["budget"]
    assert budget["fit_per_mbit"] == 75
    assert budget["critical_years"] is None or budget["critical_years"] > budget["years"]
    assert f"{budget['bits']:,} bits have {budget['fit']:.3g} FIT" in (
        out / "report.html").read_text()


def test_the_core_of_the_design_was_synthesised(out, summary):
    (device,) = json.loads((out / "synth/synth.json").read_text())["devices"]
    assert summary["devices"] == {"ecp5-25k": {
        name: device[name] for name in ("cells", "fits", "fmax_mhz")}}
    assert f"{device['cells']['LUT4']:,} LUT4, {device['fmax_mhz']:.1f} MHz" in summary_table(
        summary)
    assert device["parameters"] == summary["core"]["design"]
    assert device["fits"]
    assert device["fmax_mhz"] > 10
    bitstream = device["bitstream"]
    content = (out / "synth/ecp5-25k" / bitstream["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == bitstream["sha256"]
    outputs = json.loads((out / "steps.json").read_text())["steps"]["synth"]["outputs"]
    assert outputs[f"synth/ecp5-25k/{bitstream['file']}"] == bitstream["sha256"]
    assert bitstream["sha256"] in (out / "report.html").read_text()


def test_a_strike_can_be_run_again(out, capsys):
    with open(out / "noise/strikes.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == json.loads((out / "noise/strikes.json").read_text())["count"] == 12
    assert main(["noise", str(out), "--strike", "7", "-q"]) == 0
    assert capsys.readouterr().out == (
        "strike 7: {register}, bit {bit}, cycle {cycle} of sample {sample}: {outcome}\n".format(
            **rows[7]))
    assert main(["noise", str(out), "--strike", "12", "-q"]) == 2
    assert "Strike must be one of the experiment's 12, counted from 0, not 12" in (
        capsys.readouterr().err)


def test_a_mutant_can_be_run_again(out, capsys):
    with open(out / "noise/mutants.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == json.loads((out / "noise/mutants.json").read_text())["count"] == 6
    assert main(["noise", str(out), "--mutant", "4", "-q"]) == 0
    assert capsys.readouterr().out == (
        "mutant 4: {cell}, bit {bit}, {mode} from cycle {cycle} of sample {sample} on: "
        "{outcome}\n".format(**rows[4]))
    assert main(["noise", str(out), "--mutant", "6", "-q"]) == 2
    assert "Mutant must be one of the experiment's 6, counted from 0, not 6" in (
        capsys.readouterr().err)


@pytest.mark.parametrize(("maker", "part"), [("vivado", "xc7z020clg400-1"),
                                             ("quartus", "5CSEMA5F31C6")])
def test_synth_writes_a_script_for_a_maker_s_tools(out, capsys, maker, part):
    command = ["synth", str(out), "--script", maker, "--part", part, "--period", "6.5", "-q"]
    assert main(command) == 0
    script = out / "synth" / maker / "ranvier_core.tcl"
    assert capsys.readouterr().out == f"script: {script}\n"
    text = script.read_text()
    assert part in text
    verilog = re.search(r'"(\S+core\.v)"', text)[1]
    assert (script.parent / verilog).samefile(out / "build/core.v")
    (clock,) = (path for path in script.parent.iterdir() if path.suffix in (".sdc", ".xdc"))
    assert "-period 6.500 " in clock.read_text()


@pytest.mark.parametrize(("options", "said"), [
    (["--part", "xc7z020clg400-1"], "--part and --period must come with --script, not alone"),
    (["--period", "5"], "--part and --period must come with --script, not alone"),
    (["--script", "vivado", "--seeds", "1"], "--script must come without --device and --seeds"),
    (["--script", "vivado", "--device", "up5k"], "--script must come without --device and --seeds"),
    (["--script", "vivado", "--period", "0"], "period must be from 0.1 ns to 1 ms, not 0 ns"),
])
def test_options_of_synth_that_don_t_go_together_are_refused(out, capsys, options, said):
    assert main(["synth", str(out), *options, "-q"]) == 2
    assert said in capsys.readouterr().err


def test_synth_takes_devices_and_says_what_does_not_fit(out, tmp_path, monkeypatch, capsys):
    shutil.copytree(out, tmp_path / "out", ignore=shutil.ignore_patterns("work"))
    (real,) = json.loads((out / "synth/synth.json").read_text())["devices"]
    asked = []

    def synthesise(core, device, folder, *, seeds):
        asked.append((core.parameters.hash, device, seeds))
        for name in ("synthesis.json", real["bitstream"]["file"]):
            (folder / name).write_text("{}")
        rtlil.convert(core)  # or Amaranth would say that it's left over
        lacking = {} if device == "up5k" else {"LUT4": [9, 7]}
        return real | {"device": device, "lacking": lacking, "fits": not lacking,
                       "bitstream": None if lacking else real["bitstream"],
                       "has": {"LUT4": 7}, "cells": {"LUT4": 9}}

    monkeypatch.setattr(synth, "synthesise", synthesise)
    command = ["synth", str(tmp_path / "out"), "--device", "up5k", "hx8k", "--seeds", "2", "-q"]
    assert main(command) == 1
    assert asked == [(real["parameters"], "up5k", 2), (real["parameters"], "hx8k", 2)]
    fits, lacks = capsys.readouterr().out.split("hx8k")
    assert f"{real['fmax_mhz']:.1f} MHz" in fits
    assert f"{real['bitstream']['file']}, {real['bitstream']['bytes']:,} bytes, seed 1" in fits
    assert "the core doesn't fit" in lacks
    assert "bitstream" not in lacks
    assert "9 of 7, TOO MANY" in lacks
    assert main(["synth", str(tmp_path / "out"), "--seeds", "0", "-q"]) == 2
    assert "seeds must be at least 1, not 0" in capsys.readouterr().err


def test_the_raster_has_the_same_spikes_twice(out):
    with np.load(out / "raster.npz") as file:
        np.testing.assert_array_equal(file["model"], file["rtl"])
        assert file["model"].shape[0] > 0


def test_running_again_passes_over_every_step(out, tmp_path, capsys):
    before = json.loads((out / "steps.json").read_text())["steps"]
    assert main(["run", str(out.parent / "tiny.toml"), "--out", str(out)]) == 0
    captured = capsys.readouterr()
    assert captured.err.count("passed over") == 9
    assert "the core is the network" in captured.out
    after = json.loads((out / "steps.json").read_text())["steps"]
    for name in before.keys() - {"report"}:
        assert after[name] == before[name]


def test_step_by_step_gives_the_same_files(out, tmp_path):
    parts = tmp_path / "parts"
    assert main(["train", str(out.parent / "tiny.toml"), "--out", str(parts), "-q"]) == 0
    for command in ("finetune", "quantise", "emulate", "build"):
        assert main([command, str(parts), "-q"]) == 0
    for name in ("design.safetensors", "emulate.npz", "build/core.v"):
        assert (parts / name).read_bytes() == (out / name).read_bytes()
    for file in ("network.safetensors", "finetune/network.safetensors"):
        one, other = (Network.load(folder / file) for folder in (out, parts))
        for name, array in one.arrays().items():
            np.testing.assert_array_equal(array, other.arrays()[name])


class Sabotaged(CxxrtlSimulator):
    """A core that is loaded with its largest weight off by one."""

    def __init__(self, parameters, folder):
        weight = parameters.weight.copy()
        weight[weight.argmax()] -= 1
        super().__init__(replace(parameters, weight=weight), folder)


def test_a_core_that_differs_is_a_mismatch_and_the_report_says_where(
        out, tmp_path, capsys, monkeypatch):
    copy = tmp_path / "copy"
    shutil.copytree(out, copy)
    monkeypatch.setattr(cosim, "CxxrtlSimulator", Sabotaged)
    assert main(["cosim", str(copy), "-q"]) == 1
    said = capsys.readouterr().out
    assert re.search(r"cxxrtl: 30 samples, \d+ records compared, 1 mismatches", said)
    assert re.search(r"verilator: 3 samples, \d+ records compared, 0 mismatches", said)
    assert re.search(r"test sample \d+: record \d+, tick \d+, neuron \d+: p is", said)
    assert main(["report", str(copy), "-q"]) == 1
    assert "THE CORE DIFFERS FROM THE NETWORK" in capsys.readouterr().out
    page = (copy / "report.html").read_text()
    assert "The core differs from the network" in page
    assert re.search(r"test sample \d+: record \d+, tick \d+, neuron \d+: p is", page)


def test_a_report_shows_studies_of_other_runs_beside_its_own(out, tmp_path, capsys):
    first, second = (Path(shutil.copytree(out, tmp_path / name)) for name in ("plain", "better"))
    study = second / "noise" / "noise.json"
    values = json.loads(study.read_text())
    values["clean"]["accuracy"] = 0.8125
    values["kinds"].pop("event_loss")
    study.write_text(json.dumps(values))
    assert main(["report", str(first), "-q", "--beside", str(second)]) == 0
    page = (first / "report.html").read_text()
    part = page[page.index("Beside other runs"):page.index("What the core needs")]
    assert re.findall(r"<h3>(.*)</h3>", part) == sorted(
        (name.replace("_", " ") for name in values["kinds"]),
        key=[name.replace("_", " ") for name in values["ranking"]].index)
    assert re.findall(r"<td>(plain|better)</td><td>none</td>", part) == ["plain", "better"]
    assert "81.25 %" in part
    assert "Beside other runs" not in (out / "report.html").read_text()
    capsys.readouterr()
    for changes, sentence in (
            ({"data": "0"}, f"{second} must have a study of the same test samples, not of others"),
            ({"parameters": "0"}, f"{second} must have a study of its design, not of an earlier "),
            ({"kinds": {}}, "Runs side by side must have a kind of noise in common, and have ")):
        study.write_text(json.dumps(values | changes))
        assert main(["report", str(first), "-q", "--beside", str(second)]) == 2
        assert sentence in capsys.readouterr().err


@pytest.mark.skipif(toolchain.find("iverilog").path is None, reason="Icarus isn't installed")
def test_waves_are_written_under_the_simulator_that_was_asked_for(out, tmp_path, capsys):
    copy = tmp_path / "copy"
    shutil.copytree(out, copy)
    assert main(["cosim", str(copy), "-q", "--waves", "--simulator", "icarus"]) == 0
    assert "icarus: 3 samples" in capsys.readouterr().out
    assert (copy / "work" / "icarus.fst").stat().st_size > 1000


def test_the_test_set_is_one_stream_for_a_core_that_streams(out, capsys):
    assert main(["stream", str(out), "-q"]) == 0
    found = json.loads((out / "stream" / "stream.json").read_text())
    assert (found["windows"], found["mismatches"], found["difference"]) == (30, 0, None)
    assert found["records"] > 0
    assert 0 < found["accuracy"]["stream"] <= 1
    ports = json.loads((out / "stream" / "ports.json").read_text())
    assert ports["config"]["streaming"] is True
    printed = capsys.readouterr().out
    assert re.search(r"^30 windows of 121 ticks in streams of 10, with tick numbers modulo \d+: "
                     r"\d+ records compared, 0 mismatches$", printed, re.MULTILINE)
    assert f"Verilog: {out / 'stream' / 'core.v'}" in printed
