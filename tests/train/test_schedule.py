"""Step sizes follow their schedule, and training ends when it should."""

import numpy as np
import pytest

from ranvier.train.schedule import best_epoch, kept_epoch, step_factor, stops


def factors(schedule, final=0.1, warmup=0):
    return np.array([
        step_factor(step, 100, schedule=schedule, final=final, warmup=warmup)
        for step in range(101)
    ])


def test_cosine_falls_from_1_to_its_end():
    values = factors("cosine")
    assert values[0] == 1.0
    assert values[50] == pytest.approx(0.55)
    assert values[100] == pytest.approx(0.1)
    assert (np.diff(values) < 0).all()


def test_exponential_falls_by_the_same_share_each_step():
    values = factors("exponential")
    assert values[0] == 1.0
    assert values[100] == pytest.approx(0.1)
    np.testing.assert_allclose(values[1:] / values[:-1], 0.1**0.01)


def test_constant_stays():
    assert (factors("constant", final=0.0) == 1.0).all()


@pytest.mark.parametrize("schedule", ["cosine", "exponential", "constant"])
def test_warmup_rises_along_a_line_on_top_of_the_schedule(schedule):
    rise = factors(schedule, warmup=10) / factors(schedule)
    np.testing.assert_allclose(rise[:10], np.arange(1, 11) / 10)
    np.testing.assert_array_equal(rise[9:], 1.0)


def history(*pairs):
    return [
        {"epoch": k, "accuracy": {"validation": accuracy}, "validation_loss": loss}
        for k, (accuracy, loss) in enumerate(pairs, start=1)
    ]


def test_the_best_epoch_has_the_best_accuracy_then_the_lowest_loss_then_comes_first():
    assert best_epoch(history((0.5, 1.0), (0.9, 3.0), (0.8, 0.1))) == 2
    assert best_epoch(history((0.9, 2.0), (0.9, 1.0), (0.9, 1.5))) == 2
    assert best_epoch(history((0.9, 2.0), (0.9, 2.0))) == 1


def test_training_stops_after_patience_or_at_its_end():
    records = history((0.5, 1.0), (0.9, 1.0), (0.8, 1.0), (0.8, 1.0))
    assert [stops(records[:n], 10, 2) for n in range(5)] == [False, False, False, False, True]
    assert not stops(records, 10, 3)
    assert not stops(records, 10, 0)
    assert stops(records, 4, 0)


def test_without_patience_the_last_epoch_is_kept():
    records = history((0.9, 1.0), (0.8, 1.0))
    assert kept_epoch(records, 0) == 2
    assert kept_epoch(records, 5) == 1
