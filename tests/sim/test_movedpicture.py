import re

import numpy as np
import pytest

from ranvier.sim import pictures
from ranvier.sim.movedpicture import _histogram, moved_picture

from .test_faultspicture import words
from .test_pictures import svg


def level(at, shifts, distances=(2.0, 4.0)):
    return {"level": at, "spikes": {"clean": 100, "shifts": shifts, "victor_purpura": distances,
                                    "van_rossum": [far / 4 for far in distances]}}


LEVELS = [level(0.1, [[0, 100]], (0.0, 0.0)), level(1.0, [[-2, 20], [0, 40], [1, 20]])]


def draw(levels=LEVELS, tick=0.5):
    return moved_picture(levels, unit="ms", tick=tick)


def lines(picture):
    """Points of the lines of 1.2 points in their order, (points, 2) each."""
    return [np.array(re.findall(r"[ML] (\S+) (\S+)", path), float) for path in re.findall(
        r'<path d="([^"]*)" clip-path[^>]*stroke-width: 1.2', svg(picture.light))]


def test_spikes_that_are_found_are_a_staircase_to_their_share():
    picture = draw()
    assert picture == draw()
    assert {"0.1", "1", "found so near or nearer, ms", "van Rossum"} <= {*words(picture.light)}
    # The means of a distance, two histograms, two staircases, the means of the other distance.
    first, _, _, all_, most, second = lines(picture)
    for means in (first, second):
        assert len(means) == 2
        assert means[0, 1] > means[1, 1]
    bottom, top = all_[0, 1], all_[-1, 1]
    corners = (most - most[0]) / (most[-1, 0] - most[0, 0], top - bottom)
    assert list(dict.fromkeys(map(tuple, (corners + 1e-9).round(3).tolist()))) == [
        (0, 0), (0, 0.4), (0.329, 0.4), (0.329, 0.6), (0.658, 0.6), (0.658, 0.8), (1, 0.8)]
    assert pictures.DARK.first in svg(picture.dark)


def test_shifts_of_either_sign_are_counted_once_in_a_bin():
    shifts = np.array([[far, 1] for far in range(-100, 101)])
    centres, counts = _histogram(shifts, 100)
    assert counts.sum() == 201
    assert len(centres) <= 41 + 4
    np.testing.assert_array_equal(counts, counts[::-1])
    assert centres[counts == counts.max()] == pytest.approx(np.arange(-95, 100, 5))
    centres, counts = _histogram(np.array([[-2, 5], [1, 3]]), 2)
    assert dict(zip(centres.tolist(), counts.tolist(), strict=True)) == {
        -3: 0, -2: 5, -1: 0, 0: 0, 1: 3, 2: 0, 3: 0}


def test_noise_that_moves_nothing_and_samples_without_spikes_make_pictures_too():
    svg(draw(LEVELS[:1]).light)
    none = {"clean": 0, "shifts": [], "victor_purpura": [0.0], "van_rossum": [0.0]}
    svg(draw([{"level": 0.1, "spikes": none}]).light)
