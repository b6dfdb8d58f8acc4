import re

import numpy as np
import pytest

from ranvier.sim import faultspicture, pictures

from .test_pictures import svg

LAYERS = {"weights, input to hidden": {"critical": 3, "masked": 37},
          "weights, hidden to output": {"tolerable": 2, "critical": 1, "latent": 5},
          "P, hidden": {"masked": 10}}
FAULTS = [{"memory": memory, "victor_purpura": str(far), "van_rossum": str(far / 2)}
          for memory, fars in {"weights": (0.0, 0.0, 4.0, 0.5), "P": (0.0, 0.0)}.items()
          for far in fars]

DIVERGENCE = {"divergence_tick": 40, "divergence_neuron": 3, "begin": 20, "end": 60,
              "clean": [[30, 1], [40, 3], [50, 4]], "faulty": [[30, 1], [50, 4]]}


def words(uri):
    """Texts of a picture, which the SVG keeps in comments beside their outlines."""
    return re.findall(r"<!-- (.*?) -->", svg(uri), re.DOTALL)


def heat(uri):
    """Opacities of the cells, as they are drawn."""
    return [float(alpha) for alpha in re.findall(r"fill: [^;]+; opacity: ([\d.]+)", svg(uri))]


def test_each_memory_and_layer_has_its_shares_and_its_number_of_faults():
    picture = faultspicture.layers_picture(LAYERS)
    assert picture == faultspicture.layers_picture(LAYERS)
    assert re.findall(r"([\d.]+ %)\n(of \d+)", "\n".join(words(picture.light))) == [
        ("7.5 %", "of 40"), ("12.5 %", "of 8"), ("0.0 %", "of 10"),
        ("7.5 %", "of 40"), ("37.5 %", "of 8"), ("0.0 %", "of 10")]
    assert heat(picture.light) == pytest.approx([0.36, 0.6, 0, 0.12, 0.6, 0])
    assert pictures.DARK.first in svg(picture.dark)


def test_layers_without_harm_make_a_picture_too():
    assert heat(faultspicture.layers_picture({"P, hidden": {"masked": 10}}).light) == [0, 0]


def steps(uri):
    """Corners of the stepped lines of a picture, from its left edge at 0 to its right one at 1."""
    lines = []
    for path in re.findall(r'<path d="([^"]*)" clip-path[^>]*stroke-width: 1.2', svg(uri)):
        across, down = np.array([line[1:].split() for line in path.strip().splitlines()], float).T
        lines.append(((across - across[0]) / (across[-1] - across[0]), -down))
    return lines


def test_distances_rise_from_the_faults_that_moved_no_spike_to_all():
    picture = faultspicture.distances_picture(FAULTS)
    assert picture == faultspicture.distances_picture(FAULTS)
    lines = steps(picture.light)
    assert len(lines) == 4
    for (across, share), (_, whole) in (lines[:2], lines[2:]):
        # From 0.25 to 8 there are five octaves: steps are at the first and the fourth.
        np.testing.assert_allclose(across, [0, 0.2, 0.2, 0.8, 0.8, 1, 1], atol=1e-4)
        np.testing.assert_allclose(whole, share[-1])
        rise = share[-1] - share[0]
        assert rise > 50
        np.testing.assert_allclose((share - share[0]) / rise, [0, 0, 0.5, 0.5, 1, 1, 1], atol=1e-4)
    assert pictures.DARK.first in svg(picture.dark)


def test_faults_that_moved_nothing_make_a_picture_too():
    svg(faultspicture.distances_picture(FAULTS[-2:]).light)


def divergence(**others):
    return faultspicture.divergence_picture({**DIVERGENCE, **others}, tick=0.5, neurons=6,
                                            outputs=2)


def test_spikes_stand_around_the_place_that_differs_first():
    picture = divergence()
    assert picture == divergence()
    assert {"without the fault, 3 spikes", "with it, 2 spikes"} <= {*words(picture.light)}
    text = svg(picture.light)
    rings, dots, square = ([(float(x), float(y)) for x, y in re.findall(
        rf'<use xlink:href="#\w+" x="([\d.]+)" y="([\d.]+)" style="[^"]*{colour}', text)]
        for colour in (pictures.LIGHT.first, pictures.LIGHT.second, pictures.LIGHT.third))
    assert [rings[1]] == square
    assert [rings[0], rings[2]] == dots[:2]  # the third one is the legend's
    left, right = map(float, re.search(  # the line through the square, from ``begin`` to ``end``
        rf'd="M ([\d.]+) {square[0][1]} \nL ([\d.]+) {square[0][1]} ', text).groups())
    assert [x for x, _ in rings] == pytest.approx(np.linspace(left, right, 5)[1:4], abs=1e-3)
    assert pictures.DARK.first in svg(picture.dark)


def test_a_fault_that_leaves_no_spikes_makes_a_picture_too():
    assert "with it, 0 spikes" in words(divergence(faulty=[]).light)
