"""The shape of a core: the fields that fix it, checked, and as JSON."""

import json
from dataclasses import asdict, dataclass, fields
from typing import get_type_hints

from .protection import PROTECTIONS
from .sizes import CoreSizes

SYNAPSES = ("exponential", "jump")
READOUTS = ("first-spike", "spike-count", "leaky")
BUFFERS = ("ring", "cursor")
ROWS = ("sparse", "dense")
DELAYS = ("synaptic", "axonal", "axonal+dendritic")

MOST_DELAY = 1 << 16  # ticks
MOST_PARTS = 16  # rows of a source, and dendritic delays of a neuron
LONGEST = 1 << 22  # ticks of a sample, and until a trace is 0 in a stream

# Fields that the first designs didn't have.
LATER = {"buffer": "ring", "cursors": 0, "rows": "sparse", "delays": "synaptic", "segments": 1,
         "dendrites": 0, "dendritic_max": 0, "streaming": False,
         "protection": "none", "saboteurs": False}


def check_tick(tick):
    """Raise ValueError if ``tick`` (ms) isn't a whole number of microseconds, 1 us to 10 ms."""
    microseconds = tick * 1000
    # Not the rounded number: there's none of infinity.
    if not 0.5 < microseconds < 10_000.5 or abs(microseconds - round(microseconds)) > 1e-6:
        raise ValueError(f"Core tick must be a whole number of microseconds from 0.001 to 10 ms, "
                         f"not {tick!r} ms")


def check_widths(weight_bits, trace_bits, guard_bits):
    """Raise ValueError if a width is out of range, or weights don't fit traces."""
    for name, value, low, high in (
            ("weight_bits", weight_bits, 2, 12), ("trace_bits", trace_bits, 18, 24),
            ("guard_bits", guard_bits, 0, trace_bits - weight_bits)):
        if not low <= value <= high:
            raise ValueError(f"Core {name} must be from {low} to {high}, not {value!r}")


def check_stored(buffer, rows, delays):
    """Raise ValueError if a buffer can't have such rows and delays."""
    if (buffer, rows, delays) == ("cursor", "dense", "synaptic"):
        raise ValueError(
            "Rows of cursors must be sparse with synaptic delays, not dense: a row is sorted by "
            "delay, so its targets aren't consecutive")


@dataclass(frozen=True, kw_only=True)
class CoreConfig(CoreSizes):
    """Everything that fixes the shape of a core.

    Parameters
    ----------
    inputs : int
        Input channels. At least 1.
    neurons : int
        Neurons, the output population included.
    outputs : int
        Output neurons, the last of ``neurons``. The classes.
    readout : str
        ``"first-spike"``, ``"spike-count"`` or ``"leaky"`` (output neurons don't spike).
    synapse : str
        ``"exponential"`` (traces P and Q) or ``"jump"`` (P alone).
    adaptive : bool
        Whether spikes raise the threshold (trace A).
    tick : float
        Milliseconds; a whole number of microseconds from 1 us to 10 ms.
    ticks : int
        Ticks of one sample.
    tau_m, tau_s, tau_a : float
        Time constants of P, Q and A, in ms. ``tau_a >= tau_m > tau_s > 0``.
    delay_max : int
        Longest delay, in ticks.
    fan_in : int
        Most synapses that end on one neuron.
    synapses : int
        Synapses that the fullest bank has room for.
    weight_bits, trace_bits, guard_bits : int
        Widths of weights and traces, and the fractional bits of a trace below a weight's last
        place.
    banks : int
        Banks that share the neurons. Results don't depend on it.
    buffer : str
        What delays synaptic events: ``"ring"`` (an accumulator for each neuron and tick of delay)
        or ``"cursor"`` (a cursor into its row for each spike in flight). Results don't depend on
        it, unless there are too few cursors.
    cursors : int
        Spikes that a bank can have in flight at once, with the cursor buffer: a power of two, 2 to
        65536. 0 with the ring.
    rows : str
        ``"sparse"`` (each synapse stores its target) or ``"dense"`` (a row's synapses in a bank go
        to consecutive neurons; a weight of 0 stands where there's none). Cursors with synaptic
        delays have sparse rows.
    delays : str
        ``"synaptic"`` (each synapse stores its delay), ``"axonal"`` (each row does) or
        ``"axonal+dendritic"`` (a row's is added to one of its target's).
    segments : int
        Axonal delays that a source can have in a bank: a power of two, 1 to 16. Each takes a row.
        1 where delays are synaptic.
    dendrites : int
        Dendritic delays that each neuron has, one for each kind of source: a power of two, 1 to
        16. 0 without.
    dendritic_max : int
        The longest of them, in ticks: below ``delay_max``.
    streaming : bool
        Whether time goes on without end: what would be a sample is a window of a stream, and the
        neurons aren't cleared after it.
    protection : str
        Check bits of the words that hold a network (`protection`): ``"none"``, ``"parity"`` or
        ``"secded"``. Results don't depend on it, unless bits flip.
    saboteurs : bool
        Whether each bank can be told to read one bit of one word wrong. Results don't depend on
        it, unless one is set.

    Raises
    ------
    TypeError, ValueError
        If a value has the wrong type or is out of its range.
    """

    inputs: int
    neurons: int
    outputs: int
    readout: str
    synapse: str = "exponential"
    adaptive: bool = True
    tick: float
    ticks: int
    tau_m: float
    tau_s: float
    tau_a: float
    delay_max: int
    fan_in: int
    synapses: int
    weight_bits: int = 8
    trace_bits: int
    guard_bits: int
    banks: int = 1
    buffer: str = LATER["buffer"]
    cursors: int = LATER["cursors"]
    rows: str = LATER["rows"]
    delays: str = LATER["delays"]
    segments: int = LATER["segments"]
    dendrites: int = LATER["dendrites"]
    dendritic_max: int = LATER["dendritic_max"]
    streaming: bool = LATER["streaming"]
    protection: str = LATER["protection"]
    saboteurs: bool = LATER["saboteurs"]

    def __post_init__(self):
        for name, kind in get_type_hints(type(self)).items():
            value = getattr(self, name)
            if kind is float and type(value) is int:
                object.__setattr__(self, name, float(value))
            elif type(value) is not kind:
                raise TypeError(f"Core {name} must be of type {kind.__name__}, not {value!r}")
        self._check_choice("readout", READOUTS)
        self._check_choice("synapse", SYNAPSES)
        self._check_choice("buffer", BUFFERS)
        self._check_choice("rows", ROWS)
        self._check_choice("delays", DELAYS)
        self._check_choice("protection", PROTECTIONS)
        self._check_range("inputs", 1, 1 << 16)
        self._check_range("neurons", 1, 1 << 16)
        self._check_range("outputs", 1, self.neurons)
        self._check_range("ticks", 1, LONGEST)
        self._check_range("delay_max", 1, MOST_DELAY)
        self._check_range("fan_in", 1, 1 << 16)
        self._check_range("synapses", 1, 1 << 26)
        self._check_cursors()
        self._check_rows()
        check_widths(self.weight_bits, self.trace_bits, self.guard_bits)
        self._check_range("banks", 1, self.neurons)
        check_tick(self.tick)
        if not 0 < self.tau_s < self.tau_m <= self.tau_a < 1e6:
            raise ValueError(
                "Core time constants must satisfy 0 < tau_s < tau_m <= tau_a < 1e6 ms, not "
                f"tau_s={self.tau_s!r}, tau_m={self.tau_m!r}, tau_a={self.tau_a!r}"
            )
        if self.streaming and self.forgets_after > LONGEST:
            raise ValueError(f"Core traces must be 0 after at most {LONGEST} ticks in a stream, "
                             f"not after {self.forgets_after}")
        if self.readout_bits > 60:
            raise ValueError(f"Readout must fit 60 bits, not {self.readout_bits}")

    def _check_cursors(self):
        if self.buffer == "ring":
            self._check_range("cursors", 0, 0)
        elif not 2 <= self.cursors <= 1 << 16 or self.cursors.bit_count() != 1:
            raise ValueError(
                f"Core cursors must be a power of two from 2 to 65536, not {self.cursors!r}")

    def _check_rows(self):
        check_stored(self.buffer, self.rows, self.delays)
        dendritic = self.delays == "axonal+dendritic"
        for name, least, most in (("segments", 1, 1 if self.delays == "synaptic" else MOST_PARTS),
                                  ("dendrites", dendritic, MOST_PARTS * dendritic)):
            value = getattr(self, name)
            if not least <= value <= most or value.bit_count() > 1:
                raise ValueError(f"Core {name} must be a power of two from {int(least)} to {most} "
                                 f"with {self.delays} delays, not {value!r}")
        self._check_range("dendritic_max", 0, self.delay_max - 1 if dendritic else 0)

    def _check_choice(self, name, choices):
        if getattr(self, name) not in choices:
            raise ValueError(
                f"Core {name} must be one of {', '.join(choices)}, not {getattr(self, name)!r}"
            )

    def _check_range(self, name, low, high):
        value = getattr(self, name)
        if not low <= value <= high:
            raise ValueError(f"Core {name} must be from {low} to {high}, not {value!r}")

    def to_json(self):
        """Return the config as JSON text, the same for the same config.

        Fields of `LATER` are left out at their defaults: older designs keep their hashes.
        """
        values = {name: value for name, value in asdict(self).items()
                  if name not in LATER or value != LATER[name]}
        return json.dumps(values, sort_keys=True)

    @classmethod
    def from_json(cls, text):
        """Return the config that ``to_json`` wrote; unknown and missing keys are refused."""
        values = json.loads(text)
        names = {field.name for field in fields(cls)}
        if not isinstance(values, dict) or {*values, *LATER} != names:
            found = sorted(values) if isinstance(values, dict) else values
            raise ValueError(f"Core config must have the keys {sorted(names)}, not {found!r}")
        return cls(**values)
