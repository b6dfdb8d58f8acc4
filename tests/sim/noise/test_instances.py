import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import bootstrap

from ranvier.sim.noise.instances import compare_instances, spread, tolerance_bound


def chips(rng, instances, mean=1.3, sd=0.4, samples=200):
    """Return outcomes of chips that are right with probabilities ndtr(normal)."""
    return rng.random((instances, samples)) < ndtr(rng.normal(mean, sd, (instances, 1)))


def test_figures_of_instances():
    right = np.arange(20)[None] < np.arange(1, 21)[:, None]  # 5, 10, ..., 100 %
    found = spread(right, seed=1)
    assert found.mean == pytest.approx(0.525)
    assert found.least == pytest.approx(0.05)
    assert found.low == pytest.approx(0.05 + 0.95 * 0.05)
    assert found.bound is None
    assert found.interval[0] < 0.525 < found.interval[1]


def test_intervals_are_those_of_scipy():
    """Its own draws are others; 4000 of them leave the ends uncertain by a few percent."""
    right = chips(np.random.default_rng(2), 30)
    shares = right.mean(1)
    expected = bootstrap((shares,), np.mean, n_resamples=20_000, method="BCa", rng=3)
    width = np.diff(expected.confidence_interval)[0]
    np.testing.assert_allclose(spread(right, seed=4).interval, expected.confidence_interval,
                               atol=0.04 * width)


def test_intervals_depend_on_the_seed_alone():
    """On any machine, with any version of NumPy."""
    right = np.arange(100) < np.array([[93, 90, 91, 85, 94, 88, 79, 92, 93, 90]]).T
    assert spread(right, seed=6) == spread(right, seed=6)
    assert spread(right, seed=6).interval != spread(right, seed=7).interval
    assert spread(right, seed=6).interval == pytest.approx((0.857136822, 0.915), rel=1e-8)


def test_order_of_samples_is_nothing():
    rng = np.random.default_rng(8)
    right = chips(rng, 13)
    assert spread(right, seed=1) == spread(rng.permuted(right, axis=1), seed=1)


def test_equal_instances_have_no_width():
    right = np.tile([True, False, True, True], (5, 1))
    assert spread(right, seed=1).interval == (0.75, 0.75)


def test_one_instance_is_refused():
    with pytest.raises(ValueError,
                       match=r"^Instances must be at least 2 for an interval, not 1$"):
        spread(np.ones((1, 10), bool), seed=1)


@pytest.mark.parametrize(("instances", "least", "most"), [(59, 0.92, 0.98), (10, 0.85, 0.94)])
def test_intervals_cover_the_mean_of_all_instances(instances, least, most):
    """With few instances less often; taken as independent, trials would give far too small ones."""
    rng = np.random.default_rng(9)
    truth = ndtr(1.3 / np.hypot(1, 0.4))
    cover = naive = 0
    rounds = 300
    for _ in range(rounds):
        right = chips(rng, instances)
        low, high = spread(right, seed=int(rng.integers(1 << 32))).interval
        cover += low <= truth <= high
        half = 1.96 * np.sqrt(right.mean() * (1 - right.mean()) / right.size)
        naive += abs(right.mean() - truth) <= half
    assert least * rounds < cover < most * rounds
    assert naive < 0.75 * rounds


def test_comparison_pairs_instances():
    """The chips differ far more than the networks do."""
    rng = np.random.default_rng(10)
    cover = found = 0
    rounds = 200
    truth = ndtr(1.4 / np.hypot(1, 0.6)) - ndtr(1.3 / np.hypot(1, 0.6))
    for _ in range(rounds):
        chip, sample = rng.normal(0, 0.6, (30, 1)), rng.random((30, 400))
        first, second = sample < ndtr(1.3 + chip), sample < ndtr(1.4 + chip)
        difference, (low, high) = compare_instances(first, second, seed=int(rng.integers(1 << 32)))
        assert difference == pytest.approx(second.mean() - first.mean())
        cover += low <= truth <= high
        found += low > 0
    assert 0.9 * rounds < cover < 0.98 * rounds
    assert found == rounds


def test_comparison_needs_the_same_instances():
    text = r"^Outcomes must have the same instances and samples, not shapes \(3, 5\) and \(4, 5\)$"
    with pytest.raises(ValueError, match=text):
        compare_instances(np.ones((3, 5), bool), np.ones((4, 5), bool), seed=1)


@pytest.mark.parametrize(("instances", "rank"), [(58, None), (59, 1), (92, 1), (93, 2), (124, 3)])
def test_bound_is_an_order_statistic(instances, rank):
    """93 and 124 are the next sizes of Wilks's table for 95 %/95 %."""
    outcomes = np.random.default_rng(11).permutation(instances) + 1.0
    assert tolerance_bound(outcomes) == rank


@pytest.mark.parametrize(("instances", "content"), [(59, 0.95), (29, 0.9), (100, 0.9)])
def test_bound_holds_as_often_as_it_says(instances, content):
    """Of uniform outcomes the share above a bound is 1 less the bound."""
    drawn = np.random.default_rng(12).random((3000, instances))
    holds = np.mean([1 - tolerance_bound(row, content) >= content for row in drawn])
    assert 0.94 < holds < 0.985
