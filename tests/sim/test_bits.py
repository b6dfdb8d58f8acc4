"""The study of few bits: its points are the integer model's, and each is measured once."""

import csv
import io
from dataclasses import replace

import pytest

from ranvier.sim import bits
from ranvier.sim.bits import bits_csv, run_bits
from ranvier.sim.bitspicture import bits_picture, bits_png
from ranvier.sim.settings import BitsConfig
from ranvier.train import finetune as tuning
from ranvier.train.accuracy import fixed_accuracy
from ranvier.train.config import NetworkConfig
from ranvier.train.design import DesignConfig
from ranvier.train.quantise import coarse_delays
from ranvier.train.settings import TrainConfig
from ranvier.train.trainer import train
from ranvier.train.yinyang import yinyang

CONFIG = NetworkConfig(
    inputs=5, hidden=(10,), outputs=3, readout="first-spike", adaptive=False, delay_min=0.1,
    delay_max=10.0, duration=60.0,
)  # fmt: skip
SETTINGS = TrainConfig(
    epochs=2, patience=2, batch=25, hidden_mean=1.5, hidden_sd=0.8, output_mean=0.8,
    output_sd=0.4, hidden_delay=10.0, output_delay=10.0,
)  # fmt: skip
DESIGN = DesignConfig(tick=0.5, weight_bits=6)
WIDTHS = BitsConfig(weights=(5, 2), delays=(2,))


@pytest.fixture(scope="module")
def data():
    return yinyang({"train": 200, "validation": 30, "test": 300}, 0.0, 30.0)


@pytest.fixture(scope="module")
def network(data):
    """A network that has learned a little, so that accuracies tell designs apart."""
    settings = replace(SETTINGS, epochs=15, patience=0, batch=10, weight_rate=0.03)
    return train(CONFIG, settings, {"train": data["train"]}, 1, progress=False, threads=1)[0]


def study(network, data, folder, settings=SETTINGS, widths=WIDTHS):
    return run_bits(network, DESIGN, data, widths, settings, 1, folder, threads=1)


@pytest.fixture(scope="module")
def measured(network, data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bits")
    return folder, study(network, data, folder)


def test_before_is_the_rounded_network(measured, network, data):
    for row in measured[1]:
        design, used = DESIGN, network
        if row["kind"] == "weights":
            design = replace(DESIGN, weight_bits=row["bits"])
        else:
            used = coarse_delays(network, row["bits"])
        assert row["before"] == fixed_accuracy(used, design, data["test"])
        assert row["before_low"] < row["before"] < row["before_high"]
    assert [(row["kind"], row["bits"]) for row in measured[1]] == [
        ("weights", 5), ("weights", 2), ("delays", 2)]


def test_after_is_the_fine_tuned_network(measured, network, data):
    without_test = {name: part for name, part in data.items() if name != "test"}
    for row, design, delay_bits in zip(measured[1], (
        replace(DESIGN, weight_bits=5), replace(DESIGN, weight_bits=2), DESIGN,
    ), (None, None, 2), strict=True):
        tuned, _, scales = tuning.finetune(
            network, design, SETTINGS, without_test, 1, delay_bits=delay_bits, progress=False,
            threads=1,
        )  # fmt: skip
        if delay_bits:
            assert row["after"] != fixed_accuracy(tuned, design, data["test"], scales)
            tuned = coarse_delays(tuned, delay_bits)
        assert row["after"] == fixed_accuracy(tuned, design, data["test"], scales)
        assert row["epoch"] in (1, 2)


def test_points_are_measured_once_and_others_go(measured, network, data, monkeypatch):
    folder, rows = measured

    def fail(*_, **__):
        raise AssertionError("measured again")

    with monkeypatch.context() as patch:
        patch.setattr(bits, "finetune", fail)
        assert study(network, data, folder) == rows
        assert len(list((folder / "points").iterdir())) == 3
        fewer = study(network, data, folder, widths=BitsConfig(weights=(5,), delays=()))
        assert fewer == rows[:1]
        assert len(list((folder / "points").iterdir())) == 1
        with pytest.raises(AssertionError, match="measured again"):
            study(network, data, folder, replace(SETTINGS, epochs=3),
                  BitsConfig(weights=(5,), delays=()))


def test_an_interrupted_point_goes_on(network, data, measured, tmp_path, monkeypatch):
    plain, epochs = tuning.train, []

    def interrupted(*args, **fields):
        plain(args[0], replace(args[1], epochs=1), *args[2:], **fields)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tuning, "train", interrupted)
        with pytest.raises(KeyboardInterrupt):
            study(network, data, tmp_path)
    folders = [path for path in (tmp_path / "points").iterdir() if path.is_dir()]
    assert (folders[0] / "checkpoint.safetensors").is_file()

    def count(*args, **fields):
        epochs.append(fields["resume"])
        return plain(*args, **fields)

    (folders[0] / "checkpoint.safetensors").unlink()  # one with 1 epoch is of another schedule
    monkeypatch.setattr(tuning, "train", count)
    assert study(network, data, tmp_path) == measured[1]
    assert epochs == [True] * 3
    assert not any(path.is_dir() for path in (tmp_path / "points").iterdir())


def test_without_settings_nothing_is_fine_tuned(network, data, measured, tmp_path):
    rows = study(network, data, tmp_path, settings=None)
    for row, known in zip(rows, measured[1], strict=True):
        assert row["before"] == known["before"]
        assert row["after"] is row["epoch"] is None


def test_the_table_has_a_line_for_each_point(measured):
    rows = list(csv.DictReader(io.StringIO(bits_csv(measured[1]))))
    assert len(rows) == 3
    for line, row in zip(rows, measured[1], strict=True):
        assert line == {name: str(value) for name, value in row.items()}


def test_the_picture_is_the_same_each_time_and_shows_what_there_is(measured):
    rows = measured[1]
    assert bits_png(rows, 0.9).startswith(b"\x89PNG")
    assert bits_png(rows, 0.9) == bits_png(rows, 0.9)
    assert bits_picture(rows, 0.9) == bits_picture(rows, 0.9)
    before = [row | {"after": None} for row in rows]
    pictures = [bits_png(part, 0.9) for part in (rows, before, rows[:2], rows[2:])]
    assert len(set(pictures)) == 4
