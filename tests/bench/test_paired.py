"""Paired differences and their intervals."""

import numpy as np
import paired
import pytest
import rows.accuracy
from registry import Context
from scipy.stats import ttest_rel


def test_interval_is_that_of_the_paired_t_test():
    rng = np.random.default_rng(1)
    first, second = rng.normal(97, 1, 5), rng.normal(82, 3, 5)
    found = paired.paired(first, second)
    low, high = ttest_rel(first, second).confidence_interval(0.95)
    np.testing.assert_allclose([found["low"], found["high"]], [low, high])
    assert found["mean"] == pytest.approx(np.mean(first) - np.mean(second))


def test_one_pair_has_no_interval():
    assert paired.paired([3.0], [1.0]) == {"mean": 2.0, "low": None, "high": None}


def test_what_is_no_pair_is_refused():
    with pytest.raises(ValueError, match="as many values, not 5 and 4"):
        paired.paired(np.zeros(5), np.zeros(4))
    with pytest.raises(ValueError, match="at least one, not none"):
        paired.interval([])


def some_seeds(context, name, source, changes=None):
    """Stand for `run_seeds`: five accuracies that depend on the name."""
    values = [90.0 + (len(name) * seed) % 7 for seed in range(5)]
    return {"float": {"mean": float(np.mean(values))}, "seeds": values}


def test_braille_tells_what_delays_and_adaptation_add(tmp_path, monkeypatch):
    monkeypatch.setattr(rows.accuracy, "run_seeds", some_seeds)
    monkeypatch.setattr(rows.accuracy, "user_file", lambda *parts: tmp_path.joinpath(*parts))
    means, detail = rows.accuracy.braille(Context(results=tmp_path))
    gains = detail["differences"]
    assert list(gains) == ["all - no delays", "all - no adaptation"]
    assert gains["all - no delays"]["mean"] == pytest.approx(means[0] - means[1])
    assert gains["all - no delays"] == paired.paired(
        detail["all"]["seeds"], detail["no delays"]["seeds"])


def test_ablations_tell_what_each_variant_lacks(tmp_path, monkeypatch):
    monkeypatch.setattr(rows.accuracy, "run_seeds", some_seeds)
    _, detail = rows.accuracy.ablation_yinyang(Context(results=tmp_path))
    for how in ("equal neurons", "equal parameters"):
        gains = detail["differences"][how]
        assert list(gains) == [f"all - {name}" for name in rows.accuracy.VARIANTS[:3]]
