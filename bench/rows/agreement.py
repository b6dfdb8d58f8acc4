"""Rows on what is the same: the RTL and the model, over random pairs and every test word."""

import json
import sys
from pathlib import Path

import numpy as np
from registry import ENGINE, ROOT, code_hash, row

from ranvier.model.emulator import Emulator
from ranvier.model.files import write_atomically
from ranvier.sim.cosim import CocotbSimulator
from ranvier.sim.cxxrtl import CxxrtlSimulator
from ranvier.sim.prove import prove
from ranvier.sim.simulation import MismatchError

from .networks import design
from .synthesis import CORE

sys.path.append(str(ROOT / "tests"))
from designs import random_config, random_events, random_parameters

SIMULATED = (*CORE, *ENGINE, "sim/*.py", "tests/designs.py", "bench/rows/agreement.py")
SHAPES, PAIRS, LOADED = 25, 10_000, 20  # cores, pairs in all, samples for each set of parameters
SAMPLE = 100  # pairs under Icarus


def compare(simulator, parameters, samples):
    """Run samples of a design on the RTL; returns equal records, and 1 if one differs."""
    results = [Emulator(parameters).run(sample) for sample in samples]
    simulator.load(parameters)
    try:
        simulator.run(samples, expected=results, stall=0.05, seed=1)
    except MismatchError:
        return 0, 1
    return sum(len(result.trace) for result in results), 0


def random_pairs(make, shapes, pairs):
    """Compare random networks and stimuli on random cores, each of which ``make`` simulates."""
    found = {"pairs": 0, "records": 0, "differences": 0}
    for shape in range(shapes):
        rng = np.random.default_rng([41, shape])
        config = random_config(rng)
        parameters = random_parameters(rng, config)
        simulator = make(parameters)
        while found["pairs"] < pairs * (shape + 1) // shapes:
            samples = [random_events(rng, config) for _ in range(LOADED)]
            records, differs = compare(simulator, parameters, samples)
            found["pairs"] += len(samples)
            found["records"] += records
            found["differences"] += differs
            parameters = random_parameters(rng, config, recurrent=bool(rng.integers(2)))
    return found


def part(folder, name, measure):
    """Return what ``measure`` returns, or what it returned before with the same code.

    So a row that takes hours can be stopped.
    """
    path = folder / f"{name.replace(', ', '-')}.json"
    code = code_hash(SIMULATED)
    if path.exists() and (kept := json.loads(path.read_text()))["code"] == code:
        return kept["found"]
    found = measure()
    write_atomically(path, json.dumps({"code": code, "found": found}).encode())
    return found


@row("exact", "differences between RTL and model: 10,000 random pairs and every test word, "
     "under CXXRTL and Verilator, and some pairs under Icarus", "", SIMULATED)
def exact(context):
    folder = Path(context.results, "exact")
    folder.mkdir(parents=True, exist_ok=True)
    pairs, shapes = (40, 2) if context.quick else (PAIRS, SHAPES)

    def verilator(parameters):
        return CocotbSimulator(parameters, folder, simulator="verilator")

    def icarus(parameters):
        return CocotbSimulator(parameters, folder, simulator="icarus")

    def native(parameters):
        return CxxrtlSimulator(parameters, folder)

    def words(make):
        parameters, samples = design(context, "spoken_digits")
        samples = samples[:2] if context.quick else samples
        records, differs = compare(make(parameters), parameters, samples)
        return {"words": len(samples), "records": records, "differences": differs}

    few = 20 if context.quick else SAMPLE
    found = {name: part(folder, name, measure) for name, measure in (
        ("CXXRTL, pairs", lambda: random_pairs(native, shapes, pairs)),
        ("Verilator, pairs", lambda: random_pairs(verilator, shapes, pairs)),
        ("Icarus, pairs", lambda: random_pairs(icarus, 1, few)),
        ("CXXRTL, words", lambda: words(native)),
        ("Verilator, words", lambda: words(verilator)))}
    return sum(one["differences"] for one in found.values()), found


@row("formal", "properties proven by induction / bounded / in all; minutes", "",
     ("hw/**/*.py", "model/config.py", "model/sizes.py"))
def formal(context):
    report = prove(context.results / "formal", ("rounding",) if context.quick else ())
    return [report["induction"], report["bounded"], report["properties"], report["minutes"]], {
        "failed": report["failed"]}
