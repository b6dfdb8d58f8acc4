"""The step ``cosim``: the RTL against the integer model, record by record."""

import logging
import os
import time
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event

import numpy as np

from ...model.emulator import Emulator
from ...model.parameters import Parameters
from ...train.quantise import encode_dataset
from ..compare import MismatchError, spikes_of
from ..cosim import CocotbSimulator
from ..cxxrtl import CxxrtlSimulator
from ..simulation import HangError
from .emulate import save_npz

__all__ = ["AT_ONCE", "WORK", "Comparison", "cosim", "processors"]

AT_ONCE = 10  # samples whose traces a native core has in memory together
LAUNCH = 50  # samples of one start of another simulator, which costs seconds
WORK = "work"
WAVES = {"verilator": "verilator.vcd", "icarus": "icarus.fst"}

logger = logging.getLogger(__name__)


class Comparison:
    """Compares the first test samples on simulators of one kind with the model.

    With ``config.streaming``, those of one run of a simulator are windows of one stream.

    Parameters
    ----------
    parameters : Parameters
        What the model runs.
    name : str
        What logs call the simulators.
    simulators : list of Simulator
        They share the samples.
    at_once : int
        Samples of one run of a simulator, whose traces are in memory together.
    test : Dataset
    seed : int
        Of the stalls.
    """

    def __init__(self, parameters, name, simulators, at_once, test, seed):
        self._name = name
        self._simulators = simulators
        self._at_once = at_once
        self._test = test
        self._seed = seed
        self._config = parameters.config
        self._emulator = Emulator(parameters)
        self._stopped = Event()
        self.cycles = []  # of each sample that agrees
        self.first = None  # the run of test sample 0

    def stop(self):
        """Let `run` end soon: it's wanted no more."""
        self._stopped.set()

    def samples(self, start, stop):
        """Return test samples on the tick grid."""
        return encode_dataset(self._test.subset(range(start, stop)), self._config)

    def run(self, count, stall):
        """Compare ``count`` samples, up to the first difference. Returns a dict for JSON."""
        began, count = time.monotonic(), min(count, len(self._test))
        logger.info("cosim: %d samples under %s", count, self._name)
        free = SimpleQueue()
        for simulator in self._simulators:
            free.put(simulator)

        def work(start):
            simulator = free.get()
            try:
                return self._compare(simulator, start, min(start + self._at_once, count), stall)
            finally:
                free.put(simulator)

        records, difference = 0, None
        with ThreadPoolExecutor(len(self._simulators)) as pool:
            for equal, difference in pool.map(work, range(0, count, self._at_once)):
                records += equal
                if difference is not None:
                    self.stop()
                    break
        return {
            "samples": count,
            "records": records,
            "mismatches": 0 if difference is None else 1,
            "difference": difference,
            "stall": stall,
            "seconds": time.monotonic() - began,
        }

    def _compare(self, simulator, start, stop, stall):
        """Compare some samples. Returns the number of equal records, and the first difference."""
        if self._stopped.is_set():
            return 0, None
        samples = self.samples(start, stop)
        emulator = self._emulator.stream() if self._config.streaming else self._emulator
        results = [emulator.run(sample) for sample in samples]
        try:
            runs = simulator.run(samples, expected=results, stall=stall, seed=self._seed + start)
        except MismatchError as error:
            equal = sum(len(result.trace) for result in results[: error.sample])
            return equal, {"sample": start + error.sample, "text": error.text}
        except HangError as error:
            return 0, {"sample": start, "text": f"in samples {start} to {stop - 1}, {error}"}
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

    CXXRTL and cocotb run side by side. Writes ``cosim.json`` and ``raster.npz``; builds of
    simulators stay in ``work``.

    Parameters
    ----------
    run : RunFolder
    simulator : str, optional
        Under cocotb, in place of the experiment's own.
    waves : bool
        Write a waveform of the sample with the first difference, or else of test sample 0.
    """
    parameters = Parameters.load(run.need("design.safetensors"))
    settings, seed, test = run.experiment.cosim, run.experiment.seed, run.data["test"]
    simulator, stall = simulator or settings.simulator, settings.stall
    folder = run.path / WORK
    cores = [CxxrtlSimulator(parameters, folder) for _ in range(processors())]
    native = Comparison(parameters, "CXXRTL", cores, AT_ONCE, test, seed)
    parts = {}
    with ThreadPoolExecutor(1) as aside:
        compared = aside.submit(native.run, settings.cxxrtl_samples, stall)
        try:
            if settings.cocotb_samples or waves:
                bench = CocotbSimulator(parameters, folder, simulator=simulator)
            if settings.cocotb_samples:
                name = f"cocotb and {simulator}"
                cocotb = Comparison(parameters, name, [bench], LAUNCH, test, seed)
                parts[simulator] = cocotb.run(settings.cocotb_samples, stall)
            parts = {"cxxrtl": compared.result(), **parts}
        except BaseException:
            native.stop()
            raise
    if waves:
        found = [part["difference"]["sample"] for part in parts.values() if part["difference"]]
        _write_waves(native, bench, min(found, default=0), stall, seed, folder / WAVES[simulator])
    total = {
        name: sum(part[name] for part in parts.values())
        for name in ("samples", "records", "mismatches")
    }
    cycles = float(np.mean(native.cycles)) if native.cycles else None
    run.write_json("cosim.json", {
        **total, "simulators": parts, "cycles": cycles, "design": parameters.hash})
    save_npz(run.path / "raster.npz", **native.raster())
    return ["cosim.json", "raster.npz"]


def processors():
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0))
