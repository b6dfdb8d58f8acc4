"""Tables of an experiment: those that have no package of their own."""

from dataclasses import MISSING, dataclass, field, fields, make_dataclass

from ..hw.synthesis.devices import find_device
from ..train.config import NetworkConfig
from ..train.settings import TrainConfig
from .cosim import SIMULATORS

__all__ = [
    "CONTINUOUS",
    "BitsConfig",
    "CosimConfig",
    "FinetuneTable",
    "NetworkTable",
    "StudyConfig",
    "SynthConfig",
]


@dataclass(frozen=True, kw_only=True)
class CosimConfig:
    """How much of the test set the RTL runs. The table ``[cosim]``.

    Parameters
    ----------
    cxxrtl_samples : int
        Test samples under CXXRTL, from the first on; all of them if there are fewer.
    cocotb_samples : int
        The same under cocotb, which is slower. 0 leaves cocotb out.
    simulator : str
        ``"verilator"`` or ``"icarus"``, under cocotb.
    stall : float
        Probability, in each cycle, that a stream of the testbench stalls. Below 1.
    """

    cxxrtl_samples: int = 300
    cocotb_samples: int = 30
    simulator: str = "verilator"
    stall: float = 0.05

    def __post_init__(self):
        if self.cxxrtl_samples < 1:
            raise ValueError(f"cxxrtl_samples must be at least 1, not {self.cxxrtl_samples}")
        if self.cocotb_samples < 0:
            raise ValueError(f"cocotb_samples must be at least 0, not {self.cocotb_samples}")
        if self.simulator not in SIMULATORS:
            raise ValueError(
                f"simulator must be one of {', '.join(SIMULATORS)}, not {self.simulator!r}"
            )
        if not 0 <= self.stall < 1:
            raise ValueError(f"stall must be from 0 to below 1, not {self.stall!r}")


@dataclass(frozen=True, kw_only=True)
class StudyConfig:
    """What is measured beside the design itself. The table ``[study]``.

    Parameters
    ----------
    ticks : tuple of float
        Ticks, in ms, at which the accuracy of the integer model is measured.
    """

    ticks: tuple[float, ...] = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)

    def __post_init__(self):
        for tick in self.ticks:
            if not 0.001 <= tick <= 10 or abs(tick * 1000 - round(tick * 1000)) > 1e-6:
                raise ValueError(
                    "Each of ticks must be a whole number of microseconds from 0.001 to 10 ms, "
                    f"not {tick!r} ms"
                )


@dataclass(frozen=True, kw_only=True)
class BitsConfig:
    """With how few bits the network is measured. The table ``[bits]``.

    Parameters
    ----------
    weights : tuple of int
        Widths of weights, falling, 12 to 2; with 2 a weight is -1, 0 or 1. The delays are as fine
        as the tick.
    delays : tuple of int
        Widths of delays, falling, 16 to 1: with n bits they are multiples of the largest over 2^n.
        The weights have the design's own bits.
    """

    weights: tuple[int, ...] = (8, 6, 5, 4, 3, 2)
    delays: tuple[int, ...] = (6, 5, 4, 3, 2, 1)

    def __post_init__(self):
        for name, low, high in (("weights", 2, 12), ("delays", 1, 16)):
            bits = getattr(self, name)
            for place, width in enumerate(bits):
                top = bits[place - 1] - 1 if place else high
                if not low <= width <= top:
                    raise ValueError(
                        f"Each of {name} must be from {low} to {high} bits and below the one "
                        f"before, not {width}"
                    )
        if not self.weights and not self.delays:
            raise ValueError("Bits must be of weights or of delays, not of neither")


@dataclass(frozen=True, kw_only=True)
class SynthConfig:
    """Which devices the core is synthesised for. The table ``[synth]``.

    Parameters
    ----------
    devices : tuple of str
        Names of `hw.synthesis.devices.DEVICES`, each once.
    seeds : int
        How often it's placed and routed on each. At least 1.
    """

    devices: tuple[str, ...] = ("ecp5-25k",)
    seeds: int = 3

    def __post_init__(self):
        if not self.devices or len(set(self.devices)) < len(self.devices):
            raise ValueError(f"devices must name at least one, each once, not {self.devices!r}")
        for name in self.devices:
            find_device(name)
        if self.seeds < 1:
            raise ValueError(f"seeds must be at least 1, not {self.seeds}")


# The table [finetune] has the settings of [train] but for those of first parameters, and of what
# only continuous time has.
FIRST = (
    "hidden_mean", "hidden_sd", "output_mean", "output_sd", "recurrent_sd", "hidden_delay",
    "output_delay", "recurrent_delay", "beta",
)  # fmt: skip
CONTINUOUS = ("tick", "tau_rate", "margin_strength")
FinetuneTable = make_dataclass(
    "FinetuneTable",
    [
        ("epochs", int),
        *(
            (f.name, f.type | None, field(default=None))
            for f in fields(TrainConfig)
            if f.name not in ("epochs", "margin", *CONTINUOUS, *FIRST)
        ),
    ],
    frozen=True,
    kw_only=True,
)


def _check_network(table):
    NetworkConfig(inputs=1, outputs=2, **vars(table))


# The table [network]: channels and classes come from the data.
NetworkTable = make_dataclass(
    "NetworkTable",
    [
        (f.name, f.type, field() if f.default is MISSING else field(default=f.default))
        for f in fields(NetworkConfig)
        if f.name not in ("inputs", "outputs")
    ],
    namespace={"__post_init__": _check_network},
    frozen=True,
    kw_only=True,
)
