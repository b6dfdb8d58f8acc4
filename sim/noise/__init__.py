"""Noise studies: a plan of faults is drawn, the model runs it whole, the RTL replays some of it."""

if "." not in __name__:
    raise ImportError(f"import ranvier.sim.{__name__}, not {__name__}")

from .settings import NoiseConfig

__all__ = ["NoiseConfig"]
