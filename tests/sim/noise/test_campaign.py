import csv
import json
from collections import Counter
from dataclasses import asdict

import numpy as np
import pytest

from ranvier.model.emulator import Emulator
from ranvier.model.protection import read_weights
from ranvier.sim.compare import spikes_of
from ranvier.sim.cxxrtl import CxxrtlSimulator
from ranvier.sim.noise import campaign
from ranvier.sim.noise.campaign import run_campaign
from ranvier.sim.noise.faults import (
    MEMORIES,
    Fault,
    draw_faults,
    effect,
    memory_bits,
    neuron,
    population,
)
from ranvier.sim.noise.outcomes import Outcome
from ranvier.sim.noise.replay import rtl_places, silent
from ranvier.sim.noise.spiketrains import van_rossum, victor_purpura
from ranvier.sim.noise.subject import Subject
from ranvier.sim.noise.values import stored_delays

from ...strategies import core_configs
from . import subjects

SUBJECT = subjects.random_subject(14, samples=6, inputs=8, neurons=12, outputs=4,
                                  readout="spike-count", synapse="exponential", adaptive=True)
COUNT = 7 * 60


def test_faults_are_spread_over_all_memories_and_their_bits():
    faults = draw_faults(SUBJECT, 5, 7 * 400)
    sizes = memory_bits(SUBJECT)
    assert tuple(sizes) == MEMORIES
    assert Counter(fault.memory for fault in faults) == dict.fromkeys(MEMORIES, 400)
    for memory, (words, bits) in sizes.items():
        mine = [fault for fault in faults if fault.memory == memory]
        assert {fault.bit for fault in mine} <= set(range(bits))
        assert len({fault.bit for fault in mine}) > bits // 2
        assert all(0 <= fault.word < words for fault in mine)
        state = memory in ("P", "Q", "A", "sums")
        assert all((fault.tick >= 0) == state for fault in mine)
    assert {fault.sample for fault in faults} == set(range(6))
    assert draw_faults(SUBJECT, 5, 50) == faults[:50]
    assert draw_faults(SUBJECT, 6, 50) != faults[:50]


def test_a_fault_of_a_synapse_is_one_of_the_neuron_that_it_leads_onto():
    target = SUBJECT.parameters.target.tolist()
    for memory in ("weights", "delays"):
        assert [neuron(SUBJECT, Fault(memory, word, 0, -1, 0))
                for word in range(len(target))] == target
    for memory in ("thresholds", "P", "sums"):
        assert neuron(SUBJECT, Fault(memory, 7, 0, 3, 0)) == 7


def test_a_delay_of_synapses_onto_several_neurons_is_of_none_of_them():
    subject = subjects.random_subject(14, samples=1, inputs=8, neurons=12, outputs=4,
                                      delays="axonal")
    target, stored = subject.parameters.target, stored_delays(subject.parameters)
    for word in range(stored.max() + 1):
        onto = {*target[stored == word].tolist()}
        assert neuron(subject, Fault("delays", word, 0, -1, 0)) == (
            None if len(onto) > 1 else onto.pop())
    assert stored.max() + 1 < stored.size


def test_the_figures_are_those_of_single_runs(tmp_path):
    found = run_campaign(SUBJECT, 5, COUNT, tmp_path)
    with open(tmp_path / campaign.FAULTS, newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == found["count"] == COUNT
    emulator = Emulator(SUBJECT.parameters)
    seen, config = Counter(), SUBJECT.parameters.config
    tau = config.tau_s / config.tick
    for row, fault in zip(rows, draw_faults(SUBJECT, 5, COUNT), strict=True):
        assert [row[name] for name in fault._fields] == [str(value) for value in fault]
        events = SUBJECT.clean[fault.sample]
        parameters, flips, upsets = effect(SUBJECT, fault)
        weight = read_weights(parameters.config, parameters.weight, flips).values
        clean = emulator.run(events)
        after = Emulator(parameters).run(events, weight=weight, upsets=upsets)
        assert row["decision"] == str(after.decision)
        assert (row["outcome"] == "critical") == (after.decision != clean.decision)
        same = np.array_equal(after.trace, clean.trace)
        assert (row["divergence_tick"] == "") == same
        one, other = spikes_of(clean.trace), spikes_of(after.trace)
        assert row["spikes"] == str(len(other) - len(one))
        assert float(row["victor_purpura"]) == pytest.approx(
            victor_purpura(one, other, 1 / tau), abs=1e-6)
        assert float(row["van_rossum"]) == pytest.approx(van_rossum(one, other, tau), abs=1e-6)
        assert (row["van_rossum"] == "0.0") == np.array_equal(one, other)
        assert row["layer"] == population(SUBJECT, fault)
        assert row["neuron"] == str(neuron(SUBJECT, fault))
        seen[fault.memory, row["outcome"]] += 1
    for memory, figures in found["memories"].items():
        for outcome in Outcome:
            assert figures["outcomes"][outcome.value] == seen[memory, outcome.value]
    assert sum(n for (_, outcome), n in seen.items() if outcome == "critical") > 10
    assert sum(sum(counts.values()) for counts in found["bits"].values()) == COUNT
    assert sum(sum(counts.values()) for counts in found["layers"].values()) == COUNT
    assert found["interval"][0] < found["critical"] < found["interval"][1]
    first = next(row for row in rows
                 if row["outcome"] == "critical" and row["van_rossum"] != "0.0")
    assert {name: str(found["divergence"][name]) for name in first} == first


def test_an_interrupted_campaign_goes_on_and_workers_change_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(campaign, "AT_ONCE", 100)
    whole = run_campaign(SUBJECT, 5, COUNT, tmp_path / "whole")
    calls, run_faults = [], campaign.run_faults

    def twice(subject, faults):
        calls.append(len(faults))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return run_faults(subject, faults)

    monkeypatch.setattr(campaign, "run_faults", twice)
    with pytest.raises(KeyboardInterrupt):
        run_campaign(SUBJECT, 5, COUNT, tmp_path / "part")
    assert not (tmp_path / "part" / campaign.FAULTS).exists()
    assert run_campaign(SUBJECT, 5, COUNT, tmp_path / "part") == whole
    assert calls == [100, 100, 100, 100, 100, 20]
    monkeypatch.setattr(campaign, "run_faults", run_faults)
    assert run_campaign(SUBJECT, 5, COUNT, tmp_path / "two", workers=2) == whole
    tables = {(tmp_path / name / campaign.FAULTS).read_bytes() for name in ("whole", "part", "two")}
    assert len(tables) == 1
    json.dumps(whole)


def test_parts_of_another_model_or_table_are_not_taken_over(tmp_path, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    def again():
        return run_campaign(Subject(SUBJECT.parameters, SUBJECT.dataset), 5, 20, tmp_path)

    found = again()
    monkeypatch.setattr(campaign, "run_faults", interrupted)
    assert again() == found
    with monkeypatch.context() as patch:
        patch.setattr(campaign, "HEADER", (*campaign.HEADER, "a column more"))
        with pytest.raises(KeyboardInterrupt):
            again()
    monkeypatch.setattr("ranvier.sim.noise.subject.Emulator", subjects.Other)
    with pytest.raises(KeyboardInterrupt):
        again()


def test_the_rtl_has_every_fault_as_the_model_does(builds):
    config = core_configs()[8]
    subject = subjects.random_subject(14, samples=5, **asdict(config))
    simulator = CxxrtlSimulator(subject.parameters, builds)
    faults = draw_faults(subject, 2, 10 * len(memory_bits(subject)))
    for fault in faults:
        parameters, flips, upsets = effect(subject, fault)
        events = subject.clean[fault.sample]
        weight = read_weights(parameters.config, parameters.weight, flips).values
        result = Emulator(parameters).run(events, weight=weight, upsets=upsets)
        simulator.load(parameters)
        (run,) = simulator.run([events], expected=[result], upsets=[upsets],
                               flips=[rtl_places(flips, parameters)])
        assert silent(events, run) == 0
