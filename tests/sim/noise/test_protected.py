"""Studies of designs whose words have check bits."""

from dataclasses import replace

import numpy as np
import pytest

from ranvier.hw.images import synapse_places
from ranvier.hw.payloads import Memory
from ranvier.model.emulator import Emulator
from ranvier.model.protection import read_weights
from ranvier.sim.bus import flip_program
from ranvier.sim.cxxrtl import CxxrtlSimulator
from ranvier.sim.noise import NoiseConfig
from ranvier.sim.noise.campaign import run_faults
from ranvier.sim.noise.faults import draw_faults, memory_bits, run_fault, told
from ranvier.sim.noise.kinds import KINDS
from ranvier.sim.noise.plan import draw_plan
from ranvier.sim.noise.replay import choose, replay
from ranvier.sim.noise.subject import Subject
from ranvier.sim.simulation import check_results

from . import subjects

AWARE = tuple(name for name, kind in KINDS.items() if kind.protected)
SHAPES = {
    "parity": {"protection": "parity", "banks": 1, "rows": "dense"},
    "secded": {"protection": "secded", "banks": 2, "rows": "sparse"},
}


@pytest.fixture(scope="module", params=SHAPES)
def core(request, builds):
    subject = subjects.random_subject(8, samples=4, inputs=6, neurons=9, outputs=3,
                                      adaptive=True, delay_max=20, **SHAPES[request.param])
    return subject, CxxrtlSimulator(subject.parameters, builds)


def test_the_rtl_has_every_kind_as_the_model_does(core):
    subject, simulator = core
    settings = NoiseConfig(kinds=AWARE, levels={"weight_map": (1, 3)}, instances=2,
                           fault_map="given")
    plan = draw_plan(subject, settings, 5)
    report = replay(plan, subject, simulator, choose(plan, subject, 300), stall=0.2, seed=5)
    assert report["difference"] is None
    assert {pick["kind"] for pick in report["picks"]} == set(AWARE)
    assert len(AWARE) == len(KINDS) - 2


def test_check_bits_take_faults_away(core):
    subject, _ = core
    config = subject.parameters.config
    plain = Subject(replace(subject.parameters, config=replace(config, protection="none")),
                    subject.dataset)
    settings = subjects.settings(levels={"weight_flips": [0.01]}, instances=20)
    wrong = []
    for row, other in zip(draw_plan(subject, settings, 2).rows, draw_plan(plain, settings, 2).rows,
                          strict=True):
        own = row.change[row.change[:, 1] < config.weight_bits]
        assert own.tolist() == other.change.tolist()  # the same faults, and those of check bits
        assert row.change[:, 1].max() < config.code(config.weight_bits).bits
        read, bare = (read_weights(one.parameters.config, one.parameters.weight, flips).values
                      for one, flips in ((subject, row.change), (plain, other.change)))
        wrong.append([np.count_nonzero(read != subject.parameters.weight),
                      np.count_nonzero(bare != subject.parameters.weight)])
    protected, unprotected = np.sum(wrong, axis=0)
    assert unprotected > 20
    assert (protected < unprotected / 4) == (config.protection == "secded")


def places(parameters, fault):
    """Return the memory of a fault, and its place there: bank, address, bit."""
    banks = parameters.config.banks
    if fault.memory == "weights":
        bank, address = (int(each[fault.word]) for each in synapse_places(parameters))
        return Memory.WEIGHTS, (bank, address, fault.bit)
    return Memory.THETA0, (fault.word % banks, fault.word // banks, fault.bit)


def test_faults_are_told_of_as_the_core_counts_them(core):
    subject, simulator = core
    parameters, config = subject.parameters, subject.parameters.config
    assert list(memory_bits(subject)) == ["weights", "thresholds"]
    assert memory_bits(subject)["weights"][1] == config.code(config.weight_bits).bits
    emulator, seen = Emulator(parameters), set()
    simulator.run(subject.clean[:1])  # loads the core
    faults = draw_faults(subject, 4, 120)
    for fault, row in zip(faults, run_faults(subject, faults), strict=True):
        memory, place = places(parameters, fault)
        there, back = flip_program(parameters, [place], memory)
        result = run_fault(subject, fault, emulator)
        simulator._bus(there)
        run, = simulator.run([subject.clean[fault.sample]])
        simulator._bus(back)
        check_results([run], [result])
        counted = run.counters["corrected"] > 0, run.counters["detected"] > 0
        assert told(subject, fault, result) == counted
        assert ("detected" in row) == counted[1]
        seen.add((fault.memory, counted))
    which = (True, False) if config.protection == "secded" else (False, True)
    assert seen == {(memory, told) for memory in ("weights", "thresholds")
                    for told in (which, (False, False))}


@pytest.mark.parametrize("name", [name for name in KINDS if name not in AWARE])
def test_kinds_that_know_no_check_bits_are_refused(name):
    subject = subjects.random_subject(1, protection="parity")
    with pytest.raises(ValueError, match=rf"^Noise levels\.{name} must be \[\] with parity: the "):
        draw_plan(subject, NoiseConfig(kinds=(name,)), 1)
    assert draw_plan(subject, NoiseConfig(
        kinds=(name, "weight_flips"), levels={name: ()}, instances=1), 1).rows
