"""The closed form of the leaky readout is its integral."""

import numpy as np
import pytest

from ranvier.model.readout import readout_kernel

FIELDS = {"duration": 60.0, "tau_m": 20.0, "tau_s": 5.0}


@pytest.mark.parametrize("synapse", ["exponential", "jump"])
def test_kernel_is_the_integral(synapse):
    times = np.array([0.0, 0.3, 17.0, 55.0, 59.9])
    for time, value in zip(times, readout_kernel(times, **FIELDS, synapse=synapse), strict=True):
        grid = np.linspace(time, 60.0, 200_001)
        v = np.exp(-(grid - time) / 20.0)
        if synapse == "exponential":
            v -= np.exp(-(grid - time) / 5.0)
        integral = np.trapezoid(np.exp(-grid / 60.0) * v, grid) / 60.0
        assert value == pytest.approx(integral, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("synapse", ["exponential", "jump"])
def test_late_arrivals_add_nothing(synapse):
    assert not readout_kernel([60.0, 60.1, 1e6], **FIELDS, synapse=synapse).any()


def test_shape_is_kept_and_synapse_checked():
    assert readout_kernel(np.zeros((2, 3)), **FIELDS, synapse="jump").shape == (2, 3)
    with pytest.raises(ValueError, match="Synapse must be 'exponential' or 'jump', not 'alpha'"):
        readout_kernel(0.0, **FIELDS, synapse="alpha")
