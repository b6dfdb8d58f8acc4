"""Reads an experiment: one TOML file becomes one frozen record in which every value is checked."""

import hashlib
import json
import tomllib
from dataclasses import asdict, dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import ClassVar, get_args

from pydantic import ConfigDict, TypeAdapter, ValidationError

from ..train.config import NetworkConfig
from ..train.datasets import DataConfig
from ..train.design import DesignConfig
from ..train.losses import check_loss
from ..train.network import Network
from ..train.quantise import quantise
from ..train.settings import TrainConfig
from .explore.settings import ExploreConfig
from .noise.faultmap import read_fault_map
from .noise.settings import NoiseConfig
from .ranges import SearchRange, check_ranges
from .settings import (
    CONTINUOUS,
    BitsConfig,
    CosimConfig,
    FinetuneTable,
    NetworkTable,
    StudyConfig,
    SynthConfig,
)

__all__ = ["Experiment", "load_experiment", "make_experiment", "read_toml", "section_hash"]


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One experiment, as its TOML file states it.

    Parameters
    ----------
    seed : int
        Every random choice follows from it. At least 0.
    data : DataConfig
        Relative paths start from the folder of the TOML file.
    network : NetworkTable
        `NetworkConfig` without ``inputs`` and ``outputs``, which the data give.
    train : TrainConfig
    design : DesignConfig
    study : StudyConfig
    cosim : CosimConfig
    noise : NoiseConfig
    finetune : FinetuneTable or None
        Settings that fine-tuning has in place of those of ``train``; None: there's none.
    bits : BitsConfig or None
        None: the study of few bits is no step of a run.
    synth : SynthConfig or None
        None: synthesis is no step of a run.
    explore : ExploreConfig or None
        None: the design space is no step of a run.
    search : dict of str to SearchRange
        What a search may change, by ``train.`` or ``network.`` and the name of a setting.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid", strict=True)

    seed: int
    data: DataConfig
    network: NetworkTable
    train: TrainConfig
    design: DesignConfig = field(default_factory=DesignConfig)
    study: StudyConfig = field(default_factory=StudyConfig)
    cosim: CosimConfig = field(default_factory=CosimConfig)
    noise: NoiseConfig = field(default_factory=NoiseConfig)
    finetune: FinetuneTable | None = None
    bits: BitsConfig | None = None
    synth: SynthConfig | None = None
    explore: ExploreConfig | None = None
    search: dict[str, SearchRange] = field(default_factory=dict)

    def __post_init__(self):
        if not 0 <= self.seed < 1 << 63:
            raise ValueError(f"seed must be from 0 to 2**63 - 1, not {self.seed}")
        check_loss(self.train.loss, self.network.readout)
        self.noise.check_map()
        self.noise.check_protection(self.design.protection)
        check_ranges(self.search, {"train": TrainConfig, "network": NetworkTable})
        if self.finetune is not None:
            self._check_finetune()

    def _check_finetune(self):
        if self.network.synapse == "jump":
            raise ValueError("finetune must be left out with jump synapses, and is there")
        try:
            self.finetune_settings(validated=True)
        except ValueError as error:
            raise ValueError(f"finetune: {error}") from None

    def finetune_settings(self, validated):
        """Return the `TrainConfig` of fine-tuning, or None if there's no such table.

        Parameters
        ----------
        validated : bool
            Whether there's a validation set: then by default the best of all epochs counts.
        """
        if self.finetune is None:
            return None
        own = {name: value for name, value in vars(self.finetune).items() if value is not None}
        patience = self.finetune.epochs if validated else 0
        others = {"patience": patience, **dict.fromkeys(CONTINUOUS, 0.0)}
        return replace(self.train, **others | own)

    @property
    def sha256(self):
        """Hash over every value, in hexadecimal."""
        return section_hash(self, [f.name for f in fields(self)])

    def network_config(self, inputs, outputs):
        """Return the `NetworkConfig` for data with so many channels and classes."""
        return NetworkConfig(inputs=inputs, outputs=outputs, **vars(self.network))

    def check_design(self, network):
        """Check that the core can hold a network, before time goes into training it.

        Parameters
        ----------
        network : NetworkConfig

        Raises
        ------
        ValueError
            If it can't, or a fault map isn't one of the core.
        """
        # Drawn with weights about as large as the thresholds, like a trained network's.
        spread = replace(self.train, hidden_sd=1.0, output_sd=1.0, recurrent_sd=1.0)
        parameters = quantise(Network.random(network, spread, self.seed), self.design)[0]
        if self.noise.fault_map is not None:
            read_fault_map(self.noise.fault_map, parameters)

    def resolved(self, folder):
        """Return a copy whose relative paths start from ``folder``."""
        return replace(self, data=self.data.resolved(folder), noise=self.noise.resolved(folder))


def section_hash(experiment, names):
    """Return the hash, in hexadecimal, of some fields of an `Experiment`; None doesn't count."""
    values = {name: value for name, value in asdict(experiment).items() if value is not None}
    text = json.dumps({name: values[name] for name in names if name in values}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def read_toml(path):
    """Return the values of a TOML file as a dict.

    Raises
    ------
    ValueError
        If there is no such file, or it isn't TOML; the text names it.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path} must be a TOML file, and there is no such file")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} must be TOML: {error}") from None


def make_experiment(values, origin):
    """Return the `Experiment` of plain values by name; ``origin`` stands for them in errors.

    Raises
    ------
    ValueError
        If a key is unknown or missing, or a value is of the wrong type or out of range. One
        sentence that names origin, table and key.
    """
    # JSON has no tuples either, so that strict checks take its arrays for them.
    text = json.dumps(values, default=str)
    try:
        return TypeAdapter(Experiment).validate_json(text)
    except ValidationError as error:
        # A misspelt key makes the right one missing: say the cause first.
        found = sorted(error.errors(), key=lambda e: e["type"] != "unexpected_keyword_argument")
        raise ValueError(f"{origin}: {_sentence(found[0])}") from None


def load_experiment(path):
    """Return the `Experiment` of a TOML file. Raises what `read_toml` and `make_experiment` do."""
    return make_experiment(read_toml(path), path)


_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "string": "text in quotes",
    "bool": "true or false",
    "tuple": "a list in brackets",
    "dataclass": "a table",
    "finite_number": "a finite number",
}


def _section(location):
    """Return the dataclass in which the last key of a location is."""
    if len(location) == 1:
        return Experiment
    if location[0] == "search":
        return SearchRange
    kind = {f.name: f.type for f in fields(Experiment)}[location[0]]
    return next(iter(get_args(kind)), kind)  # of a table that may be left out


# How pydantic names the parts of a union.
_UNION = ("none", "int", "float", "bool", "str", "tuple[str, ...]")


def _place(location):
    keys = [key for key in location if isinstance(key, str) and key not in _UNION]
    index = "".join(f"[{key}]" for key in location if isinstance(key, int))
    return ".".join(keys) + index


def _sentence(error):
    """Return one sentence on one error of pydantic."""
    location, kind = error["loc"], error["type"]
    place = _place(location)
    if kind == "missing":
        return f"{place} must be given, and is missing"
    if kind == "unexpected_keyword_argument":
        keys = [f.name for f in fields(_section(location))]
        near = get_close_matches(location[-1], keys, 1)
        hint = f"did you mean {near[0]}?" if near else f"the keys here are {', '.join(keys)}"
        return f"{place} must be a known key, and isn't one: {hint}"
    if kind == "value_error":
        return f"{place + ': ' if place else ''}{error['ctx']['error']}"
    need = _KINDS.get(kind.rsplit("_", 1)[0], _KINDS.get(kind))
    if need is None:
        return f"{place}: {error['msg']}, not {error['input']!r}"
    return f"{place} must be {need}, not {error['input']!r}"
