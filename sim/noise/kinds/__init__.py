"""The kinds of noise. A new one is a file here, and a line below."""

if "." not in __name__:
    raise ImportError(f"import ranvier.sim.noise.{__name__}, not {__name__}")

from .address_flips import AddressFlips
from .congestion import Congestion, CongestionDropNew, CongestionDropOld
from .dead_neurons import DeadNeurons
from .delay_flips import DelayFlips
from .delay_mismatch import DelayMismatch
from .event_insertion import EventInsertion
from .event_loss import EventLoss
from .event_order import EventOrder
from .event_repeats import EventRepeats
from .input_jitter import InputJitter
from .saturated_neurons import SaturatedNeurons
from .stalls import Stalls
from .state_upsets import StateUpsets
from .stuck_weight_bits import StuckWeightBits
from .tau_mismatch import TauMismatch
from .threshold_drift import ThresholdDrift
from .threshold_flips import ThresholdFlips
from .threshold_mismatch import ThresholdMismatch
from .threshold_offset import ThresholdOffset
from .threshold_trial import ThresholdTrial
from .tick_jitter import TickJitter
from .weight_clusters import WeightClusters
from .weight_drops import WeightDrops
from .weight_flips import WeightFlips
from .weight_map import WeightMap
from .weight_mismatch import WeightMismatch
from .weight_quantisation import WeightQuantisation

KINDS = {kind.name: kind for kind in (
    InputJitter(),
    EventLoss(),
    EventInsertion(),
    EventRepeats(),
    AddressFlips(),
    EventOrder(),
    TickJitter(),
    Congestion(),
    CongestionDropNew(),
    CongestionDropOld(),
    Stalls(),
    WeightFlips(),
    WeightDrops(),
    WeightClusters(),
    StuckWeightBits(),
    WeightMap(),
    DelayFlips(),
    ThresholdFlips(),
    StateUpsets(),
    DeadNeurons(),
    SaturatedNeurons(),
    WeightMismatch(),
    WeightQuantisation(),
    ThresholdMismatch(),
    ThresholdOffset(),
    ThresholdTrial(),
    ThresholdDrift(),
    TauMismatch(),
    DelayMismatch(),
)}
"""Every kind by its name, in the order of reports."""
