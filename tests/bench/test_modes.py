"""The rows of delay modes change nothing but the mode, and count what each mode trains."""

import pytest
import rows.accuracy
import rows.modes
from registry import ROWS, Context

from ranvier.train.config import DELAYS, NetworkConfig
from ranvier.train.network import Network
from ranvier.train.settings import TrainConfig


@pytest.mark.parametrize(("mode", "delays"), [
    ("synaptic", 5 * 7 + 7 * 3), ("axonal", 5 + 7), ("axonal+dendritic", 5 + 7 + 7 + 3)])
def test_parameters_are_counted_as_they_are_stored(mode, delays):
    config = NetworkConfig(
        inputs=5, hidden=(7,), outputs=3, readout="first-spike", delays=mode, delay_min=1.0,
        delay_max=9.0, duration=50.0,
    )  # fmt: skip
    found = rows.modes.count_parameters(Network.random(config, TrainConfig(epochs=1), 0))
    assert found == {"weights": 5 * 7 + 7 * 3, "delays": delays, "thresholds": 2 * (7 + 3)}


def test_only_the_mode_differs(tmp_path, monkeypatch):
    experiments = {}

    def seeds(path, folder, count, first):
        name = folder.relative_to(tmp_path).as_posix().split("/", 1)[1]
        experiments[name] = rows.accuracy.read_toml(path)
        value = 0.9 + 0.01 * len(experiments)
        figures = {"mean": value, "sd": 0.0, "least": value, "largest": value}
        return {"float": figures, "fixed": figures,
                "seeds": [{"float": value, "fixed": value}] * 5}  # fmt: skip

    def networks(context, name):
        values = experiments[name]["network"]
        config = NetworkConfig(inputs=5, outputs=3, **values | {"hidden": (30,)})
        return [Network.random(config, TrainConfig(epochs=1), 0)]

    monkeypatch.setattr(rows.accuracy, "train_seeds", seeds)
    monkeypatch.setattr(rows.modes, "trained", networks)
    means, detail = ROWS["modes-yinyang"].measure(Context(results=tmp_path))
    assert means == [91.0, 92.0, 93.0]
    assert list(experiments) == [
        "yinyang30", "modes/yinyang/axonal", "modes/yinyang/axonal+dendritic"]
    plain = rows.accuracy.read_toml(rows.accuracy.example("yinyang"))
    for mode, values in zip(DELAYS, experiments.values(), strict=True):
        assert values == plain | {"network": plain["network"] | {"delays": mode}}
    assert [detail[mode]["parameters"]["delays"] for mode in DELAYS] == [240, 35, 68]
    assert detail["differences"]["synaptic - axonal"]["mean"] == pytest.approx(-1.0)


def test_on_a_coarse_grid_the_integer_model_counts(tmp_path, monkeypatch):
    found = {
        mode: {"float": {"mean": 50.0}, "fixed": {"mean": 80.0 + k}, "seeds": [50.0, 50.0],
               "fixed by seed": [79.0 + k, 81.0 + 2 * k]}
        for k, mode in enumerate(DELAYS)
    }  # fmt: skip
    monkeypatch.setattr(rows.modes, "user_file", lambda *parts: tmp_path.joinpath(*parts))
    monkeypatch.setattr(
        rows.modes, "run_seeds", lambda *call: dict(found[call[3]["network"]["delays"]])
    )
    monkeypatch.setattr(rows.modes, "trained", lambda *_: [None])
    monkeypatch.setattr(rows.modes, "count_parameters", lambda _: {})
    means, detail = ROWS["modes-cochlea"].measure(Context(results=tmp_path))
    assert means == [80.0, 81.0, 82.0]
    assert detail["differences"]["synaptic - axonal"]["mean"] == pytest.approx(-1.5)
