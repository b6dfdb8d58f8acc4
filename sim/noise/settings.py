"""The settings of a noise study."""

import math
from dataclasses import dataclass, field, replace
from pathlib import Path

from .kinds import KINDS

__all__ = ["ALL", "COMMON", "NoiseConfig"]

COMMON = ("input_jitter", "event_loss", "weight_flips")
"""The kinds of noise that are studied where none are named."""

ALL = "all"
"""Stands for every kind."""


@dataclass(frozen=True, kw_only=True)
class NoiseConfig:
    """Which noise at which levels. The table ``[noise]`` of an experiment. The seed is given apart.

    Parameters
    ----------
    kinds : tuple of str, or str
        Kinds of noise to study, in any order, or `ALL`; `COMMON` without it. Then a tuple.
    levels : dict of str to numbers
        Levels of a kind of noise, rising, in the kind's unit. Kinds that aren't named have their
        default levels; one with none at all is left out.
    instances : int
        Drawn memories (chips) per level of a kind that changes the memory.
    replays : int
        Pairs of a row of the plan and a sample that the RTL replays; 0 for none.
    faults : int
        Single faults of a campaign: see `ranvier.sim.noise.campaign`.
    fit_per_mbit : float, optional
        Upsets of the device in 10^9 hours per 10^6 bits: with it the campaign says how many years
        there are between critical ones. See `ranvier.sim.noise.budget`.
    strikes : int
        Single upsets of the core's registers: see `ranvier.sim.noise.control`.
    mutants : int
        Single outputs of the netlist's cells that go wrong: see `ranvier.sim.noise.mutants`.
    fault_map : str, optional
        File of the defective bits of the kind ``weight_map``, which has no levels without it: see
        `ranvier.sim.noise.faultmap`.

    Raises
    ------
    ValueError
        If a kind is unknown, no kind is left, or a number is out of its range.
    """

    kinds: tuple[str, ...] | str = COMMON
    levels: dict[str, tuple[float, ...]] = field(default_factory=dict)
    instances: int = 10
    replays: int = 30
    faults: int = 0
    fit_per_mbit: float | None = None
    strikes: int = 0
    mutants: int = 0
    fault_map: str | None = None

    def __post_init__(self):
        if self.kinds == ALL:
            object.__setattr__(self, "kinds", tuple(KINDS))
        if isinstance(self.kinds, str):
            raise ValueError(f"Noise kinds must be a list of names or {ALL!r}, not {self.kinds!r}")
        for field_name, names in (("kinds", self.kinds), ("levels", self.levels)):
            unknown = [name for name in names if name not in KINDS]
            if unknown:
                raise ValueError(f"Noise {field_name} must be of {', '.join(KINDS)}, "
                                 f"not {unknown[0]!r}")
        unused = [name for name, given in self.levels.items() if given and name not in self.kinds]
        if unused:
            raise ValueError(f"Noise levels must be of kinds that are studied, not {unused[0]!r}")
        levels = {name: _checked(kind, self.levels.get(name, kind.levels))
                  if name in self.kinds else () for name, kind in KINDS.items()}
        if not any(levels.values()):
            raise ValueError("Noise levels must leave at least one kind, not none")
        object.__setattr__(self, "kinds", tuple(name for name in KINDS if name in self.kinds))
        object.__setattr__(self, "levels", levels)
        for name, least in (("instances", 1), ("replays", 0), ("faults", 0),
                            ("strikes", 0), ("mutants", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f"Noise {name} must be a whole number of at least {least}, "
                                 f"not {value!r}")

        self._check_rate()

    def check_map(self):
        """Raise ValueError unless a fault map and levels of it are both there, or neither is.

        A plan has its levels, but not its file.
        """
        if bool(self.levels["weight_map"]) != (self.fault_map is not None):
            raise ValueError("Noise levels.weight_map and fault_map must be given together, "
                             f"not {list(self.levels['weight_map'])} and {self.fault_map!r}")

    def check_protection(self, protection: str):
        """Raise ValueError if a kind is to be studied that doesn't know a design's check bits."""
        unaware = [name for name in self.kinds if self.levels[name] and not KINDS[name].protected]
        if protection != "none" and unaware:
            raise ValueError(f"Noise levels.{unaware[0]} must be [] with {protection}: the kind "
                             f"knows no check bits; not {list(self.levels[unaware[0]])}")

    def resolved(self, folder: Path) -> "NoiseConfig":
        """Return a copy whose relative path starts from ``folder``."""
        path = self.fault_map
        return self if path is None else replace(self, fault_map=str(Path(folder) / path))

    def _check_rate(self):
        rate = self.fit_per_mbit
        if rate is None:
            return
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < math.inf:
            raise ValueError(f"Noise fit_per_mbit must be a finite number above 0, not {rate!r}")
        if not self.faults:
            raise ValueError("Noise faults must be at least 1 with fit_per_mbit, not 0")

    def to_dict(self) -> dict:
        """Return every field, ready for JSON."""
        levels = {name: list(self.levels[name]) for name in self.kinds}
        return {"kinds": list(self.kinds), "levels": levels, "instances": self.instances,
                "replays": self.replays, "faults": self.faults,
                "fit_per_mbit": self.fit_per_mbit, "strikes": self.strikes,
                "mutants": self.mutants, "fault_map": self.fault_map}


def _checked(kind, levels):
    for i, level in enumerate(levels):
        name = f"Noise levels.{kind.name}[{i}]"
        if isinstance(level, bool) or not isinstance(level, int | float) or level - level != 0:
            raise ValueError(f"{name} must be a finite number, not {level!r}")
        try:
            kind.amount(level)
        except ValueError as error:
            raise ValueError(f"{name} {error}") from None
        if i and level <= levels[i - 1]:
            raise ValueError(f"{name} must be above {levels[i - 1]!r}, the one before, "
                             f"not {level!r}")
    return tuple(float(level) for level in levels)
