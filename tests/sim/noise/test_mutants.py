import csv
import json
from collections import Counter
from dataclasses import asdict
from unittest.mock import patch

import pytest

from ranvier.sim import cxxrtl
from ranvier.sim.mutate import MODES, Netlist
from ranvier.sim.noise import mutants, struck
from ranvier.sim.noise.mutants import draw_mutants, run_mutant, run_mutants
from ranvier.sim.noise.struck import unit_of

from ...strategies import core_configs
from . import subjects

SUBJECT = subjects.random_subject(14, samples=5, **asdict(core_configs()[8]))
SEED, COUNT = 2, 24


@pytest.fixture(autouse=True, scope="module")
def quick():
    """Let cores be compiled in a moment, and in parts of twelve: they run for a moment each."""
    with (patch.object(cxxrtl, "FLAGS", (*cxxrtl.FLAGS, "-O0")),
          patch.object(struck, "AT_ONCE", COUNT // 2)):
        yield


@pytest.fixture(scope="module")
def whole(builds, tmp_path_factory):
    """Run a campaign of mutants. Returns its folder and its figures."""
    folder = tmp_path_factory.mktemp("mutants")
    return folder, run_mutants(SUBJECT, builds, SEED, COUNT, folder)


def table(folder):
    with open(folder / mutants.MUTANTS, newline="") as file:
        return list(csv.DictReader(file))


def test_a_mutant_is_a_function_of_seed_and_index():
    netlist = Netlist(SUBJECT.parameters.config)
    drawn = draw_mutants(SUBJECT, netlist, 7, 300)
    for index, mutant in enumerate(drawn):
        words = [subjects.word(7, 42, index, 0, 0, 0, draw=draw) for draw in range(4)]
        assert mutant == (netlist.outputs[words[0] * len(netlist.outputs) >> 32],
                          MODES[words[3] * 3 >> 32], words[2] * 5 >> 32, words[1])
    assert draw_mutants(SUBJECT, netlist, 7, 20) == drawn[:20]
    assert {mutant.mode for mutant in drawn} == set(MODES)


def test_the_table_and_the_figures_have_each_mutant(whole):
    folder, found = whole
    netlist, rows = Netlist(SUBJECT.parameters.config), table(folder)
    assert tuple(rows[0]) == mutants.HEADER
    assert len(rows) == found["count"] == found["mutants"] == COUNT
    drawn = draw_mutants(SUBJECT, netlist, SEED, COUNT)
    for index, (row, mutant) in enumerate(zip(rows, drawn, strict=True)):
        assert (row["index"], row["cell"], row["bit"], row["mode"], row["sample"]) == (
            str(index), mutant.output.place, str(mutant.output.bit), mutant.mode,
            str(mutant.sample))
    seen = Counter(row["outcome"] for row in rows)
    assert {name: part["mutants"] for name, part in found["outcomes"].items()
            if part["mutants"]} == seen
    assert len(seen) > 2  # not all of them are without effect, nor do all the same
    assert sum(unit["mutants"] for unit in found["units"].values()) == COUNT
    for unit, figures in found["units"].items():
        assert figures["bits"] == sum(unit_of(output.place) == unit for output in netlist.outputs)
    assert found["bits"] == len(netlist.outputs)
    json.dumps(found)


def test_a_mutant_alone_does_what_the_table_says(builds, whole):
    rows = table(whole[0])
    index = next(i for i, row in enumerate(rows) if row["outcome"] not in ("masked", "hang"))
    alone = run_mutant(SUBJECT, builds, SEED, index)
    assert [str(value) for value in alone] == list(rows[index].values())[1:]


def test_what_is_done_is_not_run_again(builds, whole, monkeypatch):
    folder, found = whole
    before = (folder / mutants.MUTANTS).read_bytes()
    assert len(list((folder / "mutants").iterdir())) == 2
    monkeypatch.setattr(mutants, "Judge", None)
    assert run_mutants(SUBJECT, builds, SEED, COUNT, folder) == found
    assert (folder / mutants.MUTANTS).read_bytes() == before
