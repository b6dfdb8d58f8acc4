import pytest

from ranvier.sim.ranges import SearchRange
from ranvier.sim.searchpicture import draw

RANGES = {
    "a.rate": SearchRange(low=1e-3, high=1.0, log=True),
    "a.size": SearchRange(low=1, high=5),
    "a.sizes": SearchRange(choices=((1,), (2, 3))),
}
ROWS = [
    {"number": n, "accuracy": 0.1 * n,
     "settings": {"a.rate": 10.0**-n, "a.size": n, "a.sizes": [[1], [2, 3]][n % 2]}}
    for n in (0, 1, 3)
]


@pytest.mark.parametrize("names", [list(RANGES)[:n] for n in (1, 2, 3)])
def test_the_picture_is_a_png_and_the_same_each_time(names):
    ranges = {name: RANGES[name] for name in names}
    content = draw(ROWS, ranges, 3)
    assert content.startswith(b"\x89PNG")
    assert content == draw(ROWS, ranges, 3)
    assert content != draw(ROWS, ranges, 1)


def test_one_trial_makes_a_picture_too():
    assert draw(ROWS[:1], RANGES, 0)
