"""The sources of data by name, and the settings that choose one."""

from dataclasses import dataclass, fields, replace
from pathlib import Path

from .npz import load_npz
from .onset import from_onset, pooled
from .samples import LATEST, DataError, Dataset
from .sequence import MOST_INPUTS, sequences
from .shd import load_shd
from .split import split_off
from .yinyang import yinyang

__all__ = ["DataConfig", "DataError", "Dataset", "load_dataset"]

_SIZES = ("train_size", "validation_size", "test_size")
_CHANGES = ("onset_events", "onset_window", "pool")
_FIELDS = {
    "npz": {"path", "validation_part", *_CHANGES},
    "shd": {
        "train_path", "test_path", "validation_path", "n_channels", "validation_part", *_CHANGES,
    },
    "yinyang": {*_SIZES, "t_early", "t_late"},
    "sequence": {*_SIZES, "inputs", "gap", "noise"},
}
_LONGEST = 1e6  # ms
_NEEDED = {"npz": {"path"}, "shd": {"train_path", "test_path"}}


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Which data to use. The table ``[data]`` of an experiment.

    Parameters
    ----------
    source : str
        ``"npz"``, ``"shd"``, ``"yinyang"`` or ``"sequence"``. The fields of another source must be
        left alone.
    path : str
        For ``npz``: the file. Needed.
    train_path, test_path : str
        For ``shd``: the HDF5 files, as they are or compressed by gzip. Needed.
    validation_path : str
        For ``shd``: a third file, which SSC has.
    validation_part : float
        For ``npz`` and ``shd``: the share of the training samples, below 1, that becomes the
        validation set of data that have none. 0: they stay without. See `split_off`.
    n_channels : int
        For ``shd``: channels of the recordings.
    onset_events, onset_window : int and float
        For ``npz`` and ``shd``: a sample starts when so many events have come within so many ms;
        what came before is dropped. See `from_onset`. 0 events: it starts with the recording.
    pool : int
        For ``npz`` and ``shd``: so many neighbouring channels become one.
    train_size, validation_size, test_size : int
        For ``yinyang`` and ``sequence``: samples of each set. A smaller set is the start of a
        larger one.
    t_early, t_late : float
        For ``yinyang``: time of the events for the coordinates 0 and 1, in ms.
    inputs : int
        For ``sequence``: channels, 2 to 8, whose order is the class.
    gap, noise : float
        For ``sequence``: time between two spikes, and standard deviation of each one's, in ms.

    Raises
    ------
    ValueError
        If the source is unknown, one of its fields is missing, or another source's is set.
    """

    source: str
    path: str | None = None
    train_path: str | None = None
    test_path: str | None = None
    validation_path: str | None = None
    validation_part: float = 0.0
    n_channels: int = 700
    onset_events: int = 0
    onset_window: float = 10.0
    pool: int = 1
    train_size: int = 5000
    validation_size: int = 1000
    test_size: int = 1000
    t_early: float = 0.0
    t_late: float = 30.0
    inputs: int = 2
    gap: float = 10.0
    noise: float = 0.0

    def __post_init__(self):
        if self.source not in _FIELDS:
            raise ValueError(
                f"Data source must be one of {', '.join(_FIELDS)}, not {self.source!r}"
            )
        changed = {
            field.name
            for field in fields(self)
            if field.name != "source" and getattr(self, field.name) != field.default
        }
        for name in sorted(changed - _FIELDS[self.source]):
            raise ValueError(
                f"Data source {self.source} must not have {name}, "
                f"not {name} = {getattr(self, name)!r}"
            )
        for name in sorted(_NEEDED.get(self.source, set()) - changed):
            raise ValueError(f"Data source {self.source} must have {name}, not none")
        for name in ("n_channels", "pool", *_SIZES):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)!r}")
        if not 0 <= self.validation_part < 1:
            raise ValueError(
                f"validation_part must be 0 or more and below 1, not {self.validation_part!r}"
            )
        if self.onset_events < 0:
            raise ValueError(f"onset_events must be 0 or more, not {self.onset_events!r}")
        if not 0 <= self.onset_window <= _LONGEST:
            raise ValueError(
                f"onset_window must be from 0 to {_LONGEST:g} ms, not {self.onset_window!r}"
            )
        if not 0 <= self.t_early < self.t_late <= LATEST / 1000:
            raise ValueError(
                f"t_early and t_late must be 0 or more, and rise, "
                f"not {self.t_early!r} and {self.t_late!r}"
            )
        if not 2 <= self.inputs <= MOST_INPUTS:
            raise ValueError(f"inputs must be 2 to {MOST_INPUTS}, not {self.inputs!r}")
        if not (0 < self.gap <= _LONGEST and 0 <= self.noise <= _LONGEST):
            raise ValueError(
                f"gap must be above 0, noise 0 or more, and both at most {_LONGEST:g}, "
                f"not {self.gap!r} and {self.noise!r}"
            )

    def resolved(self, folder: str | Path) -> "DataConfig":
        """Return a copy whose relative paths start from ``folder``."""
        paths = {
            name: str(Path(folder) / getattr(self, name))
            for name in ("path", "train_path", "test_path", "validation_path")
            if getattr(self, name) is not None
        }
        return replace(self, **paths)


def load_dataset(config: DataConfig) -> dict[str, Dataset]:
    """Load or generate the sets of one source.

    Returns
    -------
    dict
        ``"train"`` and ``"test"``, and ``"validation"`` where the source has one or the config
        splits one off. All of them have the same ``n_channels`` and ``n_classes``.

    Raises
    ------
    DataError
        If a file can't be used, or the channels can't be pooled. Names file, array and index.
    """
    if config.source in ("yinyang", "sequence"):
        return _generated(config)
    if config.source == "npz":
        sets = load_npz(config.path)
    else:
        paths = {
            "train": config.train_path,
            "validation": config.validation_path,
            "test": config.test_path,
        }
        sets = load_shd({k: path for k, path in paths.items() if path}, config.n_channels)
    sets = {name: _prepared(dataset, config) for name, dataset in sets.items()}
    if not config.validation_part:
        return sets
    if "validation" in sets:
        raise DataError(
            "validation_part must be 0 for data that have a validation set, "
            f"not {config.validation_part!r}"
        )
    rest, split = split_off(sets["train"], config.validation_part)
    return {"train": rest, "validation": split, "test": sets["test"]}


def _prepared(dataset, config):
    if config.onset_events:
        dataset = from_onset(dataset, config.onset_events, config.onset_window)
    return pooled(dataset, config.pool) if config.pool > 1 else dataset


def _generated(config):
    sizes = {
        "train": config.train_size,
        "validation": config.validation_size,
        "test": config.test_size,
    }
    if config.source == "yinyang":
        return yinyang(sizes, config.t_early, config.t_late)
    return sequences(sizes, config.inputs, config.gap, config.noise)
