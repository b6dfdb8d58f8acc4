from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from ranvier.model.emulator import Emulator
from ranvier.model.protection import read_weights
from ranvier.sim.noise.kind import VERDICTS
from ranvier.sim.noise.kinds import KINDS
from ranvier.sim.noise.normal import steps
from ranvier.sim.noise.plan import draw_change
from ranvier.sim.noise.subject import Subject
from ranvier.sim.noise.values import ANALOG
from ranvier.train.samples import Dataset

from ... import naive
from . import subjects

JITTER, LOSS, FLIPS = (KINDS[name] for name in ("input_jitter", "event_loss", "weight_flips"))


def one_sample(config_of, times, channels):
    """Return a subject with the design of another and one sample of given events."""
    config = config_of.parameters.config
    dataset = Dataset(times=np.array(times), channels=np.array(channels),
                      offsets=np.array([0, len(times)]), labels=np.array([0]),
                      n_channels=config.inputs, n_classes=config.outputs)
    return Subject(config_of.parameters, dataset)


def test_kinds_are_described():
    numbers = [kind.number for kind in KINDS.values()]
    assert len(set(numbers)) == len(numbers)
    assert min(numbers) > 0  # 0 chooses replays
    for kind in KINDS.values():
        assert kind.unit
        assert kind.origin
        assert kind.meaning
        assert kind.verdict in VERDICTS
        assert kind.digital != kind.origin.startswith(ANALOG)
        assert [kind.amount(level) for level in kind.levels or (1,)]


@pytest.mark.parametrize("seed", range(12))
def test_changes_equal_plain_python(seed):
    subject = subjects.random_subject(seed, weight_bits=(8, 5, 10, 3)[seed % 4])
    for sample in range(len(subject)):
        words = subjects.input_words(subject, seed, LOSS.number, sample)
        dropped = draw_change(subject, seed, LOSS, 0.3, 0, sample)
        assert dropped.tolist() == [i for i, w in enumerate(words) if w < int(0.3 * 2**32)]
        words = subjects.input_words(subject, seed, JITTER.number, sample)
        z = [int(np.searchsorted(steps(), w, side="right")) - steps().size // 2 for w in words]
        shifts = draw_change(subject, seed, JITTER, 1.5, 0, sample)
        assert shifts.tolist() == [(1500 * n + 128) // 256 for n in z]
    for instance in (0, 3):
        flips = draw_change(subject, seed, FLIPS, 0.02, instance, None)
        assert flips.tolist() == subjects.flipped(subject, seed, FLIPS.number, instance, 0.02)


@pytest.mark.parametrize("seed", range(30))
def test_model_under_noise_equals_the_polling_oracle(seed):
    subject = subjects.random_subject(seed, samples=3)
    emulator = Emulator(subject.parameters)
    for kind, level in ((JITTER, 2.0), (LOSS, 0.3), (FLIPS, 0.02)):
        for sample in range(len(subject)):
            place = (1, None) if kind is FLIPS else (0, sample)
            change = draw_change(subject, 5, kind, level, *place)
            events = kind.events(change, subject, sample)
            expected = subjects.ticks_and_channels(subject, sample, change.tolist(), kind.name)
            assert list(zip(events.ticks.tolist(), events.channels.tolist(),
                            strict=True)) == expected
            weight = subjects.flipped_weights(subject, change.tolist() if kind is FLIPS else [])
            noisy = replace(subject.parameters, weight=np.array(weight, np.int32))
            records, decision, _ = naive.run(noisy, *zip(*expected, strict=True)) if (
                expected) else naive.run(noisy, [], [])
            result = emulator.run(events, weight=noisy.weight)
            assert [tuple(r) for r in result.trace.tolist()] == records
            assert result.decision == decision


def test_noise_changes_what_the_model_does():
    """The comparison above would be empty if no change reached a trace."""
    changed = dict.fromkeys((kind.name for kind in (JITTER, LOSS, FLIPS)), 0)
    for seed in range(30):
        subject = subjects.random_subject(seed, samples=3)
        emulator = Emulator(subject.parameters)
        for kind, level in ((JITTER, 2.0), (LOSS, 0.3), (FLIPS, 0.02)):
            change = draw_change(subject, 5, kind, level, 0, None if kind is FLIPS else 1)
            weight = subjects.flipped_weights(subject, kind.flips(change).tolist())
            noisy = emulator.run(kind.events(change, subject, 1),
                                 weight=np.array(weight, np.int32))
            clean = emulator.run(subject.clean[1])
            changed[kind.name] += not np.array_equal(noisy.trace, clean.trace)
    assert min(changed.values()) > 15


def test_higher_levels_hold_the_lower_ones():
    subject = subjects.random_subject(3, inputs=8)
    for kind, place in ((LOSS, (0, 1)), (FLIPS, (2, None))):
        rows = [{tuple(np.atleast_1d(item)) for item in
                 draw_change(subject, 1, kind, level, *place).tolist()}
                for level in (0.001, 0.01, 0.1, 0.4, 0.9, 1.0)]
        assert all(low <= high for low, high in pairwise(rows))
        assert len(rows[-1]) > len(rows[2]) > 0
    low, high = (draw_change(subject, 1, JITTER, level, 0, 1) for level in (1.0, 8.0))
    assert np.abs(high - 8 * low).max() <= 8  # one rounding each
    assert np.abs(high).max() > 2000


def test_everything_is_lost_at_probability_one():
    subject = subjects.random_subject(4)
    change = draw_change(subject, 1, LOSS, 1.0, 0, 1)
    assert len(LOSS.events(change, subject, 1)) == 0
    assert LOSS.counts(change, subject, 1) == {"events": len(subject.sample(1)[0]), "merged": 0,
                                               "dropped": len(subject.sample(1)[0])}


def test_shares_are_the_levels():
    subject = subjects.random_subject(8, samples=400, inputs=8)
    events = sum(len(subject.sample(i)[0]) for i in range(len(subject)))
    lost = sum(draw_change(subject, 1, LOSS, 0.2, 0, i).size for i in range(len(subject)))
    assert abs(lost / events - 0.2) < 4 * (0.16 / events) ** 0.5
    shifts = np.concatenate([draw_change(subject, 1, JITTER, 3.0, 0, i)
                             for i in range(len(subject))])
    assert abs(shifts.std() - 3000) < 4 * 3000 / (2 * events) ** 0.5
    assert abs(shifts.mean()) < 4 * 3000 / events**0.5
    bits = subject.parameters.weight.size * 8
    flips = sum(len(draw_change(subject, 1, FLIPS, 0.01, i, None)) for i in range(40))
    assert abs(flips / (40 * bits) - 0.01) < 4 * (0.01 / (40 * bits)) ** 0.5


def test_noise_of_an_event_is_its_own():
    """Other channels' events don't change the noise of a channel."""
    other = subjects.random_subject(0, inputs=4)
    alone = one_sample(other, [10, 20, 20, 50], [1, 1, 1, 1])
    crowd = one_sample(other, [5, 10, 10, 20, 20, 50, 50], [0, 1, 2, 1, 1, 1, 3])
    mine = np.flatnonzero(crowd.sample(0)[1] == 1)
    for kind in (JITTER, LOSS):
        one, many = (kind.draw(3, subject, 0, 0) for subject in (alone, crowd))
        np.testing.assert_array_equal(many[mine], one)
        assert len(set(many.tolist())) == many.size


def test_late_events_stay_out_and_early_ones_stay_in():
    other = subjects.random_subject(1, inputs=2, tick=1.0, ticks=60)
    subject = one_sample(other, [0, 59_000, 59_001, 70_000], [0, 1, 0, 1])
    assert subject.last_time == 59_000
    shifts = np.array([-5000, 5000])
    events = JITTER.events(shifts, subject, 0)
    assert (events.ticks.tolist(), events.channels.tolist()) == ([0, 59], [0, 1])
    assert events.late == 0
    assert JITTER.counts(shifts, subject, 0) == {
        "events": 2, "merged": 0, "moved": 2, "clamped": 2}


def test_events_that_meet_are_one_and_counted():
    other = subjects.random_subject(1, inputs=2, tick=1.0, ticks=60)
    subject = one_sample(other, [1000, 3000], [0, 0])
    shifts = np.array([1500, 0])
    assert JITTER.events(shifts, subject, 0).ticks.tolist() == [3]
    assert JITTER.counts(shifts, subject, 0) == {
        "events": 2, "merged": 1, "moved": 1, "clamped": 0}


def test_flips_do_not_depend_on_the_banks():
    one = subjects.random_subject(6, neurons=9, banks=1)
    three = Subject(replace(one.parameters, config=replace(one.parameters.config, banks=3)),
                    one.dataset)
    np.testing.assert_array_equal(*(draw_change(s, 2, FLIPS, 0.03, 0, None) for s in (one, three)))


@pytest.mark.parametrize("bits", [2, 5, 8, 12])
def test_flipped_words_stay_in_their_width(bits):
    config = subjects.random_subject(1, weight_bits=bits).parameters.config
    limit = 1 << (bits - 1)
    weight = np.arange(-limit, limit, dtype=np.int32)
    for bit in range(bits):
        flips = np.stack([np.arange(weight.size), np.full(weight.size, bit)], 1)
        flipped = read_weights(config, weight, flips).values
        assert sorted(flipped.tolist()) == weight.tolist()
        np.testing.assert_array_equal((flipped ^ weight) & (2 * limit - 1), 1 << bit)


def test_levels_become_the_nearest_integers_below():
    assert [LOSS.amount(p) for p in (2.0**-32, 0.3, 0.5, 1.0)] == [1, 1288490188, 1 << 31, 1 << 32]
    assert [JITTER.amount(sd) for sd in (0.001, 0.5, 4.1)] == [1, 500, 4100]
    words = np.array([[0, 99, 100, 0xFFFFFFFF]], np.uint32)
    assert LOSS.change(words[0], 100).tolist() == [0, 1]
    assert FLIPS.change(words, 100).tolist() == [[0, 0], [0, 1]]


@pytest.mark.parametrize(("kind", "level", "message"), [
    (JITTER, 0.0, "must be a whole number of microseconds"),
    (JITTER, 0.0005, "must be a whole number of microseconds"),
    (JITTER, 1e7, "at most 1e[+]06, not"),
    (LOSS, 0.0, r"must be from 2\*\*-32 to 1, not 0.0"),
    (LOSS, 1.1, r"must be from 2\*\*-32 to 1, not 1.1"),
    (FLIPS, 1e-10, r"must be from 2\*\*-32 to 1, not 1e-10"),
])
def test_impossible_levels_are_refused(kind, level, message):
    with pytest.raises(ValueError, match=message):
        kind.amount(level)


@pytest.mark.parametrize(("name", "most"), [("n_channels", 2), ("n_classes", 1)])
def test_data_that_do_not_fit_are_refused(name, most):
    subject = subjects.random_subject(1, inputs=2, neurons=4, outputs=1)
    with pytest.raises(ValueError, match=f"Dataset {name} must be at most {most} for this design, "
                                         f"not {most + 3}"):
        Subject(subject.parameters, replace(subject.dataset, **{name: most + 3}))
