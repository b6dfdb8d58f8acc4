"""Rows on the cycle model: what it predicts against what the RTL takes."""

import numpy as np
from registry import ENGINE, row

from ranvier.model.cycles import CycleModel
from ranvier.sim.cxxrtl import CxxrtlSimulator

from .networks import design
from .synthesis import CORE

WORDS, STALL = 300, 0.05
CASES = {"one bank": (1, 0.0, "ring"), "eight banks with stalls": (8, STALL, "ring"),
         "one bank with cursors": (1, 0.0, "cursor")}
SOURCES = (*CORE, *ENGINE, "sim/cxxrtl*", "sim/simulation.py", "bench/rows/cycles.py")


def errors(context, banks, stall, buffer):
    """Return how far predictions for spoken digits are from the RTL, in percent."""
    parameters, samples = design(context, "spoken_digits", banks=banks, buffer=buffer)
    samples = samples[: 2 if context.quick else WORDS]
    core = CxxrtlSimulator(parameters, context.results / "cxxrtl")
    found = CycleModel(parameters).run(samples, stall=stall)
    measured = np.array([
        [run.counters["cycles"], core.latency]
        for k, sample in enumerate(samples) for run in core.run([sample], stall=stall, seed=k)])
    wrong = 100 * np.abs(np.stack([found.cycles, found.latency], axis=1) - measured) / measured
    return {
        "words": len(samples), "cycles": float(measured[:, 0].mean()),
        "latency": float(measured[:, 1].mean()),
        "largest error of cycles": float(wrong[:, 0].max()),
        "largest error of latency": float(wrong[:, 1].max()),
        "error of all cycles": float(
            100 * abs(found.cycles.sum() / measured[:, 0].sum() - 1)),
    }


@row("cycle-model", "largest error of the cycles predicted for a word, against the RTL: 300 spoken "
     "digits, one bank / eight banks with stalls / one bank with cursors", "%", SOURCES)
def cycle_model(context):
    found = {name: errors(context, *case) for name, case in CASES.items()}
    return [one["largest error of cycles"] for one in found.values()], found
