import re

import pytest

from ranvier.sim import pictures
from ranvier.sim.neuronspicture import neurons_picture
from ranvier.sim.noise.statistics import wilson

from .test_pictures import svg

# Four faults of neuron 0, none of 1, two of 2, which is the output; two of none.
ROWS = [{"neuron": neuron, "outcome": outcome} for neuron, outcome in (
    ("0", "critical"), ("0", "tolerable"), ("0", "latent"), ("0", "masked"), ("2", "critical"),
    ("2", "critical"), ("", "critical"), ("", "masked"))]


def dots(uri, colour):
    """Places of the dots of one colour."""
    return [(float(x), float(y)) for x, y in re.findall(
        rf'<use xlink:href="#\w+" x="([\d.]+)" y="([\d.]+)" style="fill: {colour}', svg(uri))]


def test_each_neuron_has_the_shares_of_its_faults_and_their_intervals():
    picture = neurons_picture(ROWS, neurons=3, outputs=1)
    assert picture == neurons_picture(ROWS, neurons=3, outputs=1)
    hidden, output = (dots(picture.light, colour)
                      for colour in (pictures.LIGHT.first, pictures.LIGHT.second))
    assert len(hidden) == len(output) == 2  # of the upper and of the lower picture
    bars = [(float(x), {float(low), float(high)}) for x, low, high in re.findall(
        r'd="M ([\d.]+) ([\d.]+) \nL \1 ([\d.]+) \n"[^>]*stroke-opacity: 0.35',
        svg(picture.light))]
    means = [float(y) for y in re.findall(
        r'd="M [\d.]+ ([\d.]+) \nL [\d.]+ \1 \n"[^>]*dasharray', svg(picture.light))]
    assert (len(bars), len(means)) == (4, 2)
    for k, (share, mean) in enumerate(((1 / 4, 3 / 6), (2 / 4, 4 / 6))):
        (left, low), (right, high) = hidden[k], output[k]
        assert left < right

        def at(value, low=low, scale=(high - low) / (1 - share), share=share):
            return low + scale * (value - share)

        assert means[k] == pytest.approx(at(mean), abs=1e-3)
        for (x, ends), place, (found, faults) in zip(
                bars[2 * k : 2 * k + 2], (left, right), ((share, 4), (1.0, 2)), strict=True):
            assert x == pytest.approx(place, abs=1e-3)
            assert sorted(ends) == pytest.approx(
                sorted(at(end) for end in wilson(found, faults)), abs=1e-3)
    assert pictures.DARK.first in svg(picture.dark)


def test_faults_of_no_neuron_make_a_picture_too():
    svg(neurons_picture(ROWS[-2:], neurons=3, outputs=1).light)
