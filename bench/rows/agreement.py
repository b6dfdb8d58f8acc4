"""Rows on what is the same: the RTL and the model, over random pairs and every test word."""

import sys
from pathlib import Path

import numpy as np
from registry import ENGINE, ROOT, row

from ranvier.model.emulator import Emulator
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

    found = {
        "CXXRTL, pairs": random_pairs(native, shapes, pairs),
        "Verilator, pairs": random_pairs(verilator, shapes, pairs),
        "Icarus, pairs": random_pairs(icarus, 1, 20 if context.quick else SAMPLE),
    }
    parameters, samples = design(context, "spoken_digits")
    samples = samples[:2] if context.quick else samples
    for name, make in (("CXXRTL, words", native), ("Verilator, words", verilator)):
        records, differs = compare(make(parameters), parameters, samples)
        found[name] = {"words": len(samples), "records": records, "differences": differs}
    return sum(one["differences"] for one in found.values()), found


@row("formal", "properties proven by induction / bounded / in all; minutes", "",
     ("hw/**/*.py", "model/config.py", "model/sizes.py"))
def formal(context):
    report = prove(context.results / "formal", ("rounding",) if context.quick else ())
    return [report["induction"], report["bounded"], report["properties"], report["minutes"]], {
        "failed": report["failed"]}
