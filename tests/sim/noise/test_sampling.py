import math

import numpy as np
import pytest

from ranvier.sim.noise.sampling import (
    fault_sample,
    instances_needed,
    pooled_share,
    stratified_sample,
)


@pytest.mark.parametrize(("margin", "confidence", "size"), [
    (0.05, 0.95, 385), (0.03, 0.95, 1068), (0.01, 0.95, 9604), (0.01, 0.99, 16_587)])
def test_sizes_that_are_known(margin, confidence, size):
    assert fault_sample(10**9, margin, confidence) == size


def test_faults_without_end():
    assert fault_sample(math.inf, 0.05) == 385
    # 16,587.24: a little more than the number that is quoted.
    assert fault_sample(math.inf, 0.01, 0.99) == 16_588


@pytest.mark.parametrize("faults", [1, 2, 10])
def test_few_faults_are_all_drawn(faults):
    assert fault_sample(faults, 0.01) == faults


def test_margin_holds():
    """Of 2000 faults, half of which do harm: so is the share of samples within the margin."""
    rng = np.random.default_rng(1)
    size = fault_sample(2000, 0.05)
    hits = rng.hypergeometric(1000, 1000, size, 20_000)
    inside = np.mean(np.abs(hits / size - 0.5) <= 0.05)
    assert 0.945 < inside < 0.96


@pytest.mark.parametrize(("arguments", "text"), [
    ((0, 0.05), "Number of faults must be at least 1, not 0"),
    ((10, 0.5), "Margin must be above 0 and below 0.5, not 0.5"),
    ((10, 0.05, 1.0), "Confidence must be above 0 and below 1, not 1.0")])
def test_sizes_that_cannot_be(arguments, text):
    with pytest.raises(ValueError, match=f"^{text}$"):
        fault_sample(*arguments)


def test_each_stratum_has_the_margin():
    faults = {"weights": 10**9, "theta0": 100}
    assert stratified_sample(faults, 0.05) == {"weights": 385, "theta0": 80}


def test_strata_count_by_their_faults():
    share, _ = pooled_share({"a": 50, "b": 0}, {"a": 100, "b": 100}, {"a": 1000, "b": 9000})
    assert share == pytest.approx(0.05)


def test_strata_that_were_drawn_whole_are_certain():
    assert pooled_share({"a": 3, "b": 1}, {"a": 4, "b": 6}, {"a": 4, "b": 6}) == (
        pytest.approx(0.4), (pytest.approx(0.4), pytest.approx(0.4)))


def test_a_stratum_without_a_drawn_fault_is_refused():
    text = "Stratum b must have 1 to 6 drawn faults, not 0"
    with pytest.raises(ValueError, match=f"^{text}$"):
        pooled_share({"a": 3, "b": 0}, {"a": 4, "b": 0}, {"a": 4, "b": 6})


def test_pooled_intervals_cover():
    rng = np.random.default_rng(2)
    faults, harm = {"a": 20_000, "b": 500, "c": 4000}, {"a": 0.02, "b": 0.6, "c": 0.3}
    sizes = stratified_sample(faults, 0.05)
    truth = sum(faults[s] * harm[s] for s in faults) / sum(faults.values())
    cover, rounds = 0, 2000
    for _ in range(rounds):
        hits = {s: rng.hypergeometric(round(faults[s] * harm[s]),
                                      round(faults[s] * (1 - harm[s])), sizes[s]) for s in faults}
        _, (low, high) = pooled_share(hits, sizes, faults)
        cover += low <= truth <= high
    assert 0.94 * rounds < cover < 0.98 * rounds


@pytest.mark.parametrize(("content", "instances"), [(0.95, 59), (0.9, 29), (0.99, 299)])
def test_instances_of_wilks(content, instances):
    assert instances_needed(content, 0.95) == instances


def test_shares_that_cannot_be():
    with pytest.raises(ValueError, match=r"^Content must be above 0 and below 1, not 1$"):
        instances_needed(1)
