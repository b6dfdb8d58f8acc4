import re

import pytest

from ranvier.sim import faultspicture, pictures

from .test_pictures import svg

LAYERS = {"weights, input to hidden": {"critical": 3, "masked": 37},
          "weights, hidden to output": {"tolerable": 2, "critical": 1, "latent": 5},
          "P, hidden": {"masked": 10}}


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
