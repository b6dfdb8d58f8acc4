"""Which engine runs a network: time that is continuous, or a grid of ticks."""

from .engine import Engine
from .grid import TickEngine

__all__ = ["make_engine"]


def make_engine(config, tick: float, threads: int | None = None):
    """Return the `TickEngine` for a tick in ms, or for 0 the exact `Engine`."""
    return TickEngine(config, tick, threads) if tick else Engine(config, threads)
