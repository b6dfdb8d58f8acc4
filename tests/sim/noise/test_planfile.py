import json
from dataclasses import replace

import numpy as np
import pytest

from ranvier.sim.noise.plan import draw_plan
from ranvier.sim.noise.planfile import load_plan, plan_hash, save_plan
from ranvier.sim.noise.subject import Subject

from . import subjects

SETTINGS = subjects.settings(levels={"input_jitter": [0.5, 4], "event_loss": [0.4],
                               "weight_flips": [0.02]}, instances=2)
SUBJECT = subjects.random_subject(3, samples=3, neurons=6, inputs=3)


@pytest.fixture
def path(tmp_path):
    save_plan(draw_plan(SUBJECT, SETTINGS, 3), tmp_path / "plan.jsonl")
    return tmp_path / "plan.jsonl"


def test_a_plan_comes_back_whole(path):
    plan, back = draw_plan(SUBJECT, SETTINGS, 3), load_plan(path, SUBJECT)
    for name in ("seed", "parameters", "data", "samples", "instances", "levels"):
        assert getattr(back, name) == getattr(plan, name)
    for row, other in zip(plan.rows, back.rows, strict=True):
        assert (str(row), row.sample) == (str(other), other.sample)
        np.testing.assert_array_equal(row.change, other.change)
        assert row.change.shape == other.change.shape
    again = path.with_name("again.jsonl")
    save_plan(back, again)
    assert again.read_bytes() == path.read_bytes()


def test_the_file_reads_row_by_row(path):
    header, *rows = (json.loads(line) for line in path.read_text().splitlines())
    assert header["sha256"] == plan_hash(draw_plan(SUBJECT, SETTINGS, 3))
    assert header["kinds"]["event_loss"]["unit"] == "probability per event"
    assert header["rows"] == len(rows) == 11
    assert [row["row"] for row in rows] == list(range(11))
    assert rows[7] == {"row": 7, "kind": "event_loss", "level": 0.4, "instance": 0, "sample": 1,
                       "dropped": draw_plan(SUBJECT, SETTINGS, 3).rows[7].change.tolist()}


EVENTS = len(SUBJECT.sample(1)[0])
SYNAPSES = SUBJECT.parameters.weight.size
DAMAGE = [
    (0, {"format": "other/1"}, "header: format must be ranvier.plan/1, not 'other/1'"),
    (0, {"extra": 1}, "header: 'extra' must not be there"),
    (0, {"seed": 4}, "header: sha256 must be that of header and rows, and isn't"),
    (0, {"seed": -1}, "header: seed must be a whole number, not -1"),
    (0, {"rows": 10}, "header: rows must be the 11 that follow, not 10"),
    (0, {"instances": 1}, "header: rows must be 10 for these levels, instances and samples"),
    (0, {"instances": 0}, "header: Noise instances must be a whole number of at least 1, not 0"),
    (0, {"parameters": "00"}, "header: parameters must be .*: the plan is for another design"),
    (0, {"data": "00"}, "header: data must be .*: the plan is for another design or other"),
    (0, {"samples": 4}, "header: samples must be 3, not 4"),
    (0, {"levels": [1]}, r"header: levels must be lists of numbers by kind, not \[1\]"),
    (0, {"levels": {"heat": [1]}}, "header: Noise kinds must be of .*, not 'heat'"),
    (0, {"levels": {"event_loss": [2]}}, r"header: Noise levels.event_loss\[0\] must be from"),
    (0, {"levels": {"event_loss": ["2"]}}, r"event_loss\[0\] must be a finite number, not '2'"),
    (0, {"kinds": {}}, "header: kinds must say what this version says of them, and differ"),
    (0, {"sha256": "00"}, "header: sha256 must be that of header and rows, and isn't"),
    (0, {"sha256": None}, "header: sha256 must be text, not None"),
    (3, {"row": 7}, "row 2: row must be 2, not 7"),
    (3, {"row": True}, "row 2: row must be 2, not True"),
    (3, {"kind": "event_loss"}, "row 2: kind must be 'input_jitter', not 'event_loss'"),
    (3, {"level": 0.25}, "row 2: level must be 0.5, not 0.25"),
    (3, {"instance": 1}, "row 2: instance must be 0, not 1"),
    (3, {"sample": None}, "row 2: sample must be 2, not None"),
    (3, {"dropped": []}, "row 2: 'dropped' must not be there"),
    (3, {"shifts": None}, "row 2: shifts: must be a list, not None"),
    (3, {"shifts": [1]}, "row 2: shifts: must have a number for each of"),
    (2, {"shifts": [1.0] * EVENTS}, "row 1: shifts: must hold integers, not 1.0"),
    (2, {"shifts": [1 << 80] * EVENTS}, "row 1: shifts: must hold integers, not 12089"),
    (2, {"shifts": [-3171] * EVENTS}, "item 0 must be from -3170 to 3170, not -3171"),
    (8, {"dropped": [EVENTS]}, f"row 7: dropped: item 0 must be one of {EVENTS} events"),
    (8, {"dropped": [1, 1]}, "row 7: dropped: item 1 must come after item 0, and differ"),
    (8, {"dropped": [True]}, "row 7: dropped: must hold integers, not True"),
    (11, {"flipped": [3]}, "row 10: flipped: item 0 must be a list of 2 numbers, not 3"),
    (11, {"flipped": [[3]]}, r"row 10: flipped: item 0 must be a list of 2 numbers, not \[3\]"),
    (11, {"flipped": [[SYNAPSES, 0]]}, "flipped: item 0 must have a word from 0 to"),
    (11, {"flipped": [[0, 8]]}, "row 10: flipped: item 0 must have a bit from 0 to 7, not 8"),
    (11, {"flipped": [[1, 0], [0, 0]]}, "row 10: flipped: item 1 must come after item 0"),
    (11, {"flipped": []}, "header: sha256 must be that of header and rows, and isn't"),
]


@pytest.mark.parametrize(("line", "values", "message"), DAMAGE)
def test_damage_is_refused_by_name(path, line, values, message):
    lines = path.read_text().splitlines()
    lines[line] = json.dumps({**json.loads(lines[line]), **values})
    path.write_text("\n".join([*lines, ""]))
    with pytest.raises(ValueError, match=f"plan.jsonl: .*{message}"):
        load_plan(path, SUBJECT)


@pytest.mark.parametrize(("old", "new", "message"), [
    ('"instance":0', '"instance":NaN', "row 0: instance must be 0, not nan"),
    ('"row":4,', '"row":4,"row":4,', "row 4: must have no key twice"),
    ('{"row":4,', '{"row":4', "row 4: must be JSON, not"),
    ('{"row":4,', '[]\n{"row":4,', "header: rows must be the 12 that follow, not 11"),
    ('"shifts":[', '"shifts":' + "[" * 100_000, "row 0: must be JSON"),
    ('"shifts":[', '"shifts":[1' + "0" * 5000 + ",", "Exceeds the limit"),
    ('"kind"', '"k\u00efnd"', "can't decode byte"),
])
def test_broken_text_is_refused(path, old, new, message):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ValueError, match=f"plan.jsonl: .*{message}"):
        load_plan(path, SUBJECT)


def test_any_changed_byte_is_refused(path):
    whole = path.read_bytes()
    rng = np.random.default_rng(1)
    for _ in range(400):
        data = bytearray(whole)
        at = rng.integers(len(data))
        action = rng.integers(3)
        if action == 0:
            data[at] ^= 1 << rng.integers(8)
        elif action == 1:
            del data[at:]
        else:
            data[at:at] = bytes([rng.choice(list(b"0123456789[]{},\":x"))])
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"plan\.jsonl: "):
            load_plan(path, SUBJECT)


def test_another_design_or_data_set_is_refused(path):
    data = SUBJECT.dataset
    other = Subject(SUBJECT.parameters, replace(data, labels=(data.labels + 1) % data.n_classes))
    if data.n_classes > 1:
        with pytest.raises(ValueError, match=r"plan\.jsonl: header: data must be"):
            load_plan(path, other)
    weight = SUBJECT.parameters.weight ^ 1
    with pytest.raises(ValueError, match=r"plan\.jsonl: header: parameters must be"):
        load_plan(path, Subject(replace(SUBJECT.parameters, weight=weight), data))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"none\.jsonl must be a plan, and there is no such file"):
        load_plan(tmp_path / "none.jsonl", SUBJECT)
