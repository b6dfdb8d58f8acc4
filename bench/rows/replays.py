"""Rows on the RTL under noise: replays of every kind, compared with the model."""

import sys
from functools import partial

from registry import ENGINE, ROOT, code_hash, row
from scipy.stats import binomtest

from ranvier.sim.cosim import CocotbSimulator
from ranvier.sim.cxxrtl import CxxrtlSimulator
from ranvier.sim.noise import NoiseConfig
from ranvier.sim.noise.kinds import KINDS
from ranvier.sim.noise.plan import draw_plan
from ranvier.sim.noise.planfile import load_plan
from ranvier.sim.noise.replay import Pick, choose, replay
from ranvier.sim.noise.study import PLAN, run_study

from .agreement import part
from .faults import fresh
from .networks import subject as trained_subject
from .synthesis import CORE

sys.path.append(str(ROOT))
from tests.sim.noise import subjects

SIMULATED = (*CORE, *ENGINE, "sim/*.py", "sim/noise/**/*.py", "tests/designs.py",
             "tests/sim/noise/subjects.py", "bench/rows/replays.py")
PICKS = {"CXXRTL": (12, 250), "Verilator": (12, 250), "Icarus": (12, 3)}
"""Random designs, and rows of plans of each. A design takes minutes to compile."""
STALL = 0.1
MAPPED = {"weight_map": (1, 2, 3)}
"""Levels of the fault maps that random designs have. A study would have its map from a file."""


def make(simulator, parameters, folder):
    if simulator == "CXXRTL":
        return CxxrtlSimulator(parameters, folder)
    return CocotbSimulator(parameters, folder, simulator=simulator.lower())


def kept(context, name, measure):
    """Return what ``measure(context)`` returns; with the same code it's measured once.

    So the row on lost words has what other rows replay.
    """
    folder = context.results / "faults" / code_hash(SIMULATED)
    folder.mkdir(parents=True, exist_ok=True)
    return part(folder, name, lambda: measure(context))


def random_replays(context, simulator):
    """Replay rows of the plans of random designs. Returns what was compared, by kind."""
    designs, count = PICKS[simulator]
    if context.quick:
        designs, count = 2, min(20, count)
    found = {name: {"pairs": 0, "records": 0, "differences": 0} for name in KINDS}
    sent = silent = 0
    for seed in range(designs):
        subject = subjects.random_subject(seed, samples=6)
        plan = draw_plan(subject, NoiseConfig(kinds=tuple(KINDS), levels=MAPPED, instances=4), seed)
        core = make(simulator, subject.parameters, context.results / "faults")
        report = replay(plan, subject, core, choose(plan, subject, count), stall=STALL, seed=seed)
        for pick in report["picks"]:
            entry = found[pick["kind"]]
            entry["pairs"] += 1
            entry["records"] += pick["records"]
            entry["differences"] += pick["difference"] is not None
        sent, silent = sent + report["sent"], silent + report["silent"]
    return {"kinds": found, "sent": sent, "silent": silent}


def masked_replays(context):
    """Replay rows of the kinds that may change nothing: spoken digits."""
    subject = trained_subject(context, "spoken_digits")
    kinds = tuple(name for name, kind in KINDS.items() if kind.verdict == "masked")
    plan = draw_plan(subject, NoiseConfig(kinds=kinds), 1)
    core = make("CXXRTL", subject.parameters, context.results / "faults")
    report = replay(plan, subject, core, choose(plan, subject, 10 if context.quick else 300),
                    stall=0.0, seed=1)
    return {"pairs": report["rows"], "records": report["records"],
            "differences": report["mismatches"], "sent": report["sent"],
            "silent": report["silent"]}


def repeated_replays(context):
    """Replay rows of a study together, and one by one by their numbers."""
    subject = subjects.random_subject(3, samples=6)
    folder = fresh(context, "replay")
    settings = NoiseConfig(kinds=tuple(KINDS), instances=2)
    run_study(subject.parameters, subject.dataset, settings, 1, folder)
    plan = load_plan(folder / PLAN, subject)
    core = make("CXXRTL", subject.parameters, context.results / "faults")
    picks = choose(plan, subject, 30 if context.quick else 300)
    together = replay(plan, subject, core, picks, stall=STALL, seed=1)["picks"]
    alone = [replay(plan, subject, core, [Pick(pick["row"], pick["sample"])],
                    stall=STALL, seed=1)["picks"][0] for pick in together]
    return {"rows": len(alone), "changed": sum(
        one != other for one, other in zip(together, alone, strict=True)),
        "differences from the model": sum(bool(one["difference"]) for one in alone),
        **{key: sum(one[key] for one in (*together, *alone)) for key in ("sent", "silent")}}


REPLAYS = {f"exact-{name}": partial(random_replays, simulator=name) for name in PICKS} | {
    "masked": masked_replays, "replay": repeated_replays}


def expected(count, trials):
    """Return the 95 % interval of the mean count in as many trials: Clopper and Pearson's."""
    return [end * trials for end in binomtest(count, trials).proportion_ci(0.95)]


@row("exact", "kinds of noise; differences between model and RTL over replayed pairs of fault and "
     "stimulus, under CXXRTL, Verilator and Icarus", "", SIMULATED)
def exact(context):
    found = {name: kept(context, f"exact-{name}", REPLAYS[f"exact-{name}"]) for name in PICKS}
    entries = {name: one["kinds"].values() for name, one in found.items()}
    pairs = {name: sum(kind["pairs"] for kind in kinds) for name, kinds in entries.items()}
    differences = sum(kind["differences"] for kinds in entries.values() for kind in kinds)
    tried = sum(any(one["kinds"][name]["pairs"] for one in found.values()) for name in KINDS)
    return [tried, differences], {
        "interval": [[tried, tried], expected(differences, sum(pairs.values()))],
        "pairs": pairs, **found}


@row("masked", "changed results with stalls of probability 0 to 0.9, and with any order inside a "
     "tick: spoken digits under CXXRTL", "", SIMULATED)
def masked(context):
    found = kept(context, "masked", masked_replays)
    return found["differences"], {
        "interval": expected(found["differences"], found["pairs"]), **found}


@row("replay", "rows of a study that are replayed one by one, by their numbers, and don't give "
     "what they gave", "", SIMULATED)
def replayed(context):
    found = kept(context, "replay", repeated_replays)
    return found["changed"], found


@row("silent", "words that were sent to the RTL and that no counter of it knows, over the replays "
     "of the rows above", "", SIMULATED)
def silent(context):
    found = {name: kept(context, name, measure) for name, measure in REPLAYS.items()}
    sent, lost = (sum(one[key] for one in found.values()) for key in ("sent", "silent"))
    return lost, {"interval": expected(lost, sent), "sent": sent, "by replay": {
        name: {key: one[key] for key in ("sent", "silent")} for name, one in found.items()}}
