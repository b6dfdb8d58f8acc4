"""Fault maps: files of defective bits, and what a core reads then."""

import re

import numpy as np
import pytest

from ranvier.hw.images import synapse_places
from ranvier.model.protection import PROTECTIONS
from ranvier.sim.noise import NoiseConfig
from ranvier.sim.noise.faultmap import read_fault_map
from ranvier.sim.noise.kinds import KINDS
from ranvier.sim.noise.plan import draw_change, draw_plan, verify
from ranvier.sim.noise.planfile import load_plan, save_plan
from ranvier.sim.noise.subject import Subject

from . import subjects
from .maps import HEADER, file_of, text_of

KIND = KINDS["weight_map"]
SUBJECT = subjects.random_subject(5, samples=3, banks=2, neurons=9, inputs=4, weight_bits=6)


@pytest.mark.parametrize("seed", range(6))
def test_a_map_is_read_as_synapses(tmp_path, seed):
    subject = subjects.random_subject(seed, banks=3, neurons=7,
                                      protection=PROTECTIONS[seed % len(PROTECTIONS)])
    path = tmp_path / "map.csv"
    path.write_text(file_of(subject, np.random.default_rng(seed)))
    read = Subject.read(subject.parameters, subject.dataset, str(path))
    np.testing.assert_array_equal(read.fault_map, subject.fault_map)
    assert Subject.read(subject.parameters, subject.dataset, None).fault_map is None


@pytest.mark.parametrize("level", [1, 2, 3, 50])
def test_bits_of_a_map_read_as_it_says_from_their_level_on(level):
    wanted = SUBJECT.parameters.weight.copy().astype(np.int64) % 64
    for synapse, bit, value, first in SUBJECT.fault_map.tolist():
        if first <= level:
            wanted[synapse] = wanted[synapse] & ~(1 << bit) | value << bit
    change = draw_change(SUBJECT, 1, KIND, level, 0, None)
    found = np.array(subjects.flipped_weights(SUBJECT, KIND.flips(change).tolist())) % 64
    np.testing.assert_array_equal(found, wanted)
    assert len(change) > 3


def test_a_plan_keeps_the_flips_and_is_checked_against_the_map(tmp_path):
    settings = NoiseConfig(kinds=["weight_map"], levels={"weight_map": [1, 3]}, instances=4,
                           fault_map="map.csv")
    plan = draw_plan(SUBJECT, settings, 3)
    assert len(plan.rows) == 2  # a chip is what it is
    verify(plan, SUBJECT)
    path = tmp_path / "plan.jsonl"
    save_plan(plan, path)
    assert [row.change.tolist() for row in load_plan(path, SUBJECT).rows] == [
        row.change.tolist() for row in plan.rows]
    other = Subject(SUBJECT.parameters, SUBJECT.dataset, SUBJECT.fault_map[::2])
    with pytest.raises(ValueError, match=r"row 0: .* must be the \d+ bits of the fault map"):
        load_plan(path, other)
    with pytest.raises(ValueError, match="Subject must have a fault map for weight_map"):
        load_plan(path, Subject(SUBJECT.parameters, SUBJECT.dataset))


def test_addresses_without_a_synapse_are_left_out(tmp_path):
    path = tmp_path / "map.csv"
    path.write_text(text_of([(0, 1 << 20, 0, 1, 1), (1, 0, 3, 0, 7)]))
    found = read_fault_map(path, SUBJECT.parameters)
    bank, word = synapse_places(SUBJECT.parameters)
    assert found.tolist() == [[int(np.flatnonzero((bank == 1) & (word == 0))[0]), 3, 0, 7]]


@pytest.mark.parametrize(("text", "sentence"), [
    ("", "a fault map must have at least one bit, not none"),
    (HEADER, "a fault map must have at least one bit, not none"),
    ("bank,bit\n", "line 1 must be bank,address,bit,value,level, not 'bank,bit'"),
    (text_of([(0, 0, 1, 0)]), "line 2 must have 5 numbers, not 4"),
    (text_of([(0, 0, 1, 0, 1), (2, 0, 1, 0, 1)]),
     "line 3: bank must be a whole number from 0 to 1, not '2'"),
    (text_of([(0, -1, 1, 0, 1)]), "line 2: address must be a whole number from 0 to 2147483648"),
    (text_of([(0, 0, 6, 0, 1)]), "line 2: bit must be a whole number from 0 to 5, not '6'"),
    (text_of([(0, 0, 1, 2, 1)]), "line 2: value must be a whole number from 0 to 1, not '2'"),
    (text_of([(0, 0, 1, 1, 0)]), "line 2: level must be a whole number from 1 to 2147483648"),
    (text_of([(0, 0, 1, 1, "9" * 5000)]), "level must be a whole number from 1 to 2147483648"),
    (text_of([(0, 0, 1, 1, "9" * 200_000)]), "field larger than field limit"),
    (text_of([(0, 0, 1, 1, "\u0661")]), "line 2: level must be a whole number from 1"),  # a one
    (text_of([(0, 0, 1, 1, "1.5")]), "from 1 to 2147483648, not '1.5'"),
    (text_of([(0, 5, 1, 1, 2), (0, 5, 1, 0, 1)]), "line 3: each bit must be there once, and bit 1 "
                                                  "of address 5 in bank 0 was there before"),
])
def test_anything_else_is_refused_with_file_and_line(tmp_path, text, sentence):
    path = tmp_path / "map.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"^{re.escape(str(path))}: .*{re.escape(sentence)}"):
        read_fault_map(path, SUBJECT.parameters)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"none\.csv must be a fault map, and there is no such"):
        read_fault_map(tmp_path / "none.csv", SUBJECT.parameters)
