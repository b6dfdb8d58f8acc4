from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from ranvier.sim.noise.plan import draw_change, draw_plan, verify

from . import subjects

SETTINGS = subjects.settings(levels={"input_jitter": [0.5, 4], "event_loss": [0.05, 0.4],
                               "weight_flips": [0.001, 0.02, 0.1]}, instances=4)


def test_rows_come_by_kind_level_instance_and_sample():
    subject = subjects.random_subject(1)
    plan = draw_plan(subject, SETTINGS, 3)
    assert [(row.kind.name, row.level, row.instance, row.sample) for row in plan.rows] == [
        *(("input_jitter", level, 0, sample) for level in (0.5, 4.0) for sample in range(6)),
        *(("event_loss", level, 0, sample) for level in (0.05, 0.4) for sample in range(6)),
        *(("weight_flips", level, i, None) for level in (0.001, 0.02, 0.1) for i in range(4))]
    cells = list(plan.cells())
    assert [i for _, _, rows in cells for i in rows] == list(range(len(plan.rows)))
    for kind, level, rows in cells:
        assert {(plan.rows[i].kind, plan.rows[i].level) for i in rows} == {(kind, level)}


def test_any_order_and_any_number_of_workers_draw_the_same_plan():
    subject = subjects.random_subject(2)
    plan = draw_plan(subject, SETTINGS, 3)
    order = np.random.default_rng(1).permutation(len(plan.rows)).tolist()

    def draw(i):
        row = plan.rows[i]
        return draw_change(subject, 3, row.kind, row.level, row.instance, row.sample)

    for workers in (1, 2):
        with ThreadPoolExecutor(workers) as pool:
            for i, change in zip(order, pool.map(draw, order), strict=True):
                np.testing.assert_array_equal(change, plan.rows[i].change)


def test_levels_and_kinds_left_out_change_no_other_row():
    subject = subjects.random_subject(2)
    whole = {str(row) + str(row.sample): row for row in draw_plan(subject, SETTINGS, 3).rows}
    part = draw_plan(subject, subjects.settings(levels={
        "input_jitter": [], "event_loss": [0.4], "weight_flips": [0.02]}, instances=2), 3)
    for row in part.rows:
        np.testing.assert_array_equal(row.change, whole[str(row) + str(row.sample)].change)


@pytest.mark.parametrize("seed", [4, 3 + (1 << 32)])
def test_another_seed_is_another_plan(seed):
    subject = subjects.random_subject(2)
    for (kind, _, rows), (_, _, others) in zip(
            (plan := draw_plan(subject, SETTINGS, 3)).cells(),
            (other := draw_plan(subject, SETTINGS, seed)).cells(), strict=True):
        changes = [[row.change.tolist() for row in (p.rows[i] for i in r)]
                   for p, r in ((plan, rows), (other, others))]
        assert changes[0] != changes[1], kind.name


def test_a_row_that_was_not_drawn_is_found():
    subject = subjects.random_subject(2)
    plan = draw_plan(subject, SETTINGS, 3)
    verify(plan, subject)
    rows = list(plan.rows)
    rows[8] = replace(rows[8], change=rows[8].change + 1)
    with pytest.raises(ValueError, match=r"Row 8 \(input_jitter 4.0\) must be what seed 3 gives, "
                                         "and isn't"):
        verify(replace(plan, rows=tuple(rows)), subject)


@pytest.mark.parametrize("index", [-1, 36])
def test_rows_that_are_not_there_are_refused(index):
    plan = draw_plan(subjects.random_subject(2), SETTINGS, 3)
    with pytest.raises(ValueError, match=f"Row must be from 0 to 35 in this plan, not {index}"):
        plan.row(index)
