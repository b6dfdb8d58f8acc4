"""Mutants of a core's cells: nothing changes unless one is chosen, and then what it says."""

import re
from unittest.mock import patch

import numpy as np
import pytest

from ranvier.model.emulator import Emulator
from ranvier.sim import cxxrtl, mutate
from ranvier.sim.compare import MismatchError
from ranvier.sim.mutate import MODES, MutantSimulator, Netlist
from ranvier.sim.simulation import check_results

from ..strategies import core_configs, random_pairs

CONFIG = core_configs()[8]
PAIR = random_pairs(CONFIG, 1)[0]


@pytest.fixture(scope="module")
def netlist():
    return Netlist(CONFIG)


def outputs_of(netlist, pattern):
    """Return the outputs of the one cell that drives a signal, by its bits."""
    found = {}
    for name, port, bits in re.findall(
            rf"^  cell \S+ (\S+)\n(?:    .*\n)*?    connect \\(Y|Q) \\{pattern}( .*)?\n",
            netlist._text, re.MULTILINE):
        assert not bits
        found.setdefault(name, port)
    (name,) = found
    return [output for output in netlist.outputs if output.cell == name]


STUCK = 2  # bit of the weights of bank 1


@pytest.fixture(scope="module")
def simulator(netlist, builds):
    """A core with one mutant for each mode of the lowest bit of the decision's register.

    And one for each mode of a bit that is read of the weights of bank 1.
    """
    label = outputs_of(netlist, r"readout\.o__payload")
    assert [output.bit for output in label] == list(range(len(label)))
    # It runs for a moment.
    with patch.object(cxxrtl, "FLAGS", (*cxxrtl.FLAGS, "-O0")):
        weights = [output for output in netlist.outputs
                   if output.place.startswith("bank_1.fetch.weights") and output.port == "DATA"]
        assert [output.bit for output in weights] == list(range(CONFIG.weight_bits))
        return MutantSimulator(PAIR.parameters, builds, netlist, [
            (output, mode) for output in (label[0], weights[STUCK]) for mode in MODES])


def strikes(simulator, number, cycle=0):
    return [(cycle, *bit) for bit in simulator.chosen(number)]


def test_the_same_core_has_the_same_outputs(netlist):
    again = Netlist(CONFIG)
    assert (again.outputs, again._text) == (netlist.outputs, netlist._text)
    assert len(set(netlist.outputs)) == len(netlist.outputs) > 1000
    assert not [output for output in netlist.outputs if "mutant" in output.cell]
    assert any(output.place.startswith("bank_2.ring.marks.bits.") for output in netlist.outputs)


def test_a_core_with_mutants_is_the_core_until_one_is_chosen(simulator):
    for stall in (0.0, 0.5):
        simulator.run([PAIR.events] * 2, expected=[PAIR.result] * 2, stall=stall)
    assert simulator.chosen(0) == []
    assert [len(simulator.chosen(number)) for number in range(1, 7)] == [1, 1, 2, 1, 2, 2]


def test_a_chosen_mutant_is_wrong_from_its_cycle_on_and_stays(simulator):
    simulator.run([PAIR.events], expected=[PAIR.result])
    late = simulator.latency + 10
    for number in (1, 2, 3):
        simulator.run([PAIR.events], expected=[PAIR.result],
                      strikes=[strikes(simulator, number, late)])
    stuck = 2 if PAIR.result.decision & 1 else 3
    runs = simulator.run([PAIR.events] * 2, strikes=[strikes(simulator, stuck), ()])
    for run in runs:
        with pytest.raises(MismatchError, match=r"^sample 0: "):
            check_results([run], [PAIR.result])
    simulator.run([PAIR.events], expected=[PAIR.result])  # in a fresh core


def test_an_output_that_is_stuck_at_what_it_is_changes_nothing(simulator):
    differ = []
    for number in (2, 3):
        run, = simulator.run([PAIR.events], strikes=[strikes(simulator, number)])
        differ.append(run.decision != PAIR.result.decision
                      or run.counters["decision"] != PAIR.result.decision)
    assert differ == [bool(PAIR.result.decision & 1), not PAIR.result.decision & 1]


@pytest.mark.parametrize("mode", MODES)
def test_a_stuck_wire_of_a_weight_memory_is_a_stuck_bit_of_all_its_weights(simulator, mode):
    parameters = PAIR.parameters
    bit = np.where(parameters.target % CONFIG.banks == 1, 1 << STUCK, 0)
    weight = {"inv": parameters.weight ^ bit, "const0": parameters.weight & ~bit,
              "const1": parameters.weight | bit}[mode].astype(np.int32)
    wanted = Emulator(parameters).run(PAIR.events, weight=weight)
    assert not np.array_equal(wanted.trace, PAIR.result.trace)
    number = 1 + len(MODES) + MODES.index(mode)
    simulator.run([PAIR.events], expected=[wanted], strikes=[strikes(simulator, number)])


def test_without_yosys_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(mutate, "YOSYS", ("abacus", "no_such_module", "run"))
    with pytest.raises(RuntimeError, match=r"abacus must be .* is missing: pip install .*synth"):
        Netlist(CONFIG)
