"""Fixed-pattern noise in training: each batch meets a device whose parameters are a little off."""

import numpy as np

from .network import Network

__all__ = ["mismatched"]

LEAST = 0.01
"""Least part of a threshold or a time constant that noise leaves: they must stay above 0."""


def mismatched(network: Network, settings, rng: np.random.Generator) -> Network:
    """Return a network as one drawn device has it.

    Thresholds and weights are multiplied by 1 + noise, each by its own; each stored delay gets
    noise added, and stays within its bounds. Each of the three time constants is multiplied by its
    own 1 + noise, by the same in all populations where these share them, and they are brought back
    in order. Without any noise it's the network itself.

    Parameters
    ----------
    network : Network
    settings : TrainConfig
        Of which ``theta_noise``, ``weight_noise``, ``tau_noise`` (relative) and ``delay_noise``
        (ms) count.
    rng : numpy.random.Generator
        Draws numbers for thresholds always, so that what it gives later doesn't depend on
        ``theta_noise``.
    """
    config = network.config
    drawn = rng.standard_normal(sum(config.populations.values()))
    names = ("theta_noise", "weight_noise", "delay_noise", "tau_noise")
    if not any(getattr(settings, name) for name in names):
        return network
    device = network.copy()
    place = 0
    for name, size in config.populations.items():
        if name in config.spiking:
            own = drawn[place : place + size]
            device.theta0[name] *= np.maximum(1.0 + settings.theta_noise * own, LEAST)
        place += size
    if settings.weight_noise:
        for weight in device.weights.values():
            weight *= 1.0 + settings.weight_noise * rng.standard_normal(weight.shape)
    if settings.delay_noise:
        for delay in (part for parts in device.delays.values() for part in parts):
            delay += settings.delay_noise * rng.standard_normal(delay.shape)
            np.clip(delay, *Network.bounds(config)["delays"], out=delay)
    if settings.tau_noise:
        factor = np.ones(3)
        for k, tau in enumerate(device.tau.values()):
            if k == 0 or config.taus == "population":
                factor = np.maximum(1.0 + settings.tau_noise * rng.standard_normal(3), LEAST)
            tau *= factor
        device.order_taus()
    return device
