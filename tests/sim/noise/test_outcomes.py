from dataclasses import replace
from operator import eq, lt

import numpy as np
import pytest

from ranvier.model.emulator import Emulator, Result
from ranvier.model.events import TRACE
from ranvier.sim.compare import spikes_of
from ranvier.sim.noise.outcomes import Outcome, Place, classify, first_divergence
from ranvier.sim.simulation import Run

from . import subjects

TOUCHES = np.array([(2, 0, 0, 5, 1, 0), (2, 3, 1, 9, 2, 1), (4, 0, 1, 8, 1, 1), (7, 3, 0, 1, 0, 1)],
                   TRACE)


def result(touches=TOUCHES, decision=1, scores=(0, 2)):
    return Result(touches, decision, np.array(scores), np.zeros(9, np.int64))


def run(touches=TOUCHES, decision=1, scores=(0, 2), spikes=None):
    return Run(touches, spikes_of(touches) if spikes is None else spikes, decision,
               np.array(scores), {})


def changed(at, **fields):
    touches = TOUCHES.copy()
    for name, value in fields.items():
        touches[name][at] = value
    return touches


CASES = {
    Outcome.HANG: (None, {}),
    Outcome.DETECTED: ({"decision": 0}, {"detected": 1, "corrected": 1}),
    Outcome.CRITICAL: ({"decision": 0, "touches": changed(2, fired=0)}, {"corrected": 1}),
    Outcome.TOLERABLE: ({"touches": changed(2, fired=0)}, {"corrected": 1, "lingers": True}),
    Outcome.CORRECTED: ({"touches": changed(3, p=2)}, {"corrected": 1, "lingers": True}),
    Outcome.LATENT: ({"touches": changed(3, p=2)}, {}),
    Outcome.MASKED: ({"touches": changed(0, p=2)}, {}),
}


def test_classes_are_in_order():
    assert list(CASES) == list(Outcome)


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("kind", [result, run])
def test_first_class_that_fits_counts(outcome, kind):
    fields, protections = CASES[outcome]
    faulty = None if fields is None else kind(**fields)
    assert classify(result(), faulty, **protections) is outcome


def test_the_same_is_masked():
    assert classify(run(), result()) is Outcome.MASKED


def test_an_unused_fault_in_a_memory_is_latent():
    assert classify(result(), result(), lingers=True) is Outcome.LATENT


def test_other_readout_values_are_tolerable():
    assert classify(result(), result(scores=(1, 2))) is Outcome.TOLERABLE


def test_a_spike_that_is_lost_on_its_way_is_tolerable():
    """The neuron fired, but the spike didn't leave the core."""
    assert classify(result(), run(spikes=spikes_of(TOUCHES)[:-1])) is Outcome.TOLERABLE


def test_a_neuron_that_is_touched_no_more_is_latent():
    assert classify(result(), result(TOUCHES[:3])) is Outcome.LATENT


def test_nothing_happened_in_both():
    assert classify(result(TOUCHES[:0]), result(TOUCHES[:0])) is Outcome.MASKED
    assert first_divergence(result(TOUCHES[:0]), result(TOUCHES[:0])) is None


@pytest.mark.parametrize(("touches", "place"), [
    (TOUCHES, None),
    (changed(1, a=7), (2, 3)),
    (changed(2, neuron=1), (4, 0)),
    (np.delete(TOUCHES, 1), (2, 3)),
    (np.delete(TOUCHES, 3), (7, 3)),
    (np.insert(TOUCHES, 3, (4, 2, 0, 1, 1, 1)), (4, 2)),
    (np.insert(TOUCHES, 4, (9, 0, 0, 1, 1, 1)), (9, 0))])
def test_first_record_that_differs(touches, place):
    assert first_divergence(result(), result(touches)) == place
    assert first_divergence(run(touches), result()) == place


def test_first_spike_that_differs():
    late = spikes_of(TOUCHES) + np.array([[0, 0], [1, 0]])
    assert first_divergence(result(), run(spikes=late)) == Place(4, 0)
    assert first_divergence(result(), run(changed(1, p=3), spikes=late)) == Place(2, 3)


def test_flipped_weights_of_a_network():
    """One flip at a time: each class says what it says, and the divergence is where it began."""
    subject = subjects.random_subject(4, samples=4, inputs=8, neurons=12, outputs=4,
                                      readout="spike-count")
    emulator, weight = Emulator(subject.parameters), subject.parameters.weight
    found = set()
    for synapse in range(0, weight.size, max(1, weight.size // 40)):
        flips = [[synapse, subject.parameters.config.weight_bits - 1]]
        flipped = np.array(subjects.flipped_weights(subject, flips), np.int32)
        for events in subject.clean:
            clean, faulty = emulator.run(events), emulator.run(events, weight=flipped)
            outcome = classify(clean, faulty)
            found.add(outcome)
            place = first_divergence(clean, faulty)
            if outcome is Outcome.MASKED:
                continue
            assert (outcome is Outcome.CRITICAL) == (clean.decision != faulty.decision)
            before, there = ([[record for record in run.trace.tolist() if fits(record[:2], place)]
                              for run in (clean, faulty)] for fits in (lt, eq))
            assert before[0] == before[1]
            assert there[0] != there[1]
    assert found >= {Outcome.CRITICAL, Outcome.TOLERABLE, Outcome.MASKED}


def test_a_run_may_be_compared_with_a_result():
    clean = result()
    assert first_divergence(clean, replace(clean, decision=0)) is None
