"""The engine's gradients against derivatives by a complex step, to more digits than differences."""

import pytest
from rows.exactness import gradient_error


@pytest.mark.parametrize("seed", [0, 1])
def test_gradients_of_every_kind_are_exact_to_eight_digits(seed):
    errors, spikes = gradient_error(seed, hidden=(3, 2), events=16)
    assert errors.keys() == {"weights", "delays", "theta0", "beta", "tau"}
    assert spikes > 25
    assert max(errors.values()) < 1e-8, errors
