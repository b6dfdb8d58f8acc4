import itertools

import numpy as np
import pytest

from ranvier.sim.noise.spiketrains import match_spikes, van_rossum, victor_purpura


def spikes(rng, most, neurons=1, ticks=60):
    """Return spikes sorted by tick and neuron, at most one per tick and neuron."""
    keys = np.sort(rng.permutation(ticks * neurons)[: rng.integers(most + 1)])
    return np.stack([keys // neurons, keys % neurons], 1)


def trains(one, other):
    """Return the ticks of both runs, neuron by neuron."""
    for neuron in {*one[:, 1].tolist(), *other[:, 1].tolist()}:
        yield [run[run[:, 1] == neuron, 0].tolist() for run in (one, other)]


def pairings(a, b):
    """All ways to pair some of a with as many of b, in order."""
    for pairs in range(min(len(a), len(b)) + 1):
        for left in itertools.combinations(a, pairs):
            for right in itertools.combinations(b, pairs):
                yield list(zip(left, right, strict=True))


def all_runs(seed, neurons, most):
    rng = np.random.default_rng(seed)
    for _ in range(30):
        yield spikes(rng, most, neurons), spikes(rng, most, neurons)


@pytest.mark.parametrize("neurons", [1, 3])
@pytest.mark.parametrize("window", [0, 3, 20])
def test_pairs_are_the_best_of_all(neurons, window):
    for one, other in all_runs(1, neurons, 6):
        pairs = shift = 0
        for a, b in trains(one, other):
            ways = [[abs(x - y) for x, y in way] for way in pairings(a, b)]
            best = max((len(way), -sum(way)) for way in ways if max(way, default=0) <= window)
            pairs, shift = pairs + best[0], shift - best[1]
        found = match_spikes(one, other, window)
        assert (len(found.shifts), np.abs(found.shifts).sum()) == (pairs, shift)
        assert (found.missing, found.extra) == (len(one) - pairs, len(other) - pairs)
        assert found.count_change == len(other) - len(one)


def test_shifts_have_a_sign_and_an_order():
    clean = np.array([[10, 0], [20, 0], [30, 2], [40, 0]])
    faulty = np.array([[9, 0], [22, 0], [33, 2], [40, 0]])
    assert match_spikes(clean, faulty, 5).shifts.tolist() == [-1, 2, 0, 3]
    assert match_spikes(clean, faulty, 1).shifts.tolist() == [-1, 0]


@pytest.mark.parametrize("neurons", [1, 3])
@pytest.mark.parametrize("cost", [0.0, 0.05, 0.5, 3.0])
def test_victor_purpura_is_the_cheapest_of_all_edits(neurons, cost):
    for one, other in all_runs(2, neurons, 6):
        expected = sum(min(len(a) + len(b) - 2 * len(way) + cost * sum(abs(x - y) for x, y in way)
                           for way in pairings(a, b)) for a, b in trains(one, other))
        assert victor_purpura(one, other, cost) == pytest.approx(expected, abs=1e-12)


def test_victor_purpura_without_a_cost_counts():
    rng = np.random.default_rng(3)
    one, other = spikes(rng, 40), spikes(rng, 40)
    assert victor_purpura(one, other, 0) == abs(len(one) - len(other))
    assert victor_purpura(one, one, 1) == 0


@pytest.mark.parametrize("tau", [4.0, 25.0])
def test_van_rossum_is_the_integral(tau):
    """The filtered trains on a fine grid, which is off by a share of step / tau."""
    step = 0.01
    grid = np.arange(0, 60 + 12 * tau, step)
    for one, other in itertools.islice(all_runs(4, 3, 12), 5):
        expected = 0
        for a, b in trains(one, other):
            curve = [sum(np.exp(-np.maximum(grid - t, 0) / tau) * (grid >= t) for t in ticks)
                     for ticks in (a, b)]
            expected += np.sum(np.square(curve[0] - np.array(curve[1]))) * step / tau
        assert van_rossum(one, other, tau) ** 2 == pytest.approx(expected, rel=5e-3, abs=1e-9)


def test_van_rossum_of_far_and_near_spikes():
    one, far = np.array([[0, 0]]), np.array([[100_000, 0]])
    assert van_rossum(one, far, 5) == pytest.approx(1)
    assert van_rossum(one, far[:0], 5) == pytest.approx(0.5**0.5)
    assert van_rossum(one, np.array([[0, 1]]), 5) == pytest.approx(1)  # of another neuron
    assert van_rossum(one, one, 5) == 0


@pytest.mark.parametrize("distance", [victor_purpura, van_rossum])
def test_distances_are_distances(distance):
    rng = np.random.default_rng(5)
    for _ in range(50):
        a, b, c = (spikes(rng, 30, 4) for _ in range(3))
        assert distance(a, a, 2.0) == 0
        assert distance(a, b, 2.0) == pytest.approx(distance(b, a, 2.0))
        assert distance(a, c, 2.0) <= distance(a, b, 2.0) + distance(b, c, 2.0) + 1e-9


@pytest.mark.parametrize("measure", [match_spikes, victor_purpura, van_rossum])
def test_order_of_the_spikes_is_nothing(measure):
    rng = np.random.default_rng(6)
    one, other = spikes(rng, 40, 5), spikes(rng, 40, 5)
    mixed = measure(rng.permutation(one), rng.permutation(other), 3)
    plain = measure(one, other, 3)
    assert getattr(mixed, "shifts", mixed) == pytest.approx(getattr(plain, "shifts", plain))


def test_no_spikes_at_all():
    none = np.empty((0, 2), np.int64)
    assert len(match_spikes(none, none, 3).shifts) == 0
    assert victor_purpura(none, none, 1) == van_rossum(none, none, 1) == 0


@pytest.mark.parametrize(("measure", "number", "text"), [
    (match_spikes, -1, "Window must be 0 ticks at least, not -1"),
    (victor_purpura, float("inf"), "Cost must be 0 or more per tick and finite, not inf"),
    (van_rossum, 0, "Time constant must be above 0 ticks, not 0")])
def test_numbers_that_cannot_be(measure, number, text):
    with pytest.raises(ValueError, match=f"^{text}$"):
        measure(np.array([[1, 0]]), np.array([[1, 0]]), number)
