import numpy as np
import pytest

from ranvier.sim.compare import MismatchError
from ranvier.sim.cxxrtl import CxxrtlSimulator
from ranvier.sim.simulation import HangError

from ..strategies import core_configs, random_pairs

CONFIG = core_configs()[4]


@pytest.fixture(scope="module")
def pair():
    return random_pairs(CONFIG, 2)[1]


@pytest.fixture
def simulator(builds, pair):
    return CxxrtlSimulator(pair.parameters, builds)


def place(simulator, name):
    return [register.name for register in simulator.registers].index(name)


def test_every_register_of_the_core_is_there(simulator):
    bits = dict(simulator.registers)
    assert len(bits) == len(simulator.registers) > 300
    assert bits["scheduler.tick"] == CONFIG.tick_bits
    assert bits["bank_1.neurons.memory.states.words_word"] > 3 * CONFIG.trace_bits
    assert bits["bank_0.ring.sums.words_word"] == CONFIG.sum_bits
    assert all(width >= 1 for width in bits.values())


def test_a_strike_in_a_register_changes_what_it_does_from_its_cycle_on(simulator, pair):
    clean, = simulator.run([pair.events], expected=[pair.result])
    word = place(simulator, "bank_0.neurons.word")
    runs = simulator.run([pair.events] * 3, strikes=[
        [(500, word, 0), (500, word, 0)], [(10**9, word, 0)], ()], expected=[pair.result] * 3)
    assert [run.counters for run in runs] == [clean.counters] * 3
    differ = 0
    for cycle in range(0, clean.counters["cycles"], 97):
        run, = simulator.run([pair.events], strikes=[[(cycle, word, 0)]])
        differ += not np.array_equal(run.trace, pair.result.trace)
    assert differ > 5


def test_random_strikes_end_with_a_run_or_with_an_error_and_leave_no_trace(simulator, pair):
    rng = np.random.default_rng(1)
    clean, = simulator.run([pair.events], expected=[pair.result])
    ends = {"masked": 0, "wrong": 0, MismatchError: 0, HangError: 0}
    for _ in range(250):
        register = int(rng.integers(len(simulator.registers)))
        strike = (int(rng.integers(clean.counters["cycles"])), register,
                  int(rng.integers(simulator.registers[register].bits)))
        try:
            run, = simulator.run([pair.events], strikes=[[strike]])
            masked = np.array_equal(run.trace, clean.trace) and run.counters == clean.counters
            ends["masked" if masked else "wrong"] += 1
        except MismatchError:  # or a StreamError, which is one
            ends[MismatchError] += 1
        except HangError:
            ends[HangError] += 1
    assert min(ends["masked"], ends["wrong"]) > 40
    assert ends[HangError] > 1
    run, = simulator.run([pair.events], expected=[pair.result])
    assert run.counters == clean.counters


def test_a_core_that_a_strike_hangs_is_told_and_replaced(simulator, pair):
    state = place(simulator, "scheduler.fsm_state")
    with pytest.raises(HangError, match=r"^sample 1: the core moved no word for \d+ cycles$"):
        simulator.run([pair.events] * 2, strikes=[(), [(40, state, 0), (40, state, 1)]])
    simulator.run([pair.events], expected=[pair.result])


@pytest.mark.parametrize("strike", [(-1, 0, 0), (0, -1, 0), (0, 100_000, 0), (0, 0, 64),
                                    (0, 0, -1)])
def test_strikes_of_what_is_not_there_are_refused(simulator, pair, strike):
    message = (rf"^A strike must be in a cycle from 0 on, and at a bit of registers 0 to \d+, not "
               rf"in cycle {strike[0]} at register {strike[1]}, bit {strike[2]}$")
    with pytest.raises(ValueError, match=message):
        simulator.run([pair.events], strikes=[[strike]])
    with pytest.raises(ValueError, match=r"^Strikes must be given for 1 samples, not for 2$"):
        simulator.run([pair.events], strikes=[(), ()])
