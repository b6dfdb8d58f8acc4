"""Fine-tuning starts where a training ended, on the design's integers, and can be interrupted."""

from dataclasses import replace

import numpy as np
import pytest

from ranvier.train import trainer
from ranvier.train.accuracy import accuracy_steps, fixed_accuracy
from ranvier.train.config import NetworkConfig
from ranvier.train.design import DesignConfig
from ranvier.train.finetune import finetune
from ranvier.train.network import Network
from ranvier.train.quantise import coarse_delays, quantise
from ranvier.train.schedule import best_epoch
from ranvier.train.settings import TrainConfig
from ranvier.train.trainer import train
from ranvier.train.yinyang import yinyang

CONFIG = NetworkConfig(
    inputs=5, hidden=(16,), outputs=3, readout="first-spike", adaptive=False, delay_min=0.1,
    delay_max=10.0, duration=60.0,
)  # fmt: skip
SETTINGS = TrainConfig(
    epochs=30, batch=20, weight_rate=0.02, delay_rate=0.2, rate_low=1.0, rate_strength=4.0,
    hidden_mean=1.5, hidden_sd=0.8, output_mean=0.8, output_sd=0.4, hidden_delay=5.0,
    output_delay=1.0, spike_cap=10.0,
)  # fmt: skip
TUNING = replace(SETTINGS, epochs=5, patience=5, weight_rate=0.01)
DESIGN = DesignConfig(tick=0.5, weight_bits=3)


@pytest.fixture(scope="module")
def data():
    return yinyang({"train": 400, "validation": 200, "test": 300}, 0.0, 30.0)


@pytest.fixture(scope="module")
def trained(data):
    return train(CONFIG, SETTINGS, {"train": data["train"]}, 3, progress=False, threads=1)[0]


@pytest.fixture(scope="module")
def tuned(trained, data):
    return finetune(trained, DESIGN, TUNING, data, 3, progress=False, threads=1)


def bits(network):
    return {name: array.tobytes() for name, array in network.arrays().items()}


def test_fine_tuning_gains_what_rounding_lost(trained, tuned, data):
    network, history, scales = tuned
    before = accuracy_steps(trained, DESIGN, data["test"])
    after = fixed_accuracy(network, DESIGN, data["test"], scales)
    assert before["traces"] < before["float"] - 0.1
    assert after > before["traces"] + 0.1
    assert history[-1]["loss"] < history[0]["loss"]


def test_the_best_epochs_accuracy_is_the_integer_models(tuned, data):
    network, history, scales = tuned
    kept = history[best_epoch(history) - 1]
    for name in ("validation", "test"):
        assert kept["accuracy"][name] == fixed_accuracy(network, DESIGN, data[name], scales)


def test_scales_are_those_of_the_first_network(trained, tuned):
    _, report = quantise(trained, DESIGN)
    assert tuned[2] == {name: part["scale"] for name, part in report["populations"].items()}


def test_the_first_network_stays(trained, data):
    before = bits(trained)
    finetune(trained, DESIGN, replace(TUNING, epochs=1), data, 3, progress=False, threads=1)
    assert bits(trained) == before


def test_an_interrupted_tuning_goes_on_to_the_same_bits(
        trained, tuned, data, tmp_path, monkeypatch):
    plain, calls = trainer.cross_entropy, 0

    def interrupt(*args, **fields):
        nonlocal calls
        calls += 1
        if calls == 60:
            raise KeyboardInterrupt
        return plain(*args, **fields)

    def again(design=DESIGN):
        return finetune(trained, design, TUNING, data, 3, tmp_path, progress=False, threads=1)

    with monkeypatch.context() as patch:
        patch.setattr(trainer, "cross_entropy", interrupt)
        with pytest.raises(KeyboardInterrupt):
            again()
    with pytest.raises(ValueError, match="must be of this run, not of one with other settings"):
        again(replace(DESIGN, weight_bits=4))
    network, _, scales = again()
    assert bits(network) == bits(tuned[0])
    assert scales == tuned[2]
    assert bits(Network.load(tmp_path / "network.safetensors")) == bits(network)


def test_another_first_network_is_another_run(trained, data, tmp_path):
    short = replace(TUNING, epochs=1)
    finetune(trained, DESIGN, short, data, 3, tmp_path, progress=False, threads=1)
    other = trained.copy()
    other.theta0["output"] *= 1.01
    with pytest.raises(ValueError, match="must be of this run"):
        finetune(other, DESIGN, short, data, 3, tmp_path, progress=False, threads=1)


def test_coarse_delays_are_tuned_as_they_are_rounded(trained, data):
    design = DesignConfig(tick=0.5)
    network, history, scales = finetune(
        trained, design, replace(TUNING, epochs=2), data, 3, delay_bits=2, progress=False,
        threads=1,
    )  # fmt: skip
    kept = history[best_epoch(history) - 1]["accuracy"]["test"]
    assert kept == fixed_accuracy(coarse_delays(network, 2), design, data["test"], scales)
    assert kept != fixed_accuracy(network, design, data["test"], scales)


@pytest.mark.parametrize(("delays", "high"), [("synaptic", 10.0), ("axonal+dendritic", 5.0)])
def test_coarse_delays_are_few(delays, high):
    config = replace(CONFIG, delays=delays)
    settings = replace(SETTINGS, hidden_delay=10.0, output_delay=10.0)
    network = Network.random(config, settings, 1)
    coarse = coarse_delays(network, 2)
    values = [np.unique(part) for parts in coarse.delays.values() for part in parts]
    np.testing.assert_allclose(np.unique(np.concatenate(values)), high * np.arange(1, 5) / 4)
    for pair, parts in coarse.delays.items():
        for one, other in zip(parts, network.delays[pair], strict=True):
            assert np.abs(one - other)[other > high / 4].max() <= high / 8 + 1e-12
    coarse.check()


@pytest.mark.parametrize("width", [0, 17])
def test_bits_of_delays_have_a_range(width):
    with pytest.raises(ValueError, match=f"Bits of a delay must be from 1 to 16, not {width}"):
        coarse_delays(Network.random(CONFIG, SETTINGS, 1), width)
