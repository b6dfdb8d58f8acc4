"""Chips differ from their design by the noise that was asked for, and the rows judge them so."""

from dataclasses import replace

import numpy as np
import pytest
import rows.accuracy
import rows.robust
from registry import Context
from rows.robust import Noise, disturbed

from ranvier.model.emulator import Emulator
from ranvier.train.config import NetworkConfig
from ranvier.train.design import DesignConfig
from ranvier.train.network import Network
from ranvier.train.quantise import encode_dataset, quantise
from ranvier.train.settings import TrainConfig
from ranvier.train.yinyang import yinyang


def untrained():
    """Return a random network of 200 hidden neurons, whose delays keep away from their bounds."""
    config = NetworkConfig(
        inputs=5, hidden=(200,), outputs=3, readout="first-spike", delay_min=0.1, delay_max=20.0,
        duration=60.0,
    )  # fmt: skip
    settings = TrainConfig(epochs=1, hidden_mean=2.0, output_mean=0.5)
    network = Network.random(config, settings, 3)
    for parts in network.delays.values():
        parts[0][:] = 10.0
    return network


@pytest.fixture(scope="module")
def design():
    return quantise(untrained(), DesignConfig())[0]


def thresholds(design, noise, chip, trial):
    return disturbed(design, noise, chip, trial).theta0 / design.theta0 - 1


def test_thresholds_are_off_by_what_was_asked_for(design):
    pattern = Noise(mean=500, pattern=310)
    drawn = np.array([thresholds(design, pattern, chip, 0) for chip in range(20)])
    assert drawn.mean() == pytest.approx(0.05, abs=0.002)
    assert drawn.std() == pytest.approx(0.031, rel=0.04)
    assert np.array_equal(drawn[3], thresholds(design, pattern, 3, 8))
    again = np.array([
        thresholds(design, replace(pattern, trial=150), 3, trial) - drawn[3] for trial in range(20)
    ])  # fmt: skip
    assert abs(again.mean()) < 0.001
    assert again.std() == pytest.approx(0.015, rel=0.04)


def test_delays_jitter_in_each_trial(design):
    late = np.array([
        disturbed(design, Noise(jitter=250), 1, trial).delay - design.delay for trial in (0, 1)
    ])  # fmt: skip
    # Whole ticks of 100 us: rounding adds 1/12 to the variance.
    assert late.std(axis=1) == pytest.approx(np.sqrt(2.5**2 + 1 / 12), rel=0.05)
    assert np.abs(late.mean(axis=1)).max() < 0.3
    assert abs(np.corrcoef(late)[0, 1]) < 0.1


def test_what_is_too_far_off_stays_within_its_bounds(design):
    found = disturbed(design, Noise(pattern=30_000, jitter=20_000), 0, 0)
    assert found.theta0.min() == 1
    assert found.delay.min() == 1
    assert found.delay.max() == design.config.delay_max


def test_without_noise_a_chip_is_the_design(design):
    assert disturbed(design, Noise(), 5, 7).hash == design.hash


@pytest.mark.parametrize("noise", [Noise(pattern=2000), Noise(trial=2000, jitter=2000)])
def test_chips_run_every_sample_once(design, noise):
    data = yinyang({"test": 25}, 0.0, 30.0)["test"]
    events = encode_dataset(data, design.config)
    expected = []
    for chip in range(2):
        right = []
        for sample, label in enumerate(data.labels):
            trial = 0 if noise.lasts else sample // rows.robust.TRIAL
            found = Emulator(disturbed(design, noise, chip, trial)).run(events[sample])
            right.append(found.decision == label)
        expected.append(right)
    assert rows.robust.on_chips(design, data, noise, chips=2).tolist() == expected


def outcomes(accuracies):
    """Return outcomes (networks, chips, 50) of accuracies in percent."""
    return np.arange(50) < np.array(accuracies)[..., None] / 2


def test_the_interval_is_over_chips():
    found = outcomes([[90, 94] * 20, [92, 96] * 20])
    summary = rows.robust.summary(found)
    assert summary["mean"] == 93.0
    assert summary["by network"] == [92.0, 94.0]
    assert (summary["worst"], summary["least"], summary["bound"]) == (90.0, 91.0, None)
    # A mean of 40 chips with a deviation of 2.
    assert summary["interval"] == pytest.approx((92.38, 93.62), abs=0.06)
    better = rows.robust.gain(found, outcomes([[94, 98] * 20, [96, 100] * 20]))
    assert better == {"mean": 4.0, "interval": [4.0, 4.0]}


def test_trainings_are_compared_on_the_same_chips(tmp_path, monkeypatch):
    """The whole way with networks that aren't trained."""
    monkeypatch.setattr(rows.robust, "networks", lambda context, training, variant: [untrained()])
    values, found = rows.robust.threshold(Context(results=tmp_path, quick=True))
    levels = list(rows.robust.LEVELS)
    assert [found["all"][level][level]["mean"] for level in levels] == values
    assert [found["all"][level][level]["interval"] for level in levels] == found["interval"]
    for figures in found["weights"].values():
        assert list(figures) == ["plain", "3 %", "3 % - plain"]
        assert figures["3 % - plain"] == {"mean": 0.0, "interval": [0.0, 0.0]}  # the same network
    assert found["all"]["none"]["plain"]["mean"] != found["all"]["10 %"]["plain"]["mean"]


def test_trainings_differ_by_their_noise_alone(tmp_path, monkeypatch):
    experiments = {}

    def seeds(path, folder, count, first):
        name = folder.relative_to(tmp_path).as_posix().split("/", 1)[1]
        experiments[name] = rows.accuracy.read_toml(path)
        figures = {"mean": 0.9, "sd": 0.0, "least": 0.9, "largest": 0.9}
        return {"float": figures, "fixed": figures, "seeds": [{"float": 0.9, "fixed": 0.9}]}

    monkeypatch.setattr(rows.accuracy, "train_seeds", seeds)
    context = Context(results=tmp_path)
    for training in rows.robust.TRAININGS:
        rows.robust.networks(context, training, "weights, delays")
    plain, little, _, _, aware = experiments.values()
    assert next(iter(experiments)) == "ablation/yinyang/weights-delays-30"
    changed = {name for name in little["train"] if little["train"][name] != aware["train"][name]}
    assert changed == {"theta_noise", "weight_noise", "delay_noise", "loss_scale"}
    for name in ("theta_noise", "loss_scale", "beta"):  # beta is what the variant has: 0
        assert little["train"][name] == plain["train"][name]
    assert aware | {"train": {}} == little | {"train": {}}
    assert not aware["network"]["adaptive"]
