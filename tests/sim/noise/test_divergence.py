from ranvier.model.emulator import Emulator
from ranvier.model.protection import read_weights
from ranvier.sim.compare import spikes_of
from ranvier.sim.noise.campaign import HEADER, run_faults
from ranvier.sim.noise.divergence import critical_spikes
from ranvier.sim.noise.faults import draw_faults, effect

from . import subjects

SUBJECT = subjects.random_subject(14, samples=6, inputs=8, neurons=12, outputs=4,
                                  readout="spike-count", synapse="exponential", adaptive=True)


def spikes_under(fault):
    parameters, flips, upsets = effect(SUBJECT, fault)
    weight = read_weights(parameters.config, parameters.weight, flips).values
    result = Emulator(parameters).run(SUBJECT.clean[fault.sample], weight=weight, upsets=upsets)
    return result.decision, spikes_of(result.trace).tolist()


def at(spikes, tick):
    return [spike for spike in spikes if spike[0] == tick]


def test_critical_faults_are_shown_from_before_they_differ_to_after_a_spike_does():
    config = SUBJECT.parameters.config
    margin = round(4 * config.tau_s / config.tick)
    faults = draw_faults(SUBJECT, 5, 7 * 60)
    records = [dict(zip(HEADER, (i, *fault, *row), strict=True))
               for i, (fault, row) in enumerate(zip(faults, run_faults(SUBJECT, faults),
                                                    strict=True))]
    critical = [record["fault"] for record in records if record["outcome"] == "critical"]
    begins, waits = set(), set()
    for i in critical:
        shown, fault = critical_spikes(SUBJECT, records[i:]), faults[i]
        assert {name: shown[name] for name in HEADER} == records[i]
        clean = Emulator(SUBJECT.parameters).run(SUBJECT.clean[fault.sample])
        one, (decision, other) = spikes_of(clean.trace).tolist(), spikes_under(fault)
        assert (shown["before"], shown["decision"]) == (clean.decision, decision)
        moved = next(tick for tick in range(config.ticks) if at(one, tick) != at(other, tick))
        assert shown["begin"] == max(0, shown["divergence_tick"] - margin)
        assert shown["end"] == min(config.ticks, moved + margin)
        for spikes, name in ((one, "clean"), (other, "faulty")):
            assert shown[name] == [spike for spike in spikes
                                   if shown["begin"] <= spike[0] < shown["end"]]
        begins.add(shown["begin"])
        waits.add(moved - shown["divergence_tick"])
    assert len(begins) > 1
    assert len(waits) > 1
    assert critical_spikes(SUBJECT, records)["fault"] == critical[0] > 0
    assert critical_spikes(SUBJECT, records[: critical[0]]) is None


def test_a_critical_fault_that_moves_no_spike_is_passed_over():
    assert critical_spikes(SUBJECT, [{"outcome": "critical", "van_rossum": 0.0}]) is None
