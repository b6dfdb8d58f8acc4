"""What a noise study disturbs: a design and the labelled samples that it classifies."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...model.emulator import BatchResult, Emulator
from ...model.events import TickEvents, encode, time_ticks
from ...model.parameters import Parameters
from ...train.quantise import encode_dataset
from ...train.samples import Dataset
from .faultmap import read_fault_map

__all__ = ["Subject"]


@dataclass(frozen=True, eq=False)
class Subject:
    """A design and its samples.

    Parameters
    ----------
    parameters : Parameters
    dataset : Dataset
        At most as many channels as the design has inputs, and classes as it has outputs.
    fault_map : int64 array, optional
        As of `ranvier.sim.noise.faultmap.read_fault_map`.

    Raises
    ------
    ValueError
        If there are more.
    """

    parameters: Parameters
    dataset: Dataset
    fault_map: np.ndarray | None = None

    def __post_init__(self):
        config = self.parameters.config
        for name, most in (("n_channels", config.inputs), ("n_classes", config.outputs)):
            if getattr(self.dataset, name) > most:
                raise ValueError(f"Dataset {name} must be at most {most} for this design, "
                                 f"not {getattr(self.dataset, name)}")

    @classmethod
    def read(cls, parameters: Parameters, dataset: Dataset, fault_map: str | None) -> "Subject":
        """Return a subject with the fault map that a file has, if there's one."""
        found = None if fault_map is None else read_fault_map(fault_map, parameters)
        return cls(parameters, dataset, found)

    def __len__(self) -> int:
        return len(self.dataset)

    @property
    def last_time(self) -> int:
        """Latest time that belongs to the last tick, in microseconds."""
        config = self.parameters.config
        return (config.ticks - 1) * config.tick_us

    def sample(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return times (us) and channels of a sample's events up to the last tick.

        Later ones aren't input of the core, and noise doesn't bring them in.
        """
        config = self.parameters.config
        times, channels = self.dataset.sample(index)
        kept = time_ticks(times, config.tick_us) < config.ticks
        return times[kept], channels[kept]

    def encode(self, times: np.ndarray, channels: np.ndarray) -> TickEvents:
        """Put events (us) on the design's tick grid."""
        return encode(times, channels, self.parameters.config)

    @cached_property
    def clean(self) -> list[TickEvents]:
        """Every sample on the tick grid, undisturbed."""
        return encode_dataset(self.dataset, self.parameters.config)

    @cached_property
    def undisturbed(self) -> BatchResult:
        """What the model does with `clean`."""
        return Emulator(self.parameters).run_batch(self.clean)

    @cached_property
    def behaviour(self) -> str:
        """SHA-256 over scores and counters of `undisturbed`, as hexadecimal text.

        It's what the model is, as far as this design and these samples show it: files of what is
        done bear its name, so that a study doesn't go on from those of another model.
        """
        found = self.undisturbed
        return hashlib.sha256(found.scores.tobytes() + found.counters.tobytes()).hexdigest()

    @cached_property
    def data_hash(self) -> str:
        """SHA-256 over times, channels, offsets and labels, as hexadecimal text."""
        digest = hashlib.sha256()
        for name in ("times", "channels", "offsets", "labels"):
            array = getattr(self.dataset, name)
            digest.update(f"{name} {array.dtype.str} {array.shape};".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()
