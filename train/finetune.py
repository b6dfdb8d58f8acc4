"""Trains a network on as its core will compute it: with everything rounded."""

from pathlib import Path

from .integer import IntegerEngine
from .network import Network
from .trainer import train

__all__ = ["finetune"]


def finetune(
    network: Network,
    design,
    settings,
    data: dict,
    seed: int,
    folder: Path | None = None,
    *,
    delay_bits: int | None = None,
    resume: bool = True,
    progress: bool = True,
    threads: int | None = None,
) -> tuple[Network, list[dict], dict[str, float]]:
    """Train on from a network with the integers of a design in the loop.

    Forwards the integer model runs, backwards the gradients go to the float parameters as if
    rounding weren't there: see `IntegerEngine`.

    Parameters
    ----------
    network : Network
        Stays as it is.
    design : DesignConfig
    settings : TrainConfig
        Of which those of first parameters, and ``tick``, don't count.
    data, seed, folder, resume, progress, threads
        As of `train`.
    delay_bits : int or None
        Delays are those of `coarse_delays`; None: as fine as the tick.

    Returns
    -------
    network : Network
    history : list of dict
        As of `train`; accuracies and losses are the integer model's.
    scales : dict of str to float
        With which `quantise` must round the network.

    Raises
    ------
    ValueError
        What `train` does; and if the network doesn't fit the design, or has jump synapses.
    """
    engine = IntegerEngine(network.config, design, threads, delay_bits)
    engine.pack(network)  # the scales that stay are those of this network
    tuned, history = train(
        network.config, settings, data, seed, folder, resume=resume, progress=progress,
        engine=engine, start=network,
    )  # fmt: skip
    return tuned, history, dict(engine.scales)
