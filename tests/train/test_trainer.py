"""Training learns, and gives the same bits however it's run or interrupted."""

import json
from dataclasses import replace

import numpy as np
import pytest

from ranvier.train import trainer
from ranvier.train.config import NetworkConfig
from ranvier.train.network import Network
from ranvier.train.samples import Dataset
from ranvier.train.schedule import best_epoch
from ranvier.train.settings import TrainConfig
from ranvier.train.trainer import evaluate, train
from ranvier.train.yinyang import yinyang

from .nets import loop

CONFIG = NetworkConfig(
    inputs=5, hidden=(12,), outputs=3, readout="first-spike", delay_min=0.1, delay_max=10.0,
    duration=80.0,
)  # fmt: skip
SETTINGS = TrainConfig(
    epochs=4, batch=20, weight_rate=0.02, delay_rate=0.1, theta_rate=0.01, beta_rate=0.01,
    loss_scale=2.0, rate_low=0.3, rate_strength=0.5, hidden_mean=1.5, hidden_sd=0.8,
    output_mean=0.6, output_sd=0.4, hidden_delay=5.0, output_delay=1.0, beta=0.1, jitter=0.1,
    dropout=0.05, theta_noise=0.01, spike_cap=10.0,
)  # fmt: skip


@pytest.fixture(scope="module")
def data():
    return yinyang({"train": 120, "test": 60}, 0.0, 30.0)


def bits(network):
    return {name: array.tobytes() for name, array in network.arrays().items()}


def lasting(history):
    """What must be equal from run to run: all but the time it took."""
    return [{key: value for key, value in record.items() if key != "seconds"} for record in history]


@pytest.fixture(scope="module")
def straight(data, tmp_path_factory):
    """A run without interruption on one thread: its folder, network and history."""
    folder = tmp_path_factory.mktemp("straight")
    return folder, *train(CONFIG, SETTINGS, data, 3, folder, progress=False, threads=1)


def test_training_improves(straight, data):
    _, network, history = straight
    assert history[-1]["loss"] < 0.9 * history[0]["loss"]
    assert history[-1]["accuracy"]["test"] == evaluate(network, data["test"]) > 0.5
    assert history[-1]["accuracy"]["train"] > history[0]["accuracy"]["train"]


def test_every_kind_of_parameter_is_trained_within_its_bounds(straight):
    _, network, _ = straight
    first = Network.random(CONFIG, SETTINGS, 3).arrays()
    for name, array in network.arrays().items():
        changed = not np.array_equal(array, first[name])
        # Of a first-spike output only the first spike counts, and beta moves only later ones.
        assert changed == (name != "beta/output" and not name.startswith("tau/"))
    network.check()


def test_a_tick_trains_and_measures_on_the_grid(data):
    settings = replace(SETTINGS, tick=0.5)
    network, history = train(CONFIG, settings, data, 3, progress=False)
    assert history[-1]["loss"] < history[0]["loss"]
    assert history[-1]["accuracy"]["test"] == evaluate(network, data["test"], 0.5)
    assert not np.array_equal(network.predict(data["train"]), network.predict(data["train"], 0.5))


def test_threads_do_not_change_a_bit(straight, data):
    _, network, history = straight
    other, records = train(CONFIG, SETTINGS, data, 3, progress=False, threads=2)
    assert bits(other) == bits(network)
    assert lasting(records) == lasting(history)


def test_resumed_run_is_the_uninterrupted_one(straight, data, tmp_path, monkeypatch):
    """Ctrl-C in the middle of the third epoch."""
    calls = 0
    plain = trainer.cross_entropy

    def interrupt(*args, **fields):
        nonlocal calls
        calls += 1
        if calls == 15:
            raise KeyboardInterrupt
        return plain(*args, **fields)

    monkeypatch.setattr(trainer, "cross_entropy", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(CONFIG, SETTINGS, data, 3, tmp_path, progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.safetensors"]
    network, history = train(CONFIG, SETTINGS, data, 3, tmp_path, progress=False)
    assert calls == 15 + 2 * (6 + 1)  # two epochs of 6 batches, and the test set
    assert bits(network) == bits(straight[1])
    assert lasting(history) == lasting(straight[2])


def test_a_finished_run_is_not_trained_again(straight, data, monkeypatch):
    folder, network, history = straight

    def fail(*_, **__):
        raise AssertionError("trained again")

    monkeypatch.setattr(trainer, "cross_entropy", fail)
    again, records = train(CONFIG, SETTINGS, data, 3, folder, progress=False)
    assert bits(again) == bits(network)
    assert records == history


def test_files_say_what_was_run(straight):
    folder, network, history = straight
    assert bits(Network.load(folder / "network.safetensors")) == bits(network)
    report = json.loads((folder / "training.json").read_text())
    assert report["seed"] == 3
    assert TrainConfig(**report["settings"]) == SETTINGS
    assert report["history"] == history
    assert report["epoch"] == len(history)
    assert history[0].keys() == {
        "epoch", "loss", "accuracy", "penalty", "margin", "spikes", "silent", "woken", "limited",
        "seconds",
    }  # fmt: skip


def test_checkpoint_of_another_run_is_refused(straight, data):
    with pytest.raises(ValueError, match=r"checkpoint.safetensors must be of this run, not of one"):
        train(CONFIG, SETTINGS, data, 4, straight[0], progress=False)


def test_without_resume_it_starts_anew(straight, data, tmp_path):
    (tmp_path / "checkpoint.safetensors").write_bytes(b"rubbish")
    network, _ = train(CONFIG, SETTINGS, data, 3, tmp_path, resume=False, progress=False)
    assert bits(network) == bits(straight[1])


def test_seeds_differ(straight, data):
    network, _ = train(CONFIG, SETTINGS, data, 4, progress=False)
    assert bits(network) != bits(straight[1])


def test_progress_goes_to_stderr(data, capfd):
    train(CONFIG, TrainConfig(epochs=1), data, 0)
    out, err = capfd.readouterr()
    assert out == ""
    assert "1/1" in err
    assert "test" in err


@pytest.mark.parametrize("readout", ["spike-count", "leaky", "max"])
def test_other_readouts_learn_too(readout):
    """Two classes of which one comes early on channel 0, the other late."""
    times = np.column_stack([np.full(40, 5000), np.full(40, 5000)])
    times[::2, 1] = 25_000
    data = Dataset(
        times=times.ravel(), channels=np.tile([0, 1], 40).astype(np.int32),
        offsets=np.arange(0, 81, 2), labels=np.arange(40) % 2, n_channels=2, n_classes=2,
    )  # fmt: skip
    config = NetworkConfig(
        inputs=2, hidden=(8,), outputs=2, connections=loop(8), readout=readout,
        delay_min=0.5, delay_max=25.0, duration=70.0,
    )  # fmt: skip
    settings = TrainConfig(
        epochs=25, batch=10, weight_rate=0.03, delay_rate=0.5, theta_rate=0.01, loss_scale=10.0,
        rate_low=0.5, rate_strength=0.1, hidden_mean=2.0, hidden_sd=1.0, output_mean=0.5,
        output_sd=0.5, hidden_delay=25.0, recurrent_delay=10.0,
    )  # fmt: skip
    network, _ = train(config, settings, {"train": data}, 0, progress=False)
    assert evaluate(network, data) == 1.0


def test_data_must_fit(data):
    config = NetworkConfig(inputs=4, hidden=(), outputs=3, delay_min=1, delay_max=1, duration=9)
    with pytest.raises(ValueError, match="Inputs of the network must be 5 for dataset 'train'"):
        train(config, SETTINGS, data, 0, progress=False)
    with pytest.raises(ValueError, match=r"Data must hold 'train', not only \['test'\]"):
        train(CONFIG, SETTINGS, {"test": data["test"]}, 0, progress=False)
    with pytest.raises(ValueError, match=r"Data must hold 'validation' for a patience of 2 epochs"):
        train(CONFIG, replace(SETTINGS, patience=2), data, 0, progress=False)


def test_a_loss_that_cannot_judge_the_readout_is_refused(data):
    config = replace(CONFIG, readout="leaky")
    with pytest.raises(ValueError, match="Readout for the loss distance must be one of first-spi"):
        train(config, replace(SETTINGS, loss="distance"), data, 0, progress=False)


@pytest.mark.parametrize("loss", ["distance", "cross-entropy+distance"])
def test_the_distance_of_first_spikes_is_learned(data, loss):
    settings = replace(SETTINGS, loss=loss, loss_gap=3.0, epochs=5)
    network, history = train(CONFIG, settings, data, 3, progress=False)
    assert history[-1]["loss"] < 0.8 * history[0]["loss"]
    assert evaluate(network, data["test"]) > 0.5


STOPPING = replace(
    SETTINGS, epochs=30, patience=2, schedule="exponential", warmup=1, weight_rate=0.05,
    blend=0.2, jitter=1.0, wake=0.1,
)  # fmt: skip


@pytest.fixture(scope="module")
def three():
    return yinyang({"train": 120, "validation": 60, "test": 20}, 0.0, 30.0)


@pytest.fixture(scope="module")
def stopped(three):
    return train(CONFIG, STOPPING, three, 3, progress=False)


def test_early_stopping_gives_the_best_epoch(stopped, three):
    network, history = stopped
    best = best_epoch(history)
    assert len(history) == best + 2 < 30
    assert history[best - 1]["accuracy"]["validation"] == evaluate(network, three["validation"])
    assert history[best - 1]["accuracy"]["test"] == evaluate(network, three["test"])


@pytest.mark.parametrize("epochs_done", [1, -2, -1])
def test_early_stopping_resumes_to_the_same_bits(
    stopped, three, tmp_path, monkeypatch, epochs_done
):
    network, history = stopped
    plain = trainer._Run.epoch

    def interrupt(run):
        if len(run.history) == epochs_done % len(history):
            raise KeyboardInterrupt
        return plain(run)

    with monkeypatch.context() as patch:
        patch.setattr(trainer._Run, "epoch", interrupt)
        with pytest.raises(KeyboardInterrupt):
            train(CONFIG, STOPPING, three, 3, tmp_path, progress=False)
    again, records = train(CONFIG, STOPPING, three, 3, tmp_path, progress=False)
    assert lasting(records) == lasting(history)
    assert bits(again) == bits(network)
    assert json.loads((tmp_path / "training.json").read_text())["epoch"] == best_epoch(history)
    finished, records = train(CONFIG, STOPPING, three, 3, tmp_path, progress=False)
    assert lasting(records) == lasting(history)
    assert bits(finished) == bits(network)


def test_the_test_set_decides_nothing(stopped, three):
    others = {name: three[name] for name in ("train", "validation")}
    network, _ = train(CONFIG, STOPPING, others, 3, progress=False)
    assert bits(network) == bits(stopped[0])


def test_the_penalty_and_the_silent_are_told(data):
    settings = replace(SETTINGS, epochs=1, hidden_mean=-1.0, rate_low=2.0, rate_strength=0.5)
    (record,) = train(CONFIG, settings, data, 3, progress=False)[1]
    assert 0 < record["silent"] <= 12 + 3
    assert record["woken"] == 0
    assert 0.5 / 2 * 4.0 * 6 < record["penalty"] <= 0.5 / 2 * (4.0 * 12 + 3)


def test_the_margin_penalty_brings_silent_neurons_to_their_threshold(data):
    quiet = replace(SETTINGS, hidden_mean=0.2, hidden_sd=0.05, rate_strength=0.0, jitter=0.0,
                    dropout=0.0, theta_noise=0.0)  # fmt: skip
    without = train(CONFIG, quiet, data, 3, progress=False)[1]
    assert all(record["margin"] == 0.0 for record in without)
    history = train(CONFIG, replace(quiet, margin_strength=1.0), data, 3, progress=False)[1]
    assert without[-1]["spikes"] == 0.0 < history[-1]["spikes"]
    assert history[0]["margin"] > 2 * history[-1]["margin"] > 0.0


@pytest.mark.parametrize("taus", ["shared", "population"])
def test_time_constants_are_trained_together_or_each(data, taus):
    settings = replace(SETTINGS, tau_rate=0.2)
    network, _ = train(replace(CONFIG, taus=taus), settings, data, 3, progress=False)
    network.check()
    assert network.taus("hidden0")[:2] != (20.0, 5.0)
    assert (network.taus("hidden0") == network.taus("output")) == (taus == "shared")


def test_training_sees_the_changed_samples_and_measuring_the_given_ones(data):
    plain = replace(SETTINGS, epochs=1, weight_rate=0.0, delay_rate=0.0, theta_rate=0.0,
                    beta_rate=0.0, dropout=0.0, jitter=0.0)  # fmt: skip
    (one,), (other,) = (
        train(CONFIG, replace(plain, dropout=dropout), data, 3, progress=False)[1]
        for dropout in (0.0, 0.9)
    )
    assert other["spikes"] < 0.3 * one["spikes"]
    assert other["accuracy"]["test"] == one["accuracy"]["test"]


def test_silent_neurons_are_woken(data):
    settings = replace(
        SETTINGS, epochs=12, hidden_mean=-1.0, hidden_sd=0.1, rate_strength=0.0, weight_rate=0.0,
        wake=0.3,
    )  # fmt: skip
    network, history = train(CONFIG, settings, data, 3, progress=False)
    assert history[0]["silent"] == history[0]["woken"] == 12 + 3
    assert history[-1]["silent"] == 0
    assert (network.weights["input", "hidden0"] > 0).all()
