import numpy as np
import pytest

from ranvier.sim.noise.moved import distances, moved_spikes
from ranvier.sim.noise.spiketrains import van_rossum, victor_purpura


def spikes(*places):
    return np.array(places, np.int64).reshape(-1, 2)


CLEAN = spikes((5, 0), (9, 1), (20, 0), (40, 2))
NOISY = spikes((5, 0), (8, 1), (23, 0), (60, 2), (70, 3))


def test_shifts_of_all_samples_are_counted():
    found = moved_spikes([(CLEAN, NOISY), (CLEAN, CLEAN), (spikes(), CLEAN[:1])], 5.0)
    assert {name: found[name] for name in ("clean", "missing", "extra", "shifts")} == {
        "clean": 8, "missing": 1, "extra": 3, "shifts": [[-1, 1], [0, 5], [3, 1]]}
    assert found["victor_purpura"] == [pytest.approx(1 / 5 + 3 / 5 + 2 + 1), 0, 1]
    assert found["van_rossum"] == pytest.approx(
        [van_rossum(CLEAN, NOISY, 5.0), 0, 0.5**0.5], abs=1e-6)


def test_a_spike_may_move_by_two_time_constants():
    for late, missing in ((10, 0), (11, 1)):
        found = moved_spikes([(spikes((5, 0)), spikes((5 + late, 0)))], 5.0)
        assert (found["missing"], found["extra"]) == (missing, missing)


def test_what_is_equal_at_first_changes_no_distance():
    rng = np.random.default_rng(3)
    for _ in range(20):
        one, other = (np.stack([np.sort(rng.integers(0, 60, 12)), rng.integers(0, 3, 12)], axis=1)
                      for _ in range(2))
        other[:6] = one[:6]
        assert distances(one, other, 4.0) == pytest.approx(
            (victor_purpura(one, other, 0.25), van_rossum(one, other, 4.0)), abs=1e-6)
    assert distances(CLEAN, CLEAN, 4.0) == (0, 0)
