"""Which designs are explored: the table ``[explore]`` of an experiment."""

from dataclasses import dataclass

from ...hw.synthesis.devices import find_device
from ...model.config import BUFFERS, DELAYS, ROWS, check_tick, check_widths

__all__ = ["ExploreConfig"]


@dataclass(frozen=True, kw_only=True)
class ExploreConfig:
    """The values that the fields of a design take, in every combination.

    Of an empty list, the design's own value is the only one.

    Parameters
    ----------
    weight_bits, trace_bits : tuple of int
        As in ``[design]``, like all others; each value once.
    tick : tuple of float
        Milliseconds.
    banks : tuple of int
    buffer, rows, delays : tuple of str
        ``rows`` are sparse where a buffer can't have dense ones.
    samples : int
        Test samples that the accuracy is of, from the first on; 0: all.
    cycle_samples : int
        Test samples that the cycles are the mean of. At least 1.
    device : str
        One of `hw.synthesis.devices.DEVICES`, of which LUTs and block RAMs are predicted.
    synthesise : bool
        Whether the points of the front are synthesised, to compare.
    """

    weight_bits: tuple[int, ...] = (4, 6, 8)
    trace_bits: tuple[int, ...] = (18, 20, 24)
    tick: tuple[float, ...] = ()
    banks: tuple[int, ...] = (1, 2, 4)
    buffer: tuple[str, ...] = ("ring", "cursor")
    rows: tuple[str, ...] = ()
    delays: tuple[str, ...] = ()
    samples: int = 0
    cycle_samples: int = 50
    device: str = "ecp5-25k"
    synthesise: bool = False

    def __post_init__(self):
        for name in ("weight_bits", "trace_bits", "tick", "banks", "buffer", "rows", "delays"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ValueError(f"Each value of {name} must be there once, not {list(values)}")
        for name, choices in (("buffer", BUFFERS), ("rows", ROWS), ("delays", DELAYS)):
            for value in getattr(self, name):
                if value not in choices:
                    raise ValueError(
                        f"Each of {name} must be one of {', '.join(choices)}, not {value!r}")
        for tick in self.tick:
            check_tick(tick)
        for bits in self.weight_bits:
            check_widths(bits, 24, 0)
        for bits in self.trace_bits:
            check_widths(2, bits, 0)
        if any(banks < 1 for banks in self.banks):
            raise ValueError(f"Each of banks must be at least 1, not {list(self.banks)}")
        for name, least in (("samples", 0), ("cycle_samples", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, not {getattr(self, name)}")
        find_device(self.device)
