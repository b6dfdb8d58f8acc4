"""A design as a core that streams, on the test samples one after the other: no step of a run."""

import numpy as np

from ...hw.verilog import build as build_verilog
from ...model.emulator import Emulator
from ...model.parameters import Parameters
from ...train.quantise import encode_dataset
from ..cxxrtl import CxxrtlSimulator
from .cosim import AT_ONCE, WORK, Comparison, processors

__all__ = ["stream"]

FOLDER = "stream"


def stream(run):
    """Generate the core that streams, and compare it with the model on windows of a test sample.

    Writes the folder ``stream``: ``core.v``, ``ports.json``, the memory images and
    ``stream.json``.

    Parameters
    ----------
    run : RunFolder

    Returns
    -------
    dict
        What ``stream.json`` says.
    """
    parameters = Parameters.load(run.need("design.safetensors")).for_stream()
    settings, test = run.experiment.cosim, run.data["test"]
    folder = run.path / FOLDER
    build_verilog(parameters.config, parameters, folder)
    cores = [CxxrtlSimulator(parameters, run.path / WORK) for _ in range(processors())]
    comparison = Comparison(parameters, "CXXRTL, as streams", cores, AT_ONCE, test,
                            run.experiment.seed)
    part = comparison.run(settings.cxxrtl_samples, settings.stall)
    report = {
        "windows": part.pop("samples"), "at_once": AT_ONCE, **part,
        "turn": 1 << parameters.config.tick_bits, "ticks": parameters.config.ticks,
        "accuracy": _accuracy(parameters, test), "design": parameters.hash,
    }
    run.write_json(f"{FOLDER}/stream.json", report)
    return report


def _accuracy(parameters, test):
    """Return the accuracy on all test samples: as one stream, and each from rest."""
    emulator = Emulator(parameters)
    windows, going_on = encode_dataset(test, parameters.config), emulator.stream()
    decisions = [going_on.run(events).decision for events in windows]
    rested = emulator.run_batch(windows, counters=False).decisions
    return {name: float(np.mean(found == test.labels))
            for name, found in (("stream", np.array(decisions)), ("rest", rested))}
