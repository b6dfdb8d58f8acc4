"""Scripts for makers' tools: run by Tcl with commands that only write down what they're told."""

import re
from pathlib import Path

import numpy as np
import pytest

from ranvier.hw.synthesis.makers import PARTS, write_script
from ranvier.hw.verilog import build

from ...designs import random_config, random_parameters

COMMANDS = {
    "vivado": ("read_verilog", "read_xdc", "synth_design", "opt_design", "place_design",
               "route_design", "report_utilization", "report_timing_summary"),
    "quartus": ("load_package", "project_new", "set_global_assignment", "set_instance_assignment",
                "execute_flow", "file", "project_close"),
    "timing": ("project_open", "create_timing_netlist", "read_sdc", "update_timing_netlist",
               "report_clock_fmax_summary", "report_timing", "delete_timing_netlist",
               "project_close"),
    "clock": ("create_clock",),
}


@pytest.fixture(scope="module")
def verilog(tmp_path_factory):
    """Return the Verilog of a small core, in the folder of a run."""
    folder = tmp_path_factory.mktemp("run") / "build"
    folder.mkdir()
    rng = np.random.default_rng(4)
    config = random_config(rng)
    build(config, random_parameters(rng, config), folder)
    return folder / "core.v"


def written(verilog, maker, **options):
    """Write a maker's script; returns its files by the ends of their names."""
    folder = verilog.parent.parent / "synth" / maker
    folder.mkdir(parents=True, exist_ok=True)
    return {path.name.removeprefix("ranvier_core"): path
            for path in write_script(maker, verilog, folder, **options)}


def told(script, commands):
    """Run a script; returns its commands, a tuple of str each."""
    tcl = pytest.importorskip("tkinter").Tcl()
    said = []
    for command in commands:
        # Tcl's own `file` is needed to find the script.
        if command != "file":
            tcl.createcommand(command, lambda *words, name=command: said.append((name, *words)))
    tcl.createcommand("get_ports", lambda name: name)
    tcl.createcommand("get_part_info", lambda option, part: f"{{Family of {part}}}")
    tcl.eval("rename file tcl_file")

    def file(*words):
        if words[0] == "copy":
            said.append(("file", *words))
            return ""
        return tcl.call("tcl_file", *words)

    tcl.createcommand("file", file)
    before = Path.cwd()
    try:
        tcl.call("source", str(script))
        if script.suffix == ".tcl":
            assert Path.cwd() == script.parent
    finally:
        tcl.call("cd", str(before))
    assert {line[0] for line in said} == set(commands)
    return said


def ports(verilog):
    """Return the core's ports, set of str, as its Verilog declares them."""
    text = verilog.read_text().split("module ranvier_core(")[1].split("endmodule")[0]
    return set(re.findall(r"^  (?:input|output) (?:\[.*\] )?(\w+);", text, re.M))


def test_vivado_takes_the_core_out_of_context(verilog):
    files = written(verilog, "vivado", period=8.0)
    assert files.keys() == {".tcl", ".xdc"}
    said = told(files[".tcl"], COMMANDS["vivado"])
    names = [line[0] for line in said]
    assert names.index("synth_design") < names.index("place_design") < names.index("route_design")
    options = said[names.index("synth_design")]
    assert options[1:] == ("-top", "ranvier_core", "-part", PARTS["vivado"], "-mode",
                           "out_of_context")
    for name in ("read_verilog", "read_xdc"):
        assert (files[".tcl"].parent / said[names.index(name)][1]).is_file()
    assert {line[-1] for line in said if line[0].startswith("report_")} == {
        "utilisation.txt", "timing.txt"}
    (clock,) = told(files[".xdc"], COMMANDS["clock"])
    assert clock == ("create_clock", "-name", "clk", "-period", "8.000", "clk")


def test_quartus_has_a_virtual_pin_for_every_port_but_the_clock(verilog):
    files = written(verilog, "quartus", part="10M50DAF484C7G")
    assert files.keys() == {".tcl", "timing.tcl", ".sdc"}
    said = told(files[".tcl"], COMMANDS["quartus"])
    assigned = {line[2]: line[3] for line in said if line[0] == "set_global_assignment"}
    assert assigned["DEVICE"] == "10M50DAF484C7G"
    assert assigned["FAMILY"] == "Family of 10M50DAF484C7G"
    for name in ("VERILOG_FILE", "SDC_FILE"):
        assert (files[".tcl"].parent / assigned[name]).is_file()
    virtual = {line[-1] for line in said if line[0] == "set_instance_assignment"}
    assert virtual == ports(verilog) - {"clk"}
    assert {"rst", "i__payload", "bus__r_data"} <= virtual
    assert told(files[".sdc"], COMMANDS["clock"])[0][4] == "10.000"


def test_quartus_s_timing_is_written_into_one_file(verilog):
    said = told(written(verilog, "quartus")["timing.tcl"], COMMANDS["timing"])
    reports = [line for line in said if line[0].startswith("report_")]
    assert all("timing.txt" in line for line in reports)
    assert ["-append" in line for line in reports] == [False, True]


@pytest.mark.parametrize(("options", "message"), [
    ({"part": "xc7; exec"}, r"^part must be a maker's name of a device, not 'xc7; exec'$"),
    ({"period": 0.0}, r"^period must be from 0\.1 ns to 1 ms, not 0 ns$"),
    ({"period": float("nan")}, r"^period must be .*, not nan ns$"),
])
def test_a_part_or_a_period_that_can_t_be_is_refused(verilog, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        write_script("vivado", verilog, tmp_path, **options)
    assert not list(tmp_path.iterdir())
