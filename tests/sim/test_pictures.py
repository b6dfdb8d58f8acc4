import base64
import re

import numpy as np
import pytest

from ranvier.sim import pictures

TICKS = [{"tick": x, "accuracy": 0.8, "low": 0.7, "high": 0.9,
          "spikes": {"clean": 20, "missing": missing, "extra": 1}}
         for x, missing in ((0.1, 0), (0.5, 2), (1.0, 8))]
SPIKES = np.array([[3, 0], [4, 2]])


def raster(spikes):
    return pictures.raster(np.array([[1, 1]]), spikes, spikes, tick=0.5, ticks=100, channels=4,
                           neurons=5, outputs=2)


DRAWN = {
    "against_tick": lambda: pictures.against_tick(TICKS, 0.9, 0.5),
    "raster": lambda: raster(SPIKES),
    "memories": lambda: pictures.memories({"weights": 800, "sums": 9000}),
}


def svg(uri):
    prefix = "data:image/svg+xml;base64,"
    assert uri.startswith(prefix)
    return base64.b64decode(uri.removeprefix(prefix)).decode()


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_is_the_same_each_time_and_needs_nothing_else(name):
    first, second = DRAWN[name](), DRAWN[name]()
    assert first == second
    for uri in (first.light, first.dark):
        text = svg(uri)
        assert text.rstrip().endswith("</svg>")
        assert not re.search(r'href="(?!#|data:)', text)


@pytest.mark.parametrize("name", DRAWN)
def test_dark_pages_get_other_colours(name):
    picture = DRAWN[name]()
    assert pictures.DARK.first in svg(picture.dark)
    assert pictures.DARK.first not in svg(picture.light)


def test_many_spikes_go_in_as_pixels():
    rng = np.random.default_rng(0)
    spikes = np.stack([rng.integers(0, 100, 20_000), rng.integers(0, 5, 20_000)], axis=1)
    text = svg(raster(spikes).light)
    assert "data:image/png;base64," in text
    assert len(text) < 400_000


def test_no_spikes_make_a_picture_too():
    svg(raster(np.empty((0, 2), np.int64)).light)


def test_missed_spikes_stand_below_the_accuracy():
    text = svg(DRAWN["against_tick"]().light)
    assert "<!-- missing -->" in text
    points = [np.array(re.findall(r"[ML] (\S+) (\S+)", path), float) for path in re.findall(
        rf'<path d="([^"]*)" clip-path[^>]*stroke: {pictures.LIGHT.first}', text)]
    accuracy, missing = points
    assert missing[:, 0] == pytest.approx(accuracy[:, 0])
    rise = missing[0, 1] - missing[:, 1]
    assert rise / rise[2] == pytest.approx([0, 0.25, 1], abs=1e-3)
    assert missing[:, 1].min() > accuracy[:, 1].max()
