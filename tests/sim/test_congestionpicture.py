import re

import numpy as np
import pytest

from ranvier.sim import pictures
from ranvier.sim.congestionpicture import POLICIES, congestion_picture

from .test_faultspicture import words
from .test_pictures import svg


def kind(lost):
    return {"levels": [{"level": load, "accuracy": 0.9 - load / 10,
                        "counts": {"events": 200, "lost": count}}
                       for load, count in zip((0.5, 1.0, 2.0), lost, strict=True)]}


KINDS = {name: kind(lost) for name, lost in zip(
    POLICIES, ((0, 0, 50), (0, 10, 100), (0, 10, 100)), strict=True)}
QUEUE = {"depths": [1, 2, 4], "events": 200, "loads": [
    {"load": 0.5, "full": [0, 0, 0], "needed": 1}, {"load": 1.0, "full": [20, 2, 0], "needed": 3},
    {"load": 2.0, "full": [200, 20, 2], "needed": 9}]}


def lines(picture):
    """Points of the lines of 1.2 points in their order, (points, 2), and their colours."""
    return [(np.array(re.findall(r"[ML] (\S+) (\S+)", path), float), colour)
            for path, colour in re.findall(
                r'<path d="([^"]*)" clip-path[^>]*stroke: (#\w+)[^>]*stroke-width: 1.2',
                svg(picture.light))]


def heights(line):
    return line[0][:, 1]


def test_losses_of_each_policy_stand_against_the_load():
    picture = congestion_picture(KINDS, QUEUE, 0.95)
    assert picture == congestion_picture(KINDS, QUEUE, 0.95)
    assert {"the sensor waits", "the new word is lost", "the oldest word is lost",
            "load 0.5", "load 1", "load 2"} <= {*words(picture.light)}
    wait, new, old = (heights(line) for line in lines(picture)[:3])
    np.testing.assert_array_equal(new, old)
    assert wait[0] == wait[1] == new[0]
    assert (new[0] - new[1:]) / (wait[0] - wait[2]) == pytest.approx([0.2, 2], abs=1e-3)
    assert pictures.DARK.first in svg(picture.dark)


def test_words_without_room_stand_against_the_depth_by_decades():
    drawn = lines(congestion_picture({"congestion_wait": KINDS["congestion_wait"]}, QUEUE, 0.95))
    assert len(drawn) == 2 + 3  # losses and accuracy of one kind, and the depths of three loads
    (none, _), (one, _), (two, _) = drawn[2:]
    assert np.ptp(none[:, 1]) == 0
    np.testing.assert_allclose(np.diff(one[:, 0]), np.diff(one[:, 0])[0])
    decade = two[1, 1] - two[0, 1]
    assert decade > 0
    assert [two[2, 1] - two[1, 1], one[0, 1] - two[1, 1], one[1, 1] - two[2, 1]] == pytest.approx(
        [decade, 0, 0], abs=1e-3)


def test_links_that_lose_nothing_make_a_picture_too():
    empty = {"depths": [1, 2], "events": 0, "loads": [{"load": 0.5, "full": [0, 0], "needed": 0}]}
    quiet = {"levels": [{"level": 0.5, "accuracy": 0.9, "counts": {"events": 0, "lost": 0}}]}
    svg(congestion_picture({"congestion_wait": quiet}, empty, 0.9).light)
