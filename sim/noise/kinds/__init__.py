"""The kinds of noise. A new one is a file here, and a line below."""

if "." not in __name__:
    raise ImportError(f"import ranvier.sim.noise.{__name__}, not {__name__}")

from .event_loss import EventLoss
from .input_jitter import InputJitter
from .weight_flips import WeightFlips

KINDS = {kind.name: kind for kind in (
    InputJitter(),
    EventLoss(),
    WeightFlips(),
)}
"""Every kind by its name, in the order of reports."""
