"""Designs as a core reads them when bits of its memories have flipped."""
import numpy as np
import pytest

from ranvier.model.disturbed import disturbed

from ..designs import random_config, random_parameters

BOTH = {"delays": "axonal+dendritic", "segments": 2}
CURSORS = {"buffer": "cursor", "cursors": 64, "delay_max": 40}


def draw(**fixed):
    rng = np.random.default_rng(4)
    fixed = {"neurons": 7, "inputs": 4, "banks": 2, "adaptive": True} | fixed
    return random_parameters(rng, random_config(rng, **fixed))


def rows(parameters):
    """Return every synapse: source, target, weight and delay."""
    source = np.repeat(np.arange(parameters.config.sources), np.diff(parameters.row_start))
    return np.stack([source, parameters.target, parameters.weight, parameters.delay], 1).tolist()


@pytest.mark.parametrize("fixed", [{}, {"rows": "dense"}, BOTH, CURSORS, CURSORS | BOTH])
def test_what_is_corrected_is_the_design(fixed):
    parameters = draw(protection="secded", **fixed)
    once = {"weights": [(3, 2)], "theta0": [(1, 5)], "beta": [(0, 3)], "rows": [(2, 1)]}
    if parameters.config.link_bits:
        once["links"] = [(0, 0), (5, 2)]
    if parameters.config.dendrites:
        once["dendrites"] = [(1, 0)]
    read, readings = disturbed(parameters, once)
    assert read.hash == parameters.hash
    assert all(reading.corrected.sum() == len(once[name]) for name, reading in readings.items())


def test_a_bad_threshold_is_the_largest_and_a_bad_rise_none():
    parameters = draw(protection="parity")
    read, readings = disturbed(parameters, {"theta0": [(2, 0)], "beta": [(3, 18)]})
    for name, place, value in (("theta0", 2, parameters.config.trace_top), ("beta", 3, 0)):
        wanted = getattr(parameters, name).copy()
        wanted[place] = value
        assert getattr(read, name).tolist() == wanted.tolist()
        assert np.flatnonzero(readings[name].detected).tolist() == [place]


def test_a_bad_link_leads_nowhere():
    parameters = draw(protection="parity")
    read, _ = disturbed(parameters, {"links": [(4, 1), (9, 0)], "weights": [(0, 1)]})
    wanted = [row for place, row in enumerate(rows(parameters)) if place not in (4, 9)]
    wanted[0][2] = 0
    assert rows(read) == wanted


def test_a_bad_link_ends_a_row_of_cursors():
    parameters = draw(protection="parity", banks=1, **CURSORS)
    source, delay = np.array(rows(parameters))[:, [0, 3]].T
    place = np.flatnonzero((source == 1) & (delay > delay[source == 1].min()))[0]
    read, _ = disturbed(parameters, {"links": [(place, 0)]})
    order = np.lexsort((np.arange(delay.size), delay))
    row = order[source[order] == 1]
    gone = row[row.tolist().index(place) :].tolist()
    assert 0 < len(gone) < row.size
    assert rows(read) == [row for k, row in enumerate(rows(parameters)) if k not in gone]


def test_a_bad_weight_is_no_synapse_in_a_dense_row():
    parameters = draw(protection="parity", rows="dense")
    read, _ = disturbed(parameters, {"weights": [(5, 0)]})
    assert rows(read) == [row for k, row in enumerate(rows(parameters)) if k != 5]


def test_a_row_beside_a_bad_word_is_empty():
    parameters = draw(protection="parity")
    words, source = parameters.config.row_words, 3
    read, _ = disturbed(parameters, {"rows": [(words + source, 0)]})  # in bank 1
    assert rows(read) == [row for row in rows(parameters)
                          if row[0] not in (source - 1, source) or row[1] % 2 == 0]


def test_a_bad_dendritic_delay_is_none():
    parameters = draw(protection="parity", **BOTH)
    read, _ = disturbed(parameters, {"dendrites": [(6, 0)]})
    neuron, kind = divmod(6, parameters.config.dendrites)
    less = parameters.dendritic[neuron, kind]
    assert less > 0
    for before, after in zip(rows(parameters), rows(read), strict=True):
        mine = before[1] == neuron and parameters.kind[before[0]] == kind
        assert after == [*before[:3], before[3] - less * mine]


def test_without_protection_values_are_wrong():
    parameters = draw(delay_max=31)
    place = np.flatnonzero((parameters.target // 2 & 1 == 1) & (parameters.delay > 1))[0]
    local_bits = parameters.config.local_bits
    read, readings = disturbed(parameters, {"links": [(place, 0)], "theta0": [(0, 17)]})
    assert read.target[place] == parameters.target[place] - 2
    assert read.theta0[0] == parameters.theta0[0] ^ 1 << 17
    assert not readings["links"].detected.any()
    read, _ = disturbed(parameters, {"links": [(place, local_bits + 4)]})
    assert read.delay[place] == parameters.delay[place] ^ 16


def test_flips_that_nobody_can_follow_are_refused():
    with pytest.raises(ValueError, match=r"^Flips must be in rows, weights, .*, not in 'sums'$"):
        disturbed(draw(), {"sums": [(0, 0)]})
    message = r"must be right or known to be bad, not wrong in the bits 100: nobody can tell what"
    with pytest.raises(ValueError, match=rf"^Word 1 of rows {message}"):
        disturbed(draw(), {"rows": [(1, 2)]})
    with pytest.raises(ValueError, match=rf"^Word 3 of links {message}"):
        disturbed(draw(**CURSORS), {"links": [(3, 2)]})
