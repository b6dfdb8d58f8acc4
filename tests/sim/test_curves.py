"""Learning curves, as pictures and as a table."""

import base64
import csv
import io

import pytest

from ranvier.sim import pictures
from ranvier.sim.curves import CURVES, curve_picture, curves_csv, curves_png

HISTORY = [
    {"epoch": k, "loss": 1 / k, "validation_loss": 2 / k,
     "accuracy": {"test": 0.4, "train": 0.5, "validation": 0.3}, "penalty": 0.1, "margin": 0.0,
     "spikes": 2.5,
     "silent": 3 - k, "woken": 0, "limited": 7, "seconds": 1.5}
    for k in (1, 2, 3)
]
BARE = [{**{key: value for key, value in record.items() if key != "validation_loss"},
         "accuracy": {"train": 0.5}} for record in HISTORY]


@pytest.mark.parametrize("history", [HISTORY, BARE, HISTORY[:1]])
@pytest.mark.parametrize("name", CURVES)
def test_a_curve_is_the_same_each_time_in_the_colours_of_the_page(name, history):
    picture = curve_picture(name, history, len(history))
    assert picture == curve_picture(name, history, len(history))
    assert pictures.DARK.first in svg(picture.dark)
    assert pictures.DARK.first not in svg(picture.light)


def svg(uri):
    return base64.b64decode(uri.split(",")[1]).decode()


def test_the_kept_epoch_is_marked_if_it_is_not_the_last():
    assert curve_picture("loss", HISTORY, 2) != curve_picture("loss", HISTORY, 3)


@pytest.mark.parametrize("history", [HISTORY, BARE])
def test_the_file_for_people_is_a_png_and_the_same_each_time(history):
    content = curves_png(history, 2)
    assert content.startswith(b"\x89PNG")
    assert content == curves_png(history, 2)


def test_the_table_has_every_number_of_the_history():
    rows = list(csv.DictReader(io.StringIO(curves_csv(HISTORY))))
    assert list(rows[0]) == [
        "epoch", "loss", "validation_loss", "accuracy_train", "accuracy_validation",
        "accuracy_test", "penalty", "margin", "spikes", "silent", "woken", "limited", "seconds"]
    for row, record in zip(rows, HISTORY, strict=True):
        for name, value in row.items():
            kind, _, part = name.partition("accuracy_")
            wanted = record["accuracy"][part] if not kind else record[name]
            assert float(value) == wanted
    assert curves_csv(BARE).splitlines()[0] == (
        "epoch,loss,accuracy_train,penalty,margin,spikes,silent,woken,limited,seconds")
