"""What the user chooses of a core."""

from dataclasses import dataclass
from math import ceil, log2

from ..model.config import BUFFERS, DELAYS, ROWS, check_stored, check_tick, check_widths
from ..model.protection import PROTECTIONS

# log2 of how many largest weights a trace holds: no more are needed; with fewer it saturates.
MOST_HEADROOM, LEAST_HEADROOM = 8, 4


@dataclass(frozen=True, kw_only=True)
class DesignConfig:
    """What the user chooses of a core; the rest of `CoreConfig` follows from the network.

    Parameters
    ----------
    tick : float
        Milliseconds; a whole number of microseconds from 1 us to 10 ms.
    weight_bits, trace_bits : int
        Widths of weights (2 to 12) and traces (18 to 24).
    guard_bits : int or None
        Fractional bits of a trace below a weight's last place. By default those of
        `default_guard_bits`.
    banks : int
        Banks of the core.
    buffer : str
        What delays synaptic events: ``"ring"``, ``"cursor"``, or ``"auto"``: of all ways to store
        rows and delays the one that takes the fewest bits (`choose_buffer`).
    cursors : int or None
        Spikes that a bank can have in flight with the cursor buffer: a power of two. By default
        as many as the training samples need, twice over.
    rows, delays : str
        How rows and delays are stored: ``"sparse"`` or ``"dense"``; ``"synaptic"``, ``"axonal"`` or
        ``"axonal+dendritic"``. As of `CoreConfig`.
    protection : str
        Check bits of the words that hold the network: ``"none"``, ``"parity"`` or ``"secded"``.
    saboteurs : bool
        Whether each bank can be told to read one bit of one word wrong, to see what comes of it.
    """

    tick: float = 0.1
    weight_bits: int = 8
    trace_bits: int = 24
    guard_bits: int | None = None
    banks: int = 1
    buffer: str = "ring"
    cursors: int | None = None
    rows: str = "sparse"
    delays: str = "synaptic"
    protection: str = "none"
    saboteurs: bool = False

    def __post_init__(self):
        if self.buffer not in (*BUFFERS, "auto"):
            raise ValueError(f"Design buffer must be one of {', '.join(BUFFERS)}, auto, "
                             f"not {self.buffer!r}")
        for name, choices in (("rows", ROWS), ("delays", DELAYS), ("protection", PROTECTIONS)):
            value = getattr(self, name)
            if value not in choices:
                raise ValueError(
                    f"Design {name} must be one of {', '.join(choices)}, not {value!r}")
            if value != choices[0] and self.buffer == "auto" and choices is not PROTECTIONS:
                raise ValueError(f"Design {name} must be left out with auto, not {value!r}")
        check_stored(self.buffer, self.rows, self.delays)
        if self.cursors is not None and self.buffer == "ring":
            raise ValueError("Design cursors must be left out with the ring, "
                             f"not {self.cursors!r}")
        check_tick(self.tick)
        check_widths(self.weight_bits, self.trace_bits, self.guard_bits or 0)
        if self.banks < 1:
            raise ValueError(f"Design banks must be at least 1, not {self.banks!r}")


def default_guard_bits(design, tau_m):
    """Return the guard bits of a `DesignConfig` that has none, for ``tau_m`` in ms.

    Enough for what a trace loses in a tick, which is its ``tau_m / tick``-th part, if a trace then
    still holds 2^`LEAST_HEADROOM` largest weights; and so many that it holds no more than
    2^`MOST_HEADROOM`. The 7 last places that the sleep rule allows for rounding are little of a
    threshold then.
    """
    loss = ceil(log2(max(2.0, tau_m / design.tick))) + 1
    spare = design.trace_bits - design.weight_bits
    return max(min(loss, spare - LEAST_HEADROOM), spare - MOST_HEADROOM)
