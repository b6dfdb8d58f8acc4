import pytest

from ranvier.sim.noise.budget import critical_budget, upset_budget


def test_a_megabit_and_a_half_on_the_ground():
    budget = upset_budget(1_390_000, 75)
    assert budget.fit == pytest.approx(104.25)
    assert budget.years == pytest.approx(1090, rel=0.005)
    assert upset_budget(1_390_000, 1000).years == pytest.approx(82, rel=0.005)


def test_a_thousand_devices_share_the_years():
    assert upset_budget(10**9, 100).years == pytest.approx(upset_budget(10**6, 100).years / 1000)


def test_no_rate_no_upset():
    assert upset_budget(10**6, 0).years == float("inf")


def test_negative_rates_are_refused():
    with pytest.raises(ValueError, match=r"^Bits and rate must not be negative, not 5 and -1$"):
        upset_budget(5, -1)


def test_the_years_between_critical_upsets_are_longer_by_their_share():
    campaign = {"critical": 0.02, "interval": [0.0, 0.05],
                "memories": {"weights": {"bits": 900_000}, "P": {"bits": 490_000}}}
    found = critical_budget(campaign, 75)
    years = upset_budget(1_390_000, 75).years
    assert found == {
        "fit_per_mbit": 75, "bits": 1_390_000, "fit": pytest.approx(104.25), "years": years,
        "critical": 0.02, "interval": [0.0, 0.05], "critical_years": pytest.approx(50 * years),
        "critical_interval": [pytest.approx(20 * years), None]}
    harmless = critical_budget({**campaign, "critical": 0.0}, 75)
    assert harmless["critical_years"] is None
