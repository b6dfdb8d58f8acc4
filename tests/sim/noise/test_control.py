import csv
import json
from collections import Counter
from dataclasses import asdict, replace

import pytest

from ranvier.model.emulator import Emulator
from ranvier.sim.compare import MismatchError
from ranvier.sim.cxxrtl import CxxrtlSimulator
from ranvier.sim.noise import control, struck
from ranvier.sim.noise.control import Strike, draw_strikes, run_control, run_strikes
from ranvier.sim.noise.outcomes import Outcome
from ranvier.sim.noise.statistics import wilson
from ranvier.sim.noise.struck import unit_of
from ranvier.sim.simulation import HangError, StreamError, check_results

from ...strategies import core_configs
from . import subjects

SUBJECT = subjects.random_subject(14, samples=5, **asdict(core_configs()[8]))
SEED, COUNT = 1, 40  # tolerable 1, masked 39
SAMPLE = 2
# In the middle of that sample.
KNOWN = {"hang": ("readout.fsm_state", 0), "detected": ("registers.errors", 0),
         "critical": ("bank_0.ring.marks.fsm_state", 0), "tolerable": ("scheduler.tick", 0),
         "latent": ("broadcast.taken", 0), "masked": ("registers.held", 0)}


@pytest.fixture(scope="module")
def simulator(builds):
    return CxxrtlSimulator(SUBJECT.parameters, builds)


@pytest.fixture(scope="module")
def whole(simulator, tmp_path_factory):
    """Run a campaign of strikes. Returns its folder and its figures."""
    folder = tmp_path_factory.mktemp("strikes")
    return folder, run_control(SUBJECT, simulator, SEED, COUNT, folder)


def table(folder):
    with open(folder / control.STRIKES, newline="") as file:
        return list(csv.DictReader(file))


def known(simulator, outcome):
    name, bit = KNOWN[outcome]
    place = [register.name for register in simulator.registers].index(name)
    return Strike(place, bit, SAMPLE, 1 << 31)


def test_strikes_are_spread_over_all_bits_of_registers(simulator):
    registers = simulator.registers
    strikes = draw_strikes(SUBJECT, registers, 5, 4000)
    assert all(0 <= strike.bit < registers[strike.register].bits for strike in strikes)
    bits, seen = Counter(), Counter()
    for register in registers:
        bits[unit_of(register.name)] += register.bits
    for strike in strikes:
        seen[unit_of(registers[strike.register].name)] += 1
    for unit, size in bits.items():
        share = size / bits.total()
        assert abs(seen[unit] - 4000 * share) < 5 * (4000 * share) ** 0.5 + 1, unit
    assert {strike.sample for strike in strikes} == set(range(5))
    assert {strike.moment >> 29 for strike in strikes} == set(range(8))
    assert draw_strikes(SUBJECT, registers, 5, 50) == strikes[:50]
    assert draw_strikes(SUBJECT, registers, 6, 50) != strikes[:50]


def test_a_strike_is_a_function_of_seed_and_index(simulator):
    places = [(k, bit) for k, register in enumerate(simulator.registers)
              for bit in range(register.bits)]
    for index, strike in enumerate(draw_strikes(SUBJECT, simulator.registers, 7, 20)):
        drawn = [subjects.word(7, 41, index, 0, 0, 0, draw=draw) for draw in range(3)]
        assert strike == (*places[drawn[0] * len(places) >> 32], drawn[2] * 5 >> 32, drawn[1])


@pytest.mark.parametrize("outcome", KNOWN)
def test_a_strike_is_classed_by_what_it_does(simulator, outcome):
    strike = known(simulator, outcome)
    events, following = (SUBJECT.clean[k] for k in (SAMPLE, SAMPLE + 1))
    results = [Emulator(SUBJECT.parameters).run(each) for each in (events, following)]
    simulator.run([events])
    cycle = simulator.latency // 2
    row, = run_strikes(SUBJECT, simulator, [strike])
    name, bit = KNOWN[outcome]
    assert row == [name, bit, cycle, SAMPLE, unit_of(name), outcome]
    place = (cycle, strike.register, bit)
    if outcome == "hang":
        with pytest.raises(HangError) as error:
            simulator.run([events], strikes=[[place]])
        assert error.value.sample == 0
        return
    run, = simulator.run([events], strikes=[[place]])
    assert bool(run.counters["errors"]) == (outcome == "detected")
    assert (run.decision != results[0].decision) == (outcome == "critical")
    if outcome in ("critical", "tolerable"):
        with pytest.raises(MismatchError, match=r"^sample 0: "):
            simulator.run([events], strikes=[[place]], expected=results[:1])
    if outcome == "latent":  # and what is struck is struck until another core is there
        with pytest.raises((MismatchError, HangError), match=r"^sample 1: "):
            simulator.run([events, following], strikes=[[place], ()], expected=results)
    if outcome == "masked":
        simulator.run([events, following], strikes=[[place], ()], expected=results)
    simulator.run([following], expected=results[1:])


def test_a_decision_that_only_the_bus_tells_wrong_is_critical(simulator, monkeypatch):
    real = simulator.run

    def other(samples, **options):
        runs = real(samples, **options)
        if "strikes" in options:
            counters = runs[0].counters
            runs[0] = replace(runs[0], counters=counters | {"decision": counters["decision"] ^ 1})
        return runs

    monkeypatch.setattr(simulator, "run", other)
    row, = run_strikes(SUBJECT, simulator, [known(simulator, "masked")])
    assert row[-1] == "critical"


def test_a_core_that_hangs_in_the_sample_that_follows_is_latent(simulator, monkeypatch):
    real = simulator.run

    def hangs(samples, **options):
        if len(samples) == 2:
            raise HangError("sample 1: the core moved no word for 99 cycles", 1)
        return real(samples, **options)

    monkeypatch.setattr(simulator, "run", hangs)
    row, = run_strikes(SUBJECT, simulator, [known(simulator, "masked")])
    assert row[-1] == "latent"


@pytest.mark.parametrize(("register", "moment", "outcome"), [
    ("scheduler.group", 7 << 28, "critical"), ("scheduler.length", 14 << 28, "tolerable")])
def test_a_stream_that_breaks_its_contract_is_read_up_to_its_end(simulator, register, moment,
                                                                 outcome):
    place = [each.name for each in simulator.registers].index(register)
    row, = run_strikes(SUBJECT, simulator, [Strike(place, 0, SAMPLE, moment)])
    assert row[-1] == outcome
    result = Emulator(SUBJECT.parameters).run(SUBJECT.clean[SAMPLE])
    with pytest.raises(StreamError) as error:
        simulator.run([SUBJECT.clean[SAMPLE]], strikes=[[(row[2], place, 0)]])
    if outcome == "critical":
        assert error.value.run.decision != result.decision
    else:  # nothing but the last word's tick is another
        check_results([error.value.run], [result])


def test_the_table_and_the_figures_have_each_strike(simulator, whole):
    folder, found = whole
    rows = table(folder)
    assert tuple(rows[0]) == control.HEADER
    assert len(rows) == found["count"] == found["strikes"] == COUNT
    seen = Counter()
    for index, (row, strike) in enumerate(zip(
            rows, draw_strikes(SUBJECT, simulator.registers, SEED, COUNT), strict=True)):
        name = simulator.registers[strike.register].name
        assert row["index"] == str(index)
        assert (row["register"], row["bit"], row["sample"], row["unit"]) == (
            name, str(strike.bit), str(strike.sample), unit_of(name))
        seen[row["unit"], row["outcome"]] += 1
    for unit, figures in found["units"].items():
        assert figures["bits"] == sum(register.bits for register in simulator.registers
                                      if unit_of(register.name) == unit)
        for outcome in Outcome:
            part = figures["outcomes"][outcome.value]
            assert part["strikes"] == seen[unit, outcome.value]
            assert part["share"] == part["strikes"] / figures["strikes"]
            assert part["interval"] == list(wilson(part["share"], figures["strikes"]))
    assert sum(unit["strikes"] for unit in found["units"].values()) == COUNT
    assert [found["outcomes"][name]["strikes"] for name in ("tolerable", "masked")] == [1, 39]
    assert found["bits"] == sum(register.bits for register in simulator.registers)
    json.dumps(found)


def test_a_strike_alone_does_what_the_table_says(simulator, whole):
    rows = table(whole[0])
    strikes = draw_strikes(SUBJECT, simulator.registers, SEED, COUNT)
    (shown,) = (k for k, row in enumerate(rows) if row["outcome"] == "tolerable")
    for index in (shown, 3):
        alone, = run_strikes(SUBJECT, simulator, [strikes[index]])
        assert [str(value) for value in alone] == list(rows[index].values())[1:]


def test_an_interrupted_campaign_goes_on(simulator, whole, tmp_path, monkeypatch):
    monkeypatch.setattr(struck, "AT_ONCE", 15)
    calls, run_part = [], control.run_strikes

    def twice(subject, simulator, strikes):
        calls.append(len(strikes))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return run_part(subject, simulator, strikes)

    monkeypatch.setattr(control, "run_strikes", twice)
    with pytest.raises(KeyboardInterrupt):
        run_control(SUBJECT, simulator, SEED, COUNT, tmp_path)
    assert not (tmp_path / control.STRIKES).exists()
    assert run_control(SUBJECT, simulator, SEED, COUNT, tmp_path) == whole[1]
    assert calls == [15, 15, 15, 10]
    assert (tmp_path / control.STRIKES).read_bytes() == (whole[0] / control.STRIKES).read_bytes()
    assert run_control(SUBJECT, simulator, SEED, 15, tmp_path)["count"] == 15
    assert calls == [15, 15, 15, 10]
    assert len(list((tmp_path / "strikes").iterdir())) == 1


def test_parts_of_another_core_or_table_are_not_taken_over(simulator, tmp_path, monkeypatch):
    run_control(SUBJECT, simulator, SEED, 3, tmp_path)
    monkeypatch.setattr(control, "run_strikes", None)
    run_control(SUBJECT, simulator, SEED, 3, tmp_path)
    for owner, name, value in ((simulator, "_name", "core_of_another_harness"),
                               (control, "HEADER", (*control.HEADER, "a column more"))):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, value)
            with pytest.raises(TypeError, match="not callable"):
                run_control(SUBJECT, simulator, SEED, 3, tmp_path)


def test_a_simulator_of_another_design_is_refused(simulator, tmp_path):
    other = replace(SUBJECT, parameters=replace(
        SUBJECT.parameters, weight=SUBJECT.parameters.weight ^ 1))
    with pytest.raises(ValueError, match=r"^Simulator must be loaded with the design that is "):
        run_control(other, simulator, SEED, 1, tmp_path)
