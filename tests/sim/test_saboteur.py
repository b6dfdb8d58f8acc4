"""Cores with saboteurs: one bit of a bank is read wrong, and the model knows what comes of it."""

import numpy as np
import pytest

from ranvier.hw.core import NeuronCore
from ranvier.hw.payloads import BANKED, Memory, content_shape, memories
from ranvier.hw.saboteur import STATES, Mode
from ranvier.hw.verilog import verilog_source
from ranvier.model.disturbed import disturbed
from ranvier.model.emulator import Emulator
from ranvier.sim.bus import flip_program, sabotage_program
from ranvier.sim.cosim import CocotbSimulator
from ranvier.sim.cxxrtl import CxxrtlSimulator

from ..designs import random_config, random_events, random_parameters
from .test_protection import BOTH, CURSORS, places

CASES = {
    "ring": {"banks": 2},
    "dense, secded": BOTH | {"protection": "secded", "rows": "dense", "banks": 2},
    "cursors, parity": CURSORS | {"protection": "parity", "banks": 1},
}
SAFE = ("weights", "theta0", "beta", "dendrites")
"""Where one wrong bit leaves an unprotected core within its contract."""


def draw(name):
    """Return parameters of a case, a sample, and what draws faults."""
    rng = np.random.default_rng(sorted(CASES).index(name))
    fixed = {"adaptive": True, "delay_max": 20, "saboteurs": True} | CASES[name]
    parameters = random_parameters(rng, random_config(rng, neurons=9, inputs=6, **fixed))
    return parameters, random_events(rng, parameters.config, rate=0.1), rng


@pytest.fixture(scope="module", params=CASES)
def sabotaged(request, builds):
    parameters, events, rng = draw(request.param)
    return CxxrtlSimulator(parameters, builds), events, rng


def memories_of(config):
    """Return the names of the memories in which any bit may be wrong."""
    return [memory.name.lower() for memory in BANKED if memory in memories(config)
            and (config.protection != "none" or memory.name.lower() in SAFE)]


def run(simulator, events, *programs):
    for program in programs:
        simulator._bus(program)
    return simulator.run([events])[0]


def test_a_wrong_bit_is_read_as_the_model_says(sabotaged):
    simulator, events, rng = sabotaged
    parameters, config = simulator.parameters, simulator.parameters.config
    clean, where, changed = Emulator(parameters).run(events), places(parameters), 0
    simulator.run([events], expected=[clean])
    for name in memories_of(config):
        memory = Memory[name.upper()]
        for _ in range(12):
            place = int(rng.integers(where[name][0].size))
            bit = int(rng.integers(config.code(content_shape(config, memory).width).bits))
            try:
                wanted = Emulator(disturbed(parameters, {name: np.array([[place, bit]])})[0])
            except ValueError:
                continue  # a threshold of 0, or a dendritic delay that is too long
            bank, address = (int(each[place]) for each in where[name])
            there, back = flip_program(parameters, [(bank, address, bit)], memory)
            assert len(there) == len(back) == 2  # the saboteur's words, not the memory's
            wanted = wanted.run(events)
            simulator._bus(there)
            simulator.run([events], expected=[wanted])
            simulator._bus(back)
            changed += not np.array_equal(wanted.trace, clean.trace)
    assert changed > (5 if config.protection != "secded" else -1)
    simulator.run([events], expected=[clean])


def test_a_bit_stuck_at_what_it_is_changes_nothing(sabotaged):
    simulator, events, rng = sabotaged
    parameters, config = simulator.parameters, simulator.parameters.config
    clean, where = Emulator(parameters).run(events), places(parameters)["weights"]
    for synapse in rng.choice(parameters.weight.size, 10, replace=False).tolist():
        bank, address = (int(each[synapse]) for each in where)
        bit = int(rng.integers(config.weight_bits))
        flipped, _ = disturbed(parameters, {"weights": np.array([[synapse, bit]])})
        held = int(parameters.weight[synapse]) >> bit & 1
        for mode, wanted in ((Mode(Mode.STUCK_0.value + held), clean),
                             (Mode(Mode.STUCK_1.value - held), Emulator(flipped).run(events))):
            place = Memory.WEIGHTS, bank, address, bit
            simulator._bus(sabotage_program(config, *place, mode))
            simulator.run([events], expected=[wanted])
        simulator._bus(sabotage_program(config, *place, Mode.OFF))
    simulator.run([events], expected=[clean])


def test_states_that_are_read_wrong_change_what_a_neuron_does(sabotaged):
    simulator, events, _ = sabotaged
    config = simulator.parameters.config
    clean = Emulator(simulator.parameters).run(events)
    place = STATES, 0, int(clean.trace["neuron"][0]) // config.banks, config.trace_bits - 2
    wrong = run(simulator, events, sabotage_program(config, *place, Mode.FLIPPED))
    assert np.array_equal(wrong.trace, clean.trace) == (config.protection == "secded")
    if config.protection != "none":
        told = "corrected" if config.protection == "secded" else "detected"
        assert wrong.counters[told] > 0
    simulator._bus(sabotage_program(config, *place, Mode.OFF))
    simulator.run([events], expected=[clean])


def test_deposits_and_saboteurs_agree(builds):
    parameters, events, rng = draw("ring")
    compiled = CxxrtlSimulator(parameters, builds)
    deposits = CocotbSimulator(parameters, builds)
    bank, address = places(parameters)["weights"]
    flips = [[(int(bank[k]), int(address[k]), int(rng.integers(parameters.config.weight_bits)))]
             for k in rng.choice(bank.size, 5, replace=False)]
    runs = [simulator.run([events] * len(flips), flips=flips) for simulator in (compiled, deposits)]
    clean = Emulator(parameters).run(events)
    assert not all(np.array_equal(one.trace, clean.trace) for one in runs[0])
    for one, other in zip(*runs, strict=True):
        assert np.array_equal(one.trace, other.trace)
        assert one.decision == other.decision


def test_a_core_without_saboteurs_has_nothing_of_them():
    rng = np.random.default_rng(0)
    for there in (False, True):
        core = NeuronCore(random_config(rng, neurons=4, inputs=3, saboteurs=there))
        assert ("sabotaged" in verilog_source(core)) == there


@pytest.mark.parametrize(("changes", "place", "message"), [
    ({"saboteurs": False}, (Memory.WEIGHTS, 0, 0, 0), "A core must have saboteurs to be "),
    ({}, (Memory.LOW_M, 0, 0, 0), "A sabotage must be in REGISTERS, ROWS, WEIGHTS, "),
    ({}, (Memory.WEIGHTS, 2, 0, 0), "A sabotage must be in banks 0 to 1, "),
    ({}, (STATES, 0, 5, 0), "A sabotage must be in banks 0 to 1, words 0 to 4 and bits 0 to "),
])  # fmt: skip
def test_what_cannot_be_sabotaged_is_refused(changes, place, message):
    config = random_config(np.random.default_rng(0), neurons=9, inputs=6, banks=2,
                           readout="first-spike", **{"saboteurs": True, **changes})
    with pytest.raises(ValueError, match=f"^{message}"):
        sabotage_program(config, *place, Mode.FLIPPED)
