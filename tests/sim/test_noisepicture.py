import re

import pytest

from ranvier.sim import noisepicture, pictures

from .test_pictures import svg

CHIPS = [0.75, 0.85]
POINTS = [{"level": x, "accuracy": 0.8, "low": 0.7, "high": 0.9, "chips": CHIPS}
          for x in (0.1, 1.0)]
DRAWN = {
    "level": lambda: noisepicture.level_picture(POINTS, unit="ms", clean=0.9),
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_is_the_same_each_time_light_and_dark(name):
    picture = DRAWN[name]()
    assert picture == DRAWN[name]()
    assert pictures.DARK.first in svg(picture.dark)
    assert pictures.DARK.first not in svg(picture.light)


def test_a_level_shows_each_chip_at_its_accuracy():
    def dots(chips):
        points = [{**point, "chips": chips} for point in POINTS]
        text = svg(noisepicture.level_picture(points, unit="ms", clean=0.9).light)
        return {(float(x), float(y)) for x, y, fill in re.findall(
            r'<use xlink:href="#\w+" x="([\d.]+)" y="([\d.]+)" style="fill: (#\w+)', text)
            if fill == pictures.LIGHT.second}

    two = dots(CHIPS)
    assert len({x for x, _ in two}) == len({y for _, y in two}) == 2
    assert len(two) == 4
    assert dots(CHIPS[:1]) == {(x, y) for x, y in two if y == max(y for _, y in two)}
    assert not dots([])
