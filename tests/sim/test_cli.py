import json
import logging
from importlib.metadata import version
from pathlib import Path

import pytest

from ranvier.sim import cli, toolchain
from ranvier.sim.cli import main
from ranvier.sim.folder import RunFolder
from ranvier.sim.toolchain import Tool

from .experiments import TINY, write

FOLDER_COMMANDS = ("quantise", "emulate", "build", "cosim", "noise", "report")


@pytest.fixture(autouse=True)
def _quiet_logger():
    """Undo what the command does to the program's logger."""
    yield
    logger = logging.getLogger("ranvier")
    logger.handlers = []
    logger.setLevel(logging.NOTSET)


@pytest.fixture
def folder(tmp_path):
    RunFolder.create(write(tmp_path), tmp_path / "out")
    return tmp_path / "out"


def refusal(capsys, *arguments):
    """Run a command that must fail. Returns what it says, less the program's name."""
    assert main([str(argument) for argument in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    last = err.splitlines()[-1]
    assert last.startswith("ranvier: ")
    assert "Traceback" not in err
    return last.removeprefix("ranvier: ")


def test_the_version_is_the_packages(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"ranvier {version('ranvier')}\n"


def test_a_wrong_key_is_one_sentence_and_leaves_nothing(tmp_path, capsys):
    path = write(tmp_path, TINY.replace("epochs", "epocs"))
    said = refusal(capsys, "run", path, "--out", tmp_path / "out")
    assert said == (f"{path}: train.epocs must be a known key, and isn't one: "
                    "did you mean epochs?")
    assert not (tmp_path / "out").exists()


def test_a_missing_experiment_is_one_sentence(tmp_path, capsys):
    said = refusal(capsys, "train", tmp_path / "x.toml", "--out", tmp_path / "out")
    assert said == f"{tmp_path / 'x.toml'} must be a TOML file, and there is no such file"


@pytest.mark.parametrize("command", FOLDER_COMMANDS)
def test_a_folder_of_no_run_is_one_sentence(tmp_path, capsys, command):
    assert "must be the folder of a run" in refusal(capsys, command, tmp_path)


@pytest.mark.parametrize(("command", "file", "maker"), [
    ("quantise", "network.safetensors", "ranvier train EXPERIMENT.toml --out {0}"),
    ("emulate", "design.safetensors", "ranvier quantise {0}"),
    ("build", "design.safetensors", "ranvier quantise {0}"),
    ("cosim", "design.safetensors", "ranvier quantise {0}"),
    ("noise", "design.safetensors", "ranvier quantise {0}"),
    ("report", "training.json", "ranvier train EXPERIMENT.toml --out {0}"),
])
def test_a_missing_step_is_named(folder, capsys, command, file, maker):
    said = refusal(capsys, command, folder)
    assert said == (f"{folder / file} must be there, and is missing: "
                    f"run `{maker.format(folder)}`")


def test_damaged_files_of_a_step_are_named(folder, capsys):
    (folder / "network.safetensors").write_bytes(b"no network")
    assert str(folder / "network.safetensors") in refusal(capsys, "quantise", folder)


def test_verbose_shows_where_an_error_arose(folder, capsys):
    assert main(["quantise", str(folder), "-v"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_an_interruption_says_how_to_go_on(folder, capsys, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "run_step", interrupted)
    assert main(["build", str(folder)]) == 130
    assert "the same command goes on" in capsys.readouterr().err


@pytest.mark.parametrize(("mismatches", "status"), [(0, 0), (1, 1)])
def test_the_verdict_is_the_exit_status(folder, capsys, monkeypatch, mismatches, status):
    difference = {"sample": 4, "text": "record 0, tick 1"} if mismatches else None
    part = {"samples": 5, "records": 70, "mismatches": mismatches, "difference": difference}

    def cosim(run, name, **options):
        assert (name, options) == ("cosim", {"again": True, "simulator": "icarus"})
        run.write_json("cosim.json", {"simulators": {"icarus": part}, "mismatches": mismatches})

    monkeypatch.setattr(cli, "run_step", cosim)
    assert main(["cosim", str(folder), "--simulator", "icarus"]) == status
    out = capsys.readouterr().out
    assert f"icarus: 5 samples, 70 records compared, {mismatches} mismatches" in out
    assert ("test sample 4: record 0, tick 1" in out) == bool(mismatches)


def test_the_doctor_lists_every_tool(capsys):
    status = main(["doctor"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [tool.name for tool in toolchain.tools()]
    assert status == 0


@pytest.mark.parametrize(("optional", "status", "word"), [
    (False, 2, "MISSING"), (True, 0, "optional")])
def test_the_doctor_names_the_package_of_a_missing_tool(
        capsys, monkeypatch, optional, status, word):
    tool = Tool("g++", None, "", "the Debian package g++", "to compile simulators", optional)
    monkeypatch.setattr(toolchain, "tools", lambda: (tool, Tool("make", Path("/m"), "4", "", "")))
    assert main(["doctor"]) == status
    first, second = capsys.readouterr().out.splitlines()
    assert first.split()[:2] == ["g++", f"{word}:"]
    assert first.endswith("install the Debian package g++")
    assert second.split() == ["make", "4", "(/m)"]


def test_another_seed_makes_another_run(tmp_path):
    path = write(tmp_path)
    for seed, name in ((5, "a"), (6, "b")):
        run = RunFolder.create(path, tmp_path / name, seed=seed)
        assert json.loads((run.path / "run.json").read_text())["seed"] == seed


def test_a_number_of_seeds_must_be_positive(tmp_path, capsys):
    said = refusal(capsys, "train", write(tmp_path), "--out", tmp_path / "out", "--seeds", "0")
    assert said == "Number of seeds must be at least 1, not 0"
