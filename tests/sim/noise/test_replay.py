from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from ranvier.model.emulator import Emulator
from ranvier.sim.noise.plan import draw_plan
from ranvier.sim.noise.replay import Pick, choose, replay
from ranvier.sim.simulation import COMPARED, HangError, Run, Simulator

from . import subjects

SETTINGS = subjects.settings(levels={"input_jitter": [0.5, 4], "event_loss": [0.4],
                               "weight_flips": [0.02, 0.1]}, instances=3)
SUBJECT = subjects.random_subject(14, samples=5, inputs=8, neurons=12, outputs=4, banks=3,
                                  readout="spike-count")
PLAN = draw_plan(SUBJECT, SETTINGS, 3)


class Imitation(Simulator):
    """The emulator in the place of the RTL, with flips undone to synapses by counting."""

    def __init__(self, parameters, spoil=None):
        super().__init__(parameters)
        self.spoil = spoil or (lambda events, run: run)
        self.options = {}

    def run(self, samples, *, expected=None, stall=0.0, seed=0, flips=(), upsets=(),
            waves=None):
        self.options = {"stall": stall, "seed": seed}
        runs = []
        for events, bits in zip(samples, flips, strict=True):
            weight = subjects.flipped_weights(SUBJECT, [(self._synapse(*f[:2]), f[2])
                                                        for f in bits])
            result = Emulator(self.parameters).run(events, weight=np.array(weight, np.int32))
            fired = result.trace[result.trace["fired"] == 1]
            counters = {name: int(result.counters[c]) for name, c in COMPARED.items()}
            counters["dropped"] = 0
            spikes = np.stack([fired["tick"], fired["neuron"]], 1)
            run = Run(result.trace, spikes, result.decision, result.scores, counters)
            runs.append(self.spoil(events, run))
        return runs

    def _synapse(self, bank, address):
        count = -1
        for synapse, target in enumerate(self.parameters.target.tolist()):
            count += target % self.parameters.config.banks == bank
            if count == address:
                return synapse
        raise AssertionError("no such word")


def test_an_equal_rtl_agrees_in_every_record():
    picks = choose(PLAN, SUBJECT, 30)
    simulator = Imitation(SUBJECT.parameters)
    report = replay(PLAN, SUBJECT, simulator, picks, stall=0.2, seed=9)
    assert (report["rows"], report["mismatches"], report["difference"]) == (30, 0, None)
    assert report["records"] == sum(pick["records"] for pick in report["picks"]) > 1000
    assert simulator.options == {"stall": 0.2, "seed": 9}
    assert {(p["kind"], p["level"]) for p in report["picks"]} == {
        (kind.name, level) for kind, level, _ in PLAN.cells()}


def test_parts_of_a_replay_give_the_whole(monkeypatch):
    picks = choose(PLAN, SUBJECT, 30)
    whole = replay(PLAN, SUBJECT, Imitation(SUBJECT.parameters), picks)
    monkeypatch.setattr("ranvier.sim.noise.replay.AT_ONCE", 7)
    assert replay(PLAN, SUBJECT, Imitation(SUBJECT.parameters), picks) == whole


def test_a_wrong_record_is_reported():
    picks = choose(PLAN, SUBJECT, 12)
    row = PLAN.rows[picks[7].row]
    target = row.kind.events(row.change, SUBJECT, picks[7].sample)
    assert len(target)

    def spoil(events, run):
        if not np.array_equal(events.ticks, target.ticks):
            return run
        trace = run.trace.copy()
        trace["p"][4] += 1
        return replace(run, trace=trace)

    report = replay(PLAN, SUBJECT, Imitation(SUBJECT.parameters, spoil), picks)
    wrong = [p for p in report["picks"] if p["difference"]]
    assert report["mismatches"] == len(wrong) >= 1
    assert picks[7].row in [p["row"] for p in wrong]
    first = wrong[0]
    assert report["difference"].startswith(
        f"row {first['row']} ({first['kind']} {first['level']}, instance {first['instance']}), "
        f"sample {first['sample']}: record 4, tick ")
    assert ": p is " in report["difference"]
    assert "the 4 records before it" in report["difference"]


def test_flips_that_the_rtl_misses_are_found():
    """The model alone has the flips: that's seen wherever one matters."""
    picks = [Pick(i, 1) for i, row in enumerate(PLAN.rows) if row.level == 0.1]

    class Deaf(Imitation):
        def run(self, samples, *, flips=(), **options):
            return super().run(samples, flips=[[] for _ in samples], **options)

    assert replay(PLAN, SUBJECT, Imitation(SUBJECT.parameters), picks)["mismatches"] == 0
    assert replay(PLAN, SUBJECT, Deaf(SUBJECT.parameters), picks)["mismatches"] == len(picks)


def test_a_wrong_decision_is_a_mismatch():
    def spoil(events, run):
        return replace(run, decision=run.decision + 1)

    report = replay(PLAN, SUBJECT, Imitation(SUBJECT.parameters, spoil), [Pick(3, 3)])
    assert report["mismatches"] == 1
    assert "sample 3: decision is " in report["difference"]


def test_a_core_that_hangs_spoils_its_own_row_alone():
    picks = choose(PLAN, SUBJECT, 8)
    row = PLAN.rows[picks[5].row]
    target = row.kind.events(row.change, SUBJECT, picks[5].sample)

    def spoil(events, run):
        if np.array_equal(events.ticks, target.ticks):
            raise HangError("sample 0: the core moved no word for 99 cycles")
        return run

    report = replay(PLAN, SUBJECT, Imitation(SUBJECT.parameters, spoil), picks)
    assert report["rows"] == 8
    assert 1 <= report["mismatches"] < 8
    assert report["difference"].endswith("the core moved no word for 99 cycles")


@pytest.mark.parametrize(("counters", "silent"), [
    ({"input_events": -2}, 2), ({"input_events": -3, "dropped": 1}, 2),
    ({"input_events": -1, "dropped": 1}, 0), ({"input_events": 1}, 0)])
def test_events_that_no_counter_knows_are_silent(counters, silent):
    picks, runs = choose(PLAN, SUBJECT, 8), []

    def spoil(events, run):
        runs.append(run)
        if len(runs) != 6:
            return run
        return replace(run, counters=run.counters | {
            name: run.counters[name] + added for name, added in counters.items()})

    simulator = Imitation(SUBJECT.parameters, spoil)
    assert replay(PLAN, SUBJECT, Imitation(SUBJECT.parameters), picks)["silent"] == 0
    report = replay(PLAN, SUBJECT, simulator, picks)
    assert [pick["silent"] for pick in report["picks"]] == [*[0] * 5, silent, 0, 0]
    assert (report["silent"], report["mismatches"]) == (silent, 1)


def test_picks_are_spread_and_differ():
    picks = choose(PLAN, SUBJECT, 13)
    assert len(set(picks)) == 13
    assert picks == sorted(picks, key=lambda pick: (pick.row, pick.sample))
    kinds = Counter(PLAN.rows[p.row].kind.name for p in picks)
    assert kinds == {"input_jitter": 5, "event_loss": 4, "weight_flips": 4}
    levels = Counter((PLAN.rows[p.row].kind.name, PLAN.rows[p.row].level) for p in picks)
    assert sorted(levels.values()) == [2, 2, 2, 3, 4]
    assert picks == choose(PLAN, SUBJECT, 13)
    other = replace(PLAN, seed=4)
    assert picks != choose(other, SUBJECT, 13)


@pytest.mark.parametrize(("count", "kinds"), [(0, 0), (1, 1), (3, 3), (5, 3)])
def test_few_picks_are_spread_over_the_kinds(count, kinds):
    picks = choose(PLAN, SUBJECT, count)
    assert len(picks) == count
    assert len({PLAN.rows[p.row].kind.name for p in picks}) == kinds


def test_more_picks_than_there_are_give_all():
    picks = choose(PLAN, SUBJECT, 1000)
    assert len(set(picks)) == len(picks) == 15 + 2 * 3 * 5


def test_picks_outside_the_plan_are_refused():
    simulator = Imitation(SUBJECT.parameters)
    with pytest.raises(ValueError, match="Row must be from 0 to 20 in this plan, not 21"):
        replay(PLAN, SUBJECT, simulator, [Pick(21, 0)])
    with pytest.raises(ValueError, match=r"Sample of row 2 \(input_jitter 0.5\) must be 2, not 3"):
        replay(PLAN, SUBJECT, simulator, [Pick(2, 3)])
    with pytest.raises(ValueError, match=r"Sample of row 20 .* must be from 0 to 4, not 5"):
        replay(PLAN, SUBJECT, simulator, [Pick(20, 5)])


def test_another_design_in_the_simulator_is_refused():
    other = replace(SUBJECT.parameters, weight=SUBJECT.parameters.weight ^ 1)
    with pytest.raises(ValueError, match="Simulator must be loaded with the design"):
        replay(PLAN, SUBJECT, Imitation(other), [Pick(0, 0)])
