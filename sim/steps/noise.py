"""The step ``noise``: a plan of faults, run whole by the model and in part by the RTL."""

import logging

from ...model.parameters import Parameters
from ..cosim import CocotbSimulator
from ..cxxrtl import CxxrtlSimulator
from ..noise.planfile import load_plan
from ..noise.replay import choose, replay
from ..noise.study import PLAN, RESULT, run_study
from ..noise.subject import Subject
from .cosim import WORK

__all__ = ["noise"]

FOLDER = "noise"
REPLAY = "replay.json"
COCOTB_SHARE = 5  # one in so many replays also runs under cocotb, which is slower

logger = logging.getLogger(__name__)


def _simulators(parameters, run):
    """Yield the name of each simulator, itself, and the most rows that it replays."""
    settings, folder = run.experiment.cosim, run.path / WORK
    rows = run.experiment.noise.replays
    if rows:
        yield "cxxrtl", CxxrtlSimulator(parameters, folder), rows
    if rows and settings.cocotb_samples:
        bench = CocotbSimulator(parameters, folder, simulator=settings.simulator)
        yield settings.simulator, bench, -(-rows // COCOTB_SHARE)


def noise(run):
    """Measure the accuracy under noise, and replay some of the plan on the RTL.

    Writes ``noise.json``, ``plan.jsonl`` and ``replay.json`` in the folder ``noise``.
    """
    parameters = Parameters.load(run.need("design.safetensors"))
    test, settings, seed = run.data["test"], run.experiment.noise, run.experiment.seed
    folder = run.path / FOLDER
    run_study(parameters, test, settings, seed, folder,
              progress=logger.isEnabledFor(logging.INFO))
    subject = Subject(parameters, test)
    plan = load_plan(folder / PLAN, subject)
    parts = {}
    for name, simulator, count in _simulators(parameters, run):
        picks = choose(plan, subject, count)
        logger.info("noise: %d rows of the plan under %s", len(picks), name)
        stall = run.experiment.cosim.stall
        parts[name] = replay(plan, subject, simulator, picks, stall=stall, seed=seed)
    total = {key: sum(part[key] for part in parts.values())
             for key in ("rows", "records", "mismatches")}
    run.write_json(f"{FOLDER}/{REPLAY}", {
        **total, "simulators": parts, "design": parameters.hash})
    return [f"{FOLDER}/{name}" for name in (RESULT, PLAN, REPLAY)]
