"""The Yin-Yang set against values of the published one."""

import numpy as np
import pytest

from ranvier.train.yinyang import SEEDS, draw, yinyang

SIZES = {"train": 5000, "validation": 1000, "test": 1000}

# First points, sums of x and y, first labels and counts of labels.
PUBLISHED = {
    "train": (
        [
            [0.6803075385877797, 0.450499251969543],
            [0.09767211400638387, 0.6842330265121569],
            [0.7553614103176525, 0.4251558744912447],
            [0.5978999788110851, 0.9218742350231168],
            [0.32533033076326434, 0.388677289689482],
            [0.27599918202254337, 0.2962735057040824],
            [0.7722447692966574, 0.1987156815341724],
            [0.24929222914887494, 0.41038292303562973],
        ],
        [2528.322456568826, 2505.766861748282],
        [2, 1, 2, 1, 1, 1, 0, 2, 2, 0, 1, 1, 1, 2, 1, 2],
        [1681, 1702, 1617],
    ),
    "validation": (
        [
            [0.6805727261759029, 0.3209733938933629],
            [0.6685157172603458, 0.9174478488708967],
            [0.8019778902252007, 0.17902872922296542],
            [0.5132378121429716, 0.23917082477347973],
            [0.728456487385402, 0.4217580375664549],
            [0.3730213948313804, 0.5836060397280871],
            [0.12622394470640497, 0.3228915299988052],
            [0.5822246482306267, 0.8726010603641128],
        ],
        [496.40889648664484, 493.64854666561956],
        [0, 1, 0, 0, 2, 1, 1, 1, 1, 2, 2, 2, 2, 1, 2, 2],
        [316, 336, 348],
    ),
    "test": (
        [
            [0.23409664559563403, 0.4017249751828972],
            [0.7513290219574494, 0.4682425192680968],
            [0.13832530718825586, 0.570953971325061],
            [0.1109233190605734, 0.5798201746729698],
            [0.11271575614356144, 0.5242526831177013],
            [0.27261029865890696, 0.5351041023019584],
            [0.7965082753502293, 0.4195421433980785],
            [0.41396319712346585, 0.2667732915213632],
        ],
        [498.25698934847486, 488.7802356777889],
        [2, 2, 1, 1, 1, 2, 2, 0, 2, 2, 0, 1, 1, 1, 1, 1],
        [350, 316, 334],
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_points_and_labels_are_the_published_ones(name):
    first, sums, labels, counts = PUBLISHED[name]
    points, got = draw(SIZES[name], SEEDS[name])
    np.testing.assert_array_equal(points[:8], first)
    # Only the order of a sum of 5000 numbers below 1 is numpy's choice.
    np.testing.assert_allclose(points.sum(axis=0), sums, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(got[:16], labels)
    np.testing.assert_array_equal(np.bincount(got), counts)


def test_events_are_the_coordinates_in_time():
    test = yinyang({"test": 8}, 2.0, 32.0)["test"]
    assert (test.n_channels, test.n_classes, len(test)) == (5, 3, 8)
    for i, (x, y) in enumerate(PUBLISHED["test"][0]):
        times, channels = test.sample(i)
        want = np.array([x, y, 1 - x, 1 - y, 0]) * 30_000 + 2_000
        np.testing.assert_array_equal(np.sort(channels), range(5))
        np.testing.assert_array_equal(times, np.rint(want[channels]))
        assert (np.diff(times) >= 0).all()
    assert test.sample(0)[0][0] == 2_000


def test_smaller_set_is_the_start_of_a_larger_one():
    small, large = (yinyang({"train": size}, 0.0, 30.0)["train"] for size in (5, 50))
    np.testing.assert_array_equal(small.times, large.times[:25])
    np.testing.assert_array_equal(small.labels, large.labels[:5])
