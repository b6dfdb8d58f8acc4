"""The step ``cosim``: the RTL against the integer model, record by record."""

import logging
import time

import numpy as np

from ...model.emulator import Emulator
from ...model.parameters import Parameters
from ...train.quantise import encode_dataset
from ..compare import MismatchError, spikes_of
from ..cosim import CocotbSimulator
from ..cxxrtl import CxxrtlSimulator
from ..simulation import HangError
from .emulate import save_npz

__all__ = ["cosim"]

AT_ONCE = 25  # samples whose traces are in memory together
WORK = "work"
WAVES = {"verilator": "verilator.vcd", "icarus": "icarus.fst"}

logger = logging.getLogger(__name__)


class _Comparison:
    """Runs the first test samples on simulators, and keeps what the RTL did."""

    def __init__(self, parameters, test, seed):
        self._config = parameters.config
        self._emulator = Emulator(parameters)
        self._test = test
        self._seed = seed
        self.cycles = []  # of samples that weren't held up
        self.first = None  # the run of test sample 0

    def samples(self, start, stop):
        """Return test samples on the tick grid."""
        return encode_dataset(self._test.subset(range(start, stop)), self._config)

    def run(self, name, simulator, count, stalls):
        """Compare ``count`` samples under each probability of stalls, up to the first difference.

        Returns a dict for JSON.
        """
        began, count = time.monotonic(), min(count, len(self._test))
        logger.info("cosim: %d samples under %s", count, name)
        records, difference = 0, None
        for stall in stalls:
            for start in range(0, count, AT_ONCE):
                if difference is None:
                    stop = min(start + AT_ONCE, count)
                    equal, difference = self._compare(simulator, start, stop, stall)
                    records += equal
        return {
            "samples": count,
            "records": records,
            "mismatches": 0 if difference is None else 1,
            "difference": difference,
            "stall": list(stalls),
            "seconds": time.monotonic() - began,
        }

    def _compare(self, simulator, start, stop, stall):
        """Compare some samples. Returns the number of equal records, and the first difference."""
        samples = self.samples(start, stop)
        results = [self._emulator.run(sample) for sample in samples]
        try:
            runs = simulator.run(samples, expected=results, stall=stall, seed=self._seed + start)
        except MismatchError as error:
            equal = sum(len(result.trace) for result in results[: error.sample])
            return equal, {"sample": start + error.sample, "text": error.text}
        except HangError as error:
            return 0, {"sample": start, "text": f"in samples {start} to {stop - 1}, {error}"}
        if not stall:
            self.cycles += [run.counters["cycles"] for run in runs]
        if start == 0:
            self.first = runs[0]
        return sum(len(result.trace) for result in results), None

    def raster(self):
        """Return the events of test sample 0 for a picture; no spikes for an RTL that failed."""
        (sample,) = self.samples(0, 1)
        result = self._emulator.run(sample)
        return {
            "inputs": np.stack([sample.ticks, sample.channels], axis=1),
            "model": spikes_of(result.trace),
            "rtl": np.empty((0, 2), np.int64) if self.first is None else self.first.spikes,
            "label": self._test.labels[0],
            "decisions": np.array(
                [result.decision, -1 if self.first is None else self.first.decision]
            ),
        }


def _write_waves(comparison, bench, sample, stall, seed, path):
    """Write a waveform of one sample, and of the one before it, which it may depend on."""
    try:
        bench.run(comparison.samples(max(0, sample - 1), sample + 1), stall=stall, seed=seed,
                  waves=path)
    except (MismatchError, HangError) as error:
        logger.debug("the waveform shows this: %s", error)
    logger.info("cosim: %s is the waveform of test sample %d", path, sample)


def cosim(run, *, simulator=None, waves=False):
    """Run test samples on the RTL, and compare all that it tells with the model.

    Writes ``cosim.json`` and ``raster.npz``; builds of simulators stay in ``work``.

    Parameters
    ----------
    run : RunFolder
    simulator : str, optional
        Under cocotb, in place of the experiment's own.
    waves : bool
        Write a waveform of the sample with the first difference, or else of test sample 0.
    """
    parameters = Parameters.load(run.need("design.safetensors"))
    settings, seed = run.experiment.cosim, run.experiment.seed
    simulator = simulator or settings.simulator
    comparison = _Comparison(parameters, run.data["test"], seed)
    native = CxxrtlSimulator(parameters, run.path / WORK)
    # Without stalls for the cycles, and with them for the proof.
    stalls = sorted({0.0, settings.stall})
    parts = {"cxxrtl": comparison.run("CXXRTL", native, settings.cxxrtl_samples, stalls)}
    if settings.cocotb_samples or waves:
        bench = CocotbSimulator(parameters, run.path / WORK, simulator=simulator)
    if settings.cocotb_samples:
        parts[simulator] = comparison.run(
            f"cocotb and {simulator}", bench, settings.cocotb_samples, [settings.stall])
    if waves:
        found = [part["difference"]["sample"] for part in parts.values() if part["difference"]]
        _write_waves(comparison, bench, found[0] if found else 0, settings.stall, seed,
                     run.path / WORK / WAVES[simulator])
    total = {
        name: sum(part[name] for part in parts.values())
        for name in ("samples", "records", "mismatches")
    }
    cycles = float(np.mean(comparison.cycles)) if comparison.cycles else None
    run.write_json("cosim.json", {
        **total, "simulators": parts, "cycles": cycles, "design": parameters.hash})
    save_npz(run.path / "raster.npz", **comparison.raster())
    return ["cosim.json", "raster.npz"]
