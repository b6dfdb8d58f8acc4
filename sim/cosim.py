"""The core's Verilog under Verilator or Icarus, with the cocotb testbench `tb_core`."""

import hashlib
import json
import logging
import os
import shutil
import tempfile
import time
from dataclasses import astuple
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from cocotb_tools.runner import get_runner

from ..hw.core import NeuronCore
from ..hw.upsets import upset_memories
from ..hw.verilog import TOP, describe, verilog_source
from . import toolchain
from .bus import decode, load_program, read_program
from .compare import MismatchError
from .simulation import (
    HangError,
    Simulator,
    check_results,
    core_fields,
    input_words,
    make_run,
    quiet_limit,
    upset_places_of,
    window_starts,
    word_limit,
)

__all__ = ["SIMULATORS", "CocotbSimulator", "build"]

SIMULATORS = ("verilator", "icarus")
# cocotb makes every signal public, which keeps Verilator from optimising: `_public` says which are.
BUILD_ARGS = {"verilator": ["-Wno-fatal", "--no-public-flat-rw"], "icarus": []}
TIMESCALE = ("1ns", "1ps")
# What tells a testbench that a tick starts, and which.
STARTS = (("scheduler", "start"), ("scheduler", "upcoming"))
# Without this, cocotb rewrites the assertions of every module it imports: 8 s a launch.
LAUNCH = {"COCOTB_REWRITE_ASSERTION_FILES": "tb_*.py", "COCOTB_LOG_LEVEL": "WARNING"}

logger = logging.getLogger(__name__)


def _public(top, memories, signals):
    """Return Verilator's control text that opens ports, memories and signals to the testbench."""
    lines = ["`verilator_config", f'public_flat_rw -module "{top}" -port "*"']
    for access, paths in (("rw", memories), ("rd", signals)):
        for *scope, name in paths:
            module = ".".join([top, *scope])
            lines.append(f'public_flat_{access} -module "{module}" -var "{name}"')
    return "\n".join([*lines, ""])


class _Runtime:
    """Verilator's own library, compiled once in a folder of builds: it's half of each build.

    Parameters
    ----------
    folder : path
    options : tuple
        All that decides how it is compiled.
    """

    def __init__(self, folder, options):
        digest = hashlib.sha256(repr(options).encode()).hexdigest()[:24]
        self._kept = folder / f"runtime_{digest}"

    def offer(self, scratch):
        """Put the library, where there is one, into a folder that make is about to work in."""
        later = time.time() + 86_400  # than the makefile, or make would compile it again
        for kept in self._kept.glob("*.o"):
            shutil.copy(kept, scratch)
            os.utime(scratch / kept.name, (later, later))

    def keep(self, scratch):
        """Keep the library that make has left in a folder, unless there is one."""
        if self._kept.exists():
            return
        copy = Path(tempfile.mkdtemp(dir=self._kept.parent))
        for made in scratch.glob("verilated*.o"):
            shutil.copy(made, copy)
        _move(copy, self._kept)


def _move(scratch, made):
    """Move a finished folder to its place, where another process may have been faster."""
    try:
        os.replace(scratch, made)
    except OSError:
        shutil.rmtree(scratch)
        if not made.exists():
            raise


def build(text, folder, simulator, *, top=TOP, memories=(), signals=(), waves=False,
          arguments=()):
    """Build a simulator of Verilog text. Returns the folder it is in.

    The build is kept in ``folder`` under a hash of all that goes into it, and made only where it
    isn't there. Several processes may build at once.

    Parameters
    ----------
    text : str
        Verilog.
    folder : path
    simulator : str
    top : str
        The text's module that is simulated.
    memories : sequence of sequences of str
        Paths below the top of the memories that a testbench writes.
    signals : sequence of sequences of str
        And of the signals below the top that it reads.
    waves : bool
        Whether it can write waveforms.
    arguments : sequence of str
        Of the program that builds, beside our own.

    Raises
    ------
    MissingToolError
        If a tool is missing.
    RuntimeError
        If the build fails; the text names the log.
    """
    toolchain.require(simulator)
    tool = toolchain.find("iverilog" if simulator == "icarus" else simulator)
    texts = {"core.v": text}
    if simulator == "verilator":
        texts["public.vlt"] = _public(top, memories, signals)
    arguments = [*BUILD_ARGS[simulator], *arguments]
    options = (simulator, tool.version, toolchain.VERILATOR_MAKEFLAGS, arguments, waves)
    digest = hashlib.sha256(repr((texts, top, options)).encode()).hexdigest()[:24]
    folder = Path(folder).resolve()
    runtime = _Runtime(folder, (*options, toolchain.find("g++").version))
    made, log = folder / f"{simulator}_{digest}", folder / f"{simulator}_{digest}.log"
    if made.exists():
        return made
    folder.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=folder))
    try:
        for name, content in texts.items():
            (scratch / name).write_text(content)
        runtime.offer(scratch)
        with toolchain.active():
            get_runner(simulator).build(
                sources=[scratch / name for name in texts], hdl_toplevel=top, build_dir=scratch,
                build_args=arguments, always=True, waves=waves, timescale=TIMESCALE,
                log_file=log)
    except (RuntimeError, SystemExit) as error:
        shutil.rmtree(scratch)
        raise RuntimeError(f"{simulator} must build the core, and failed: see {log}") from error
    if simulator == "verilator":
        runtime.keep(scratch)
    _move(scratch, made)
    return made


class CocotbSimulator(Simulator):
    """Runs a core's Verilog under a simulator, with a testbench inside it.

    Parameters
    ----------
    parameters : Parameters
    folder : path
        Where builds are kept and found again.
    simulator : str
        ``"verilator"`` or ``"icarus"``.
    """

    def __init__(self, parameters, folder, *, simulator="verilator"):
        if simulator not in SIMULATORS:
            raise ValueError(f"Simulator must be one of {', '.join(SIMULATORS)}, "
                             f"not {simulator!r}")
        super().__init__(parameters)
        self._simulator = simulator
        self._folder = Path(folder).resolve()
        self._text, self._weights = self._design(NeuronCore(parameters.config))
        self._build(waves=False)

    def _design(self, core):
        """Return Verilog of a core, and where it has weights that can be flipped."""
        text = verilog_source(core)
        return text, [{key: item[key] for key in ("bank", "offset", "words", "path", "base")}
                      for item in describe(core, text)["loaded"] if item["memory"] == "weights"]

    def _build(self, waves):
        return build(self._text, self._folder, self._simulator, waves=waves,
                     memories=[*(item["path"] for item in self._weights),
                               *upset_memories(self.parameters.config)], signals=STARTS)

    def run(self, samples, *, expected=None, stall=0.0, seed=0, flips=(), upsets=(), strikes=(),
            waves=None, lengths=None):
        if any(len(each) for each in strikes):
            raise ValueError("Registers are struck under CXXRTL alone")
        lengths = [self.parameters.config.ticks] * len(samples) if lengths is None else lengths
        places = upset_places_of(self.parameters.config, upsets, len(samples))
        job = self._job(samples, expected, stall, seed, flips, places, lengths)
        built = self._build(waves=waves is not None)
        with tempfile.TemporaryDirectory(dir=self._folder) as scratch:
            np.savez(Path(scratch, "job.npz"), **job)
            result = self._launch(built, Path(scratch), waves)
        failure = json.loads(str(result["failure"]))
        runs = self._runs(result, lengths)
        if expected is not None:
            check_results(runs, expected[: len(runs)])
        if failure and failure["kind"] == "MismatchError":
            raise MismatchError(failure["sample"], failure["text"])
        if failure:
            raise HangError(f"sample {failure['sample']}: {failure['text']}")
        return runs

    def _runs(self, result, lengths):
        """Return the runs in the arrays of a result file."""
        config, runs = self.parameters.config, []
        fields = core_fields(config)
        for index, data in enumerate(result["read"]):
            words = {}
            for port in ("o", "trace"):
                first, last = result[f"{port}_offsets"][index : index + 2]
                rows = result[port][first:last]
                words[port] = {f.name: rows[:, n] for n, f in enumerate(fields[port])}
            # The testbench has counted the ticks from the start of the window already.
            runs.append(make_run(config, words["o"], words["trace"], *decode(config, data),
                                 sample=index, ticks=lengths[index]))
        return runs

    def _job(self, samples, expected, stall, seed, flips, upsets, lengths):
        config = self.parameters.config
        starts = window_starts(config, lengths)
        words = [input_words(config, *window)
                 for window in zip(samples, starts, lengths, strict=True)]
        fields = {port: [astuple(field) for field in fields]
                  for port, fields in core_fields(config).items()}
        settings = {"fields": fields, "stall": stall, "seed": seed,
                    "weights": self._weights, "upset": upset_memories(config),
                    "quiet_limit": quiet_limit(config), "word_limit": word_limit(config)}
        job = {
            "settings": json.dumps(settings), "words": np.concatenate(words),
            "offsets": np.cumsum([0, *map(len, words)]), "starts": np.array(starts, np.int64),
            "load": load_program(self.parameters), "read": read_program(config),
            "flips": np.array([(n, *flip) for n, rows in enumerate(flips) for flip in rows],
                              np.int64).reshape(-1, 4),
            "upsets": np.array([(n, *place) for n, rows in enumerate(upsets) for place in rows],
                               np.int64).reshape(-1, 5),
        }
        if expected is not None:
            traces = [result.trace for result in expected]
            job["expected"] = np.concatenate(traces)
            job["expected_offsets"] = np.cumsum([0, *map(len, traces)])
        return job

    def _launch(self, built, scratch, waves):
        """Run the testbench in ``scratch``. Returns the arrays of its result file."""
        log, result, marks = (scratch / name for name in ("log.txt", "result.npz", "marks.xml"))
        arguments = {}
        if waves is not None:
            path = Path(waves).resolve()
            path.parent.mkdir(parents=True, exist_ok=True)
            arguments = {"test_args": ["--trace-file", str(path)]} if (
                self._simulator == "verilator") else {"plusargs": [f"+dumpfile_path={path}"]}
        variables = {**LAUNCH, "RANVIER_JOB": str(scratch / "job.npz"),
                     "RANVIER_RESULT": str(result)}
        try:
            with toolchain.active():
                get_runner(self._simulator).test(
                    hdl_toplevel=TOP, hdl_toplevel_lang="verilog", build_dir=built,
                    test_module="ranvier.sim.tb_core", test_dir=scratch, extra_env=variables,
                    results_xml=str(marks), waves=waves is not None, log_file=log, **arguments)
        except (RuntimeError, SystemExit):
            logger.debug("the simulator's exit status isn't 0; its result file decides")
        if not result.exists():
            raise RuntimeError(f"{self._simulator} must leave a result, and ended with: "
                               f"{_last_words(marks, log)}")
        with np.load(result, allow_pickle=False) as file:
            return dict(file)


def _last_words(marks, log):
    """Return what a failed simulation said, from cocotb's result file or else from the log."""
    if marks.exists():
        for failed in ElementTree.parse(marks).iter("failure"):
            return failed.get("error_msg") or failed.get("message") or "a failed test"
    return "\n".join(log.read_text().splitlines()[-20:]) if log.exists() else "no log"
