"""Runs the steps of an experiment in order, and passes over those that have nothing new to do."""

import hashlib
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .experiment import section_hash
from .folder import file_hash, versions
from .memory import MemoryWatch
from .steps.bits import bits
from .steps.build import build
from .steps.cosim import cosim
from .steps.emulate import emulate
from .steps.explore import explore
from .steps.finetune import finetune
from .steps.noise import noise
from .steps.quantise import quantise
from .steps.report import report
from .steps.synth import synth
from .steps.train import train

__all__ = ["STEPS", "Step", "run_all", "run_step"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Step:
    """One step of a run.

    Members
    -------
    work : callable
        Takes the `RunFolder` and options, and returns the names of the files that it wrote.
    sections : tuple of str
        Fields of the experiment that decide its result.
    inputs : tuple of str
        Files of earlier steps that it reads.
    table : str
        Table without which a run has no such step.
    with_table : dict of str to tuple of str
        Further inputs, by the table with which there are such.
    """

    work: Callable
    sections: tuple[str, ...]
    inputs: tuple[str, ...] = ()
    table: str = ""
    with_table: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def wanted(self, experiment):
        """Return whether a run of the experiment has this step."""
        return not self.table or getattr(experiment, self.table) is not None

    def reads(self, experiment):
        """Return the files of earlier steps that it reads, tuple of str."""
        more = (names for table, names in self.with_table.items()
                if getattr(experiment, table) is not None)
        return sum(more, self.inputs)


FINETUNED = {"finetune": ("finetune/network.safetensors", "finetune/scales.json")}

# In the order of a run.
STEPS = {
    "train": Step(train, ("seed", "data", "network", "train")),
    "finetune": Step(
        finetune, ("seed", "data", "train", "finetune", "design"), ("network.safetensors",),
        table="finetune",
    ),
    "quantise": Step(
        quantise, ("data", "design", "study"), ("network.safetensors",), with_table=FINETUNED),
    "emulate": Step(emulate, ("data",), ("design.safetensors",)),
    "build": Step(build, (), ("design.safetensors",)),
    "synth": Step(synth, ("synth",), ("design.safetensors",), table="synth"),
    "cosim": Step(cosim, ("seed", "data", "cosim"), ("design.safetensors",)),
    "noise": Step(noise, ("seed", "data", "cosim", "noise"), ("design.safetensors",)),
    "bits": Step(
        bits, ("seed", "data", "train", "finetune", "design", "bits"), ("network.safetensors",),
        table="bits",
    ),
    "explore": Step(
        explore, ("seed", "data", "network", "design", "explore"), ("network.safetensors",),
        table="explore", with_table=FINETUNED,
    ),
    "report": Step(
        report,
        (),
        (
            "training.json",
            "quantise.json",
            "emulate.json",
            "build/core.v",
            "cosim.json",
            "raster.npz",
            "noise/noise.json",
            "noise/replay.json",
        ),
        with_table={"finetune": ("finetune/training.json",), "bits": ("bits/bits.json",),
                    "synth": ("synth/synth.json",), "explore": ("explore/explore.json",)},
    ),
}


def _key(run, step, options):
    """Return the hash of all that decides a step's result."""
    parts = {
        "sections": section_hash(run.experiment, step.sections),
        "data": run.data_hash if "data" in step.sections else "",
        "inputs": {name: file_hash(run.need(name)) for name in step.reads(run.experiment)},
        "options": options,
        "version": versions()["ranvier"],
    }
    if "noise" in step.sections and run.experiment.noise.fault_map is not None:
        parts["fault_map"] = file_hash(run.experiment.noise.fault_map)
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _is_current(run, record, key):
    """Return whether a finished step's result would be the same again, and is still there."""
    if record is None or record["key"] != key:
        return False
    paths = {run.path / name: digest for name, digest in record["outputs"].items()}
    return all(path.is_file() and file_hash(path) == digest for path, digest in paths.items())


def run_step(run, name, *, again=False, **options):
    """Run one step, unless it has nothing new to do.

    Parameters
    ----------
    run : RunFolder
    name : str
        One of `STEPS`.
    again : bool
        Run it even if nothing that it reads has changed.
    **options
        Handed to the step.

    Raises
    ------
    ValueError
        If a file that it reads is missing or can't be used.
    """
    step = STEPS[name]
    key = _key(run, step, options)
    if not again and _is_current(run, run.read_steps().get(name), key):
        logger.info("%s: passed over, nothing that it reads has changed", name)
        return
    logger.info("%s: starts", name)
    start = time.monotonic()
    with MemoryWatch() as memory:
        outputs = step.work(run, **options)
    record = {
        "key": key,
        "outputs": {output: file_hash(run.path / output) for output in outputs},
        "seconds": time.monotonic() - start,
        "peak_mib": memory.peak,
    }
    run.write_step(name, record)
    logger.info("%s: done in %.1f s", name, record["seconds"])


def run_all(run, names=tuple(STEPS)):
    """Run steps in order, each unless it has nothing new to do or the experiment lacks its table.

    The report tells how long the steps took, so it's always made anew.
    """
    for name in (name for name in names if STEPS[name].wanted(run.experiment)):
        run_step(run, name, again=name == "report")
