import re

import numpy as np
import pytest

from ranvier.sim import noisepicture, pictures

from .test_faultspicture import words
from .test_pictures import svg

ROWS = [{"level": x, "accuracy": 0.8, "interval": [0.7, 0.9]} for x in (0.1, 1.0)]
WORSE = [{"level": x, "accuracy": 0.5, "interval": [0.4, 0.6]} for x in (0.1, 1.0, 10.0)]
SPREAD = [{"level": 0.1, "chips": [0.75, 0.85], "low": 0.755, "bound": None},
          {"level": 1.0, "chips": [0.6] * 58 + [0.5], "low": 0.6, "bound": 0.5}]
DRAWN = {
    "level": lambda: noisepicture.level_picture(ROWS, unit="ms", clean=0.9),
    "beside": lambda: noisepicture.beside_picture({"plain": ROWS, "other": WORSE}, unit="ms"),
    "chips": lambda: noisepicture.chips_picture(SPREAD, unit="ms", clean=0.9),
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_is_the_same_each_time_light_and_dark(name):
    picture = DRAWN[name]()
    assert picture == DRAWN[name]()
    assert pictures.DARK.first in svg(picture.dark)
    assert pictures.DARK.first not in svg(picture.light)


def marks(picture, colour):
    """Places of the markers of one colour, from left to right."""
    return sorted((float(x), float(y)) for x, y in re.findall(
        rf'<use xlink:href="#\w+" x="([\d.]+)" y="([\d.]+)" style="[^"]*{colour}',
        svg(picture.light)))


def test_runs_beside_each_other_have_their_own_marks_and_names():
    picture = DRAWN["beside"]()
    assert {"plain", "other"} <= set(words(picture.light))
    first, second = ([at for at in marks(picture, colour) if at[0]]
                     for colour in (pictures.LIGHT.first, pictures.LIGHT.second))
    # Those of each level, and one of the legend above them.
    assert (len(first), len(second)) == (len(ROWS) + 1, len(WORSE) + 1)
    assert max(y for _, y in first) < max(y for _, y in second)  # counted from the top
    assert [x for x, y in first if y == max(first, key=lambda at: at[1])[1]] == [
        x for x, y in second if y == max(second, key=lambda at: at[1])[1]][:2]


def test_violins_stand_level_by_level_around_their_chips():
    picture = noisepicture.chips_picture(SPREAD, unit="ms", clean=0.9)
    bodies = re.findall(r'd="([^"]+)" style="[^"]*opacity: 0.3', svg(picture.light))
    violins = [np.array(re.findall(r"[ML] (\S+) (\S+)", body), float) for body in bodies]
    chips = np.array([mark for mark in marks(picture, pictures.LIGHT.first) if mark[0]])
    assert len(violins) == len({x for x, _ in chips}) == 2
    for x, violin in zip(np.unique(chips[:, 0]), violins, strict=True):
        own = chips[chips[:, 0] == x, 1]
        # Heights of a body are counted from the bottom of the picture.
        assert np.ptp(violin[:, 1]) == pytest.approx(np.ptp(own), abs=1e-3)
        assert violin[:, 0].min() < x < violin[:, 0].max()
    widths = [violin[:, 0].max() - violin[:, 0].min() for violin in violins]
    assert widths[0] == pytest.approx(widths[1])


def test_a_bound_is_marked_where_there_is_one():
    picture = noisepicture.chips_picture(SPREAD, unit="ms", clean=0.9)
    bare = noisepicture.chips_picture(SPREAD[:1], unit="ms", clean=0.9)
    assert "95 % exceed it" in words(picture.light)
    assert "95 % exceed it" not in words(bare.light)
    # A mark of each of two percentiles, one bound, and two marks of the legend.
    assert len(marks(picture, pictures.LIGHT.second)) == 2 + 1 + 2
    assert len(marks(bare, pictures.LIGHT.second)) == 1 + 1


def test_chips_that_are_all_equal_make_a_picture_too():
    equal = [{"level": 1.0, "chips": [0.6] * 10, "low": 0.6, "bound": None}]
    svg(noisepicture.chips_picture(equal, unit="ms", clean=0.9).light)
