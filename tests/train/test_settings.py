"""Training settings check themselves."""

import pytest

from ranvier.train.settings import TrainConfig


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "epochs must be a whole number of at least 1, not 0"),
        ({"batch": 2.5}, "batch must be a whole number of at least 1, not 2.5"),
        ({"weight_rate": -1.0}, "weight_rate must be at least 0, not -1.0"),
        ({"delay_rate": float("nan")}, "delay_rate must be a finite number, not nan"),
        ({"beta": "much"}, "beta must be a finite number, not 'much'"),
        ({"dropout": 1.0}, "dropout must be below 1, not 1.0"),
        ({"dropout": 0.5, "fading": 0.5}, "dropout and fading must make less than 1, not 1.0"),
        ({"loss_scale": 0.0}, "loss_scale must be above 0, not 0.0"),
        ({"loss": "hinge"}, "loss must be one of .*distance, not 'hinge'"),
        (
            {"schedule": "step"},
            "schedule must be one of cosine, exponential, constant, not 'step'",
        ),
        (
            {"schedule": "exponential", "final_rate": 0},
            "final_rate must be above 0 for an exponential schedule, not 0.0",
        ),
        ({"warmup": 0.5}, "warmup must be a whole number of at least 0, not 0.5"),
        ({"patience": -1}, "patience must be a whole number of at least 0, not -1"),
        ({"shift": True}, "shift must be a whole number of at least 0, not True"),
        ({"blend": 1.5}, "blend must be at most 1, not 1.5"),
        ({"tick": 0.1, "tau_rate": 0.1}, "tau_rate needs continuous time: tick must be 0, not 0.1"),
        ({"tick": 0.5, "margin_strength": 1}, "margin_strength needs continuous time: tick must"),
        ({"wake": -0.1}, "wake must be at least 0, not -0.1"),
        ({"rate_low": 3.0, "rate_high": 2.0}, "rate_low must be at most rate_high = 2.0, not 3.0"),
    ],
)
def test_refuses(changes, message):
    with pytest.raises(ValueError, match=message):
        TrainConfig(**{"epochs": 1, **changes})


def test_whole_numbers_become_floats():
    settings = TrainConfig(epochs=1, hidden_delay=5)
    assert settings.to_dict()["hidden_delay"] == 5.0
    assert isinstance(settings.hidden_delay, float)
    assert TrainConfig(**settings.to_dict()) == settings
