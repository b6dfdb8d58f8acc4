"""The step ``noise``: a plan of faults, run whole by the model and in part by the RTL."""

import logging
from pathlib import Path

from ...model.parameters import Parameters
from ..cosim import CocotbSimulator
from ..cxxrtl import CxxrtlSimulator
from ..noise.budget import critical_budget
from ..noise.campaign import FAULTS, run_campaign
from ..noise.control import HEADER, STRIKES, draw_strikes, run_control, run_strikes
from ..noise.mutants import HEADER as MUTANT_HEADER
from ..noise.mutants import MUTANTS, run_mutant, run_mutants
from ..noise.planfile import load_plan
from ..noise.replay import Pick, choose, replay
from ..noise.study import LEVELS, PLAN, RESULT, run_study
from ..noise.subject import Subject
from ..tables import table_files
from .cosim import WAVES, WORK

__all__ = ["noise", "replay_mutant", "replay_row", "replay_strike"]

FOLDER = "noise"
REPLAY = "replay.json"
CAMPAIGN = "campaign.json"
CONTROL, NETLIST = "strikes.json", "mutants.json"
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


def noise(run, *, workers=None, dask=None):
    """Measure the accuracy under noise, and replay some of the plan on the RTL.

    Writes ``noise.json``, ``levels.csv``, ``plan.jsonl`` and ``replay.json`` in the folder
    ``noise``; with faults, ``campaign.json`` and ``faults.csv`` too; with strikes, ``strikes.json``
    and ``strikes.csv``; with mutants, ``mutants.json`` and ``mutants.csv``.

    Parameters
    ----------
    run : RunFolder
    workers, dask
        Where the model runs: see `ranvier.sim.workers.open_pool`. Results don't depend on it.
        The RTL always runs in this process.
    """
    parameters = Parameters.load(run.need("design.safetensors"))
    test, settings, seed = run.data["test"], run.experiment.noise, run.experiment.seed
    folder, progress = run.path / FOLDER, logger.isEnabledFor(logging.INFO)
    outputs = [RESULT, *table_files(LEVELS), PLAN, REPLAY]
    run_study(parameters, test, settings, seed, folder, progress=progress, workers=workers,
              dask=dask)
    subject = Subject.read(parameters, test, settings.fault_map)
    if settings.faults:
        logger.info("noise: a campaign of %d single faults", settings.faults)
        found = run_campaign(subject, seed, settings.faults, folder, progress=progress,
                             workers=workers, dask=dask)
        rate = settings.fit_per_mbit
        budget = None if rate is None else critical_budget(found, rate)
        run.write_json(f"{FOLDER}/{CAMPAIGN}", {
            **found, "budget": budget, "design": parameters.hash})
        outputs += [CAMPAIGN, *table_files(FAULTS)]
    if settings.strikes:
        logger.info("noise: %d strikes in registers under cxxrtl", settings.strikes)
        simulator = CxxrtlSimulator(parameters, run.path / WORK)
        found = run_control(subject, simulator, seed, settings.strikes, folder, progress=progress)
        run.write_json(f"{FOLDER}/{CONTROL}", {**found, "design": parameters.hash})
        outputs += [CONTROL, *table_files(STRIKES)]
    if settings.mutants:
        logger.info("noise: %d mutants of the netlist under cxxrtl", settings.mutants)
        found = run_mutants(subject, run.path / WORK, seed, settings.mutants, folder,
                            progress=progress)
        run.write_json(f"{FOLDER}/{NETLIST}", {**found, "design": parameters.hash})
        outputs += [NETLIST, *table_files(MUTANTS)]
    plan = load_plan(folder / PLAN, subject)
    parts = {}
    for name, simulator, count in _simulators(parameters, run):
        picks = choose(plan, subject, count)
        logger.info("noise: %d rows of the plan under %s", len(picks), name)
        stall = run.experiment.cosim.stall
        parts[name] = replay(plan, subject, simulator, picks, stall=stall, seed=seed)
    total = {key: sum(part[key] for part in parts.values())
             for key in ("rows", "records", "mismatches", "silent")}
    run.write_json(f"{FOLDER}/{REPLAY}", {
        **total, "simulators": parts, "design": parameters.hash})
    return [f"{FOLDER}/{name}" for name in outputs]


def replay_row(run, row, *, sample=None, waves=False):
    """Replay one row of a run's plan on the RTL, under cocotb.

    Parameters
    ----------
    run : RunFolder
        After the step ``noise``.
    row : int
        Of the plan.
    sample : int, optional
        Of those that the row holds for; the first one by default.
    waves : bool
        Whether to write a waveform, ``noise/row_N.fst`` or ``.vcd``.

    Returns
    -------
    dict
        As of `ranvier.sim.noise.replay.replay`; ``waves`` is the waveform's path, or None.

    Raises
    ------
    ValueError
        If there's no such plan, row or sample.
    """
    parameters = Parameters.load(run.need("design.safetensors"))
    subject = Subject.read(parameters, run.data["test"], run.experiment.noise.fault_map)
    settings = run.experiment.cosim
    plan = load_plan(run.need(f"{FOLDER}/{PLAN}"), subject)
    simulator = CocotbSimulator(parameters, run.path / WORK, simulator=settings.simulator)
    pick = Pick(row, plan.row(row).samples(subject)[0] if sample is None else sample)
    path = None
    if waves:
        path = run.path / FOLDER / f"row_{row}{Path(WAVES[settings.simulator]).suffix}"
    found = replay(plan, subject, simulator, [pick], stall=settings.stall,
                   seed=run.experiment.seed, waves=path)
    return found | {"waves": path}


def replay_strike(run, index):
    """Run one strike of a run's campaign again, under CXXRTL.

    Parameters
    ----------
    run : RunFolder
        After the step ``quantise``.
    index : int
        Of the strike, below the experiment's number of them.

    Returns
    -------
    dict
        The strike's line of ``strikes.csv``.

    Raises
    ------
    ValueError
        If there's no such strike.
    """
    count, seed = run.experiment.noise.strikes, run.experiment.seed
    if not 0 <= index < count:
        raise ValueError(f"Strike must be one of the experiment's {count}, counted from 0, "
                         f"not {index}")
    parameters = Parameters.load(run.need("design.safetensors"))
    subject = Subject(parameters, run.data["test"])
    simulator = CxxrtlSimulator(parameters, run.path / WORK)
    strike = draw_strikes(subject, simulator.registers, seed, index + 1)[index]
    (row,) = run_strikes(subject, simulator, [strike])
    return dict(zip(HEADER, (index, *row), strict=True))


def replay_mutant(run, index):
    """Run one mutant of a run's campaign again. As `replay_strike`."""
    count, seed = run.experiment.noise.mutants, run.experiment.seed
    if not 0 <= index < count:
        raise ValueError(f"Mutant must be one of the experiment's {count}, counted from 0, "
                         f"not {index}")
    subject = Subject(Parameters.load(run.need("design.safetensors")), run.data["test"])
    row = run_mutant(subject, run.path / WORK, seed, index)
    return dict(zip(MUTANT_HEADER, (index, *row), strict=True))
