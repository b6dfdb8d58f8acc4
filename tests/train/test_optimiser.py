"""Adam takes the steps it should, within bounds."""

import numpy as np
import pytest

from ranvier.train.optimiser import Adam

RATES = {"weights": 0.1, "delays": 1.0, "theta0": 0.0}


def parameters():
    return {"weights/a": np.array([1.0, -2.0]), "delays/a": np.array([3.0]), "theta0/a": np.ones(1)}


def test_first_step_is_the_rate_against_the_sign():
    arrays = parameters()
    adam = Adam(arrays, rates=RATES, bounds={})
    adam.step({"weights/a": np.array([5.0, -1e-3]), "delays/a": np.array([2.0])})
    np.testing.assert_allclose(arrays["weights/a"], [0.9, -1.9], rtol=1e-4)
    np.testing.assert_allclose(arrays["delays/a"], [2.0], rtol=1e-4)
    assert arrays["theta0/a"] == 1.0


def test_steps_are_the_textbooks():
    arrays = {"weights/a": np.array([1.0])}
    adam = Adam(arrays, rates=RATES, bounds={}, first=0.8, second=0.9)
    value, mean, square = 1.0, 0.0, 0.0
    for k, gradient in enumerate([0.3, -2.0, 0.7], start=1):
        adam.step({"weights/a": np.array([gradient])}, factor=0.5)
        mean, square = 0.8 * mean + 0.2 * gradient, 0.9 * square + 0.1 * gradient**2
        root = np.sqrt(square / (1 - 0.9**k))
        value -= 0.05 * mean / (1 - 0.8**k) / (root + 1e-8)
    assert arrays["weights/a"][0] == pytest.approx(value, rel=1e-12)


def test_parameters_stay_within_bounds():
    arrays = parameters()
    adam = Adam(arrays, rates=RATES, bounds={"delays": (2.5, 9.0)})
    for _ in range(5):
        adam.step({"weights/a": np.zeros(2), "delays/a": np.ones(1)})
    assert arrays["delays/a"] == 2.5


def test_a_gradient_that_is_not_finite_changes_nothing():
    arrays = parameters()
    adam = Adam(arrays, rates=RATES, bounds={})
    with pytest.raises(FloatingPointError, match="Gradient of delays/a must be finite"):
        adam.step({"weights/a": np.ones(2), "delays/a": np.array([np.nan])})
    np.testing.assert_array_equal(arrays["weights/a"], [1.0, -2.0])
    assert adam.arrays()["steps"][0] == 0


def test_restored_state_goes_on_to_the_same_bits():
    rng = np.random.default_rng(0)
    gradients = [{"weights/a": rng.normal(size=2), "delays/a": rng.normal(size=1)} for _ in "abcd"]
    one = parameters()
    adam = Adam(one, rates=RATES, bounds={})
    for gradient in gradients[:2]:
        adam.step(gradient)
    two = {name: array.copy() for name, array in one.items()}
    other = Adam(two, rates=RATES, bounds={})
    other.restore({name: array.copy() for name, array in adam.arrays().items()})
    for gradient in gradients[2:]:
        adam.step(gradient)
        other.step(gradient)
    for name, array in one.items():
        np.testing.assert_array_equal(array, two[name])


def test_restore_refuses_another_shape():
    adam = Adam(parameters(), rates=RATES, bounds={})
    state = adam.arrays() | {"mean/delays/a": np.zeros(2)}
    with pytest.raises(ValueError, match=r"must hold mean/delays/a of shape \(1,\)"):
        adam.restore(state)
