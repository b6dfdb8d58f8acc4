"""What a row of the figures is, and what its function is given."""

import ast
import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROWS = {}
"""Every row by its id, in the order of their files."""

ENGINE = ("train/**/*.py", "model/**/*.py")
SPEED = (*ENGINE, "bench/*.py", "bench/limits/*.py", "bench/peers/*.py")


class PassedOver(Exception):
    """A row can't be measured here; the text says why."""


@dataclass(frozen=True)
class Row:
    """One figure: how to measure it, and on which files it depends.

    ``measure(context)`` returns (value, detail): a number or a list of numbers in ``unit``, and a
    dict of what else was measured, ready for JSON. Of that, ``interval`` is the 95 % interval of
    the value, one for each number, and ``table`` is Markdown that the page shows. ``sources`` are
    globs from the root.
    """

    id: str
    title: str
    unit: str
    sources: tuple[str, ...]
    measure: callable

    def code(self, quick):
        """Return the `code_hash` of the sources; another one where toy sizes are used."""
        return code_hash(self.sources) + ("-quick" if quick else "")


def code_hash(globs):
    """Return a hash over what files do: comments and docstrings of Python files don't count."""
    digest = hashlib.sha256()
    for path in sorted({path for glob in globs for path in ROOT.glob(glob)}):
        digest.update(path.relative_to(ROOT).as_posix().encode())
        text = path.read_text(encoding="utf-8")
        digest.update((_without_docstrings(text) if path.suffix == ".py" else text).encode())
    return digest.hexdigest()[:16]


def _without_docstrings(text):
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[1:]
    return ast.dump(tree)


def row(name, title, unit, sources):
    """Put a function into `ROWS`, as the measure of row ``name``."""

    def enter(measure):
        ROWS[name] = Row(name, title, unit, tuple(sources), measure)
        return measure

    return enter


@dataclass(frozen=True)
class Context:
    """How rows are measured.

    Parameters
    ----------
    quick : bool
        Toy sizes, to see that everything runs.
    venvs : dict of str to Path
        Folder of each peer's virtual environment.
    results : Path
        Where trained seeds are kept, so that a stopped row goes on.
    """

    quick: bool = False
    venvs: dict = field(default_factory=dict)
    results: Path = ROOT / "bench" / "results"

    def contest(self, contestant, task, **options):
        """Run a contestant on a task in a process of its own; returns its figures.

        Raises
        ------
        PassedOver
            If it isn't installed or can't do the task.
        RuntimeError
            If it fails; the text is the end of what it said.
        """
        if contestant in ("ranvier", "limit"):
            python = sys.executable
        elif contestant in self.venvs:
            python = str(self.venvs[contestant] / "bin" / "python")
        else:
            raise PassedOver(f"{contestant} needs --peer {contestant}=VENV")
        command = [python, "contest.py", contestant, task, "--options", json.dumps(options)]
        done = subprocess.run(
            command, cwd=ROOT / "bench", capture_output=True, text=True, env=_plain_environment()
        )
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        if done.returncode or not lines:
            raise RuntimeError(f"{contestant} on {task} must succeed, not: {done.stderr[-600:]}")
        found = json.loads(lines[-1])
        if "skipped" in found:
            raise PassedOver(found["skipped"])
        return found

    def race(self, contestants, task, rounds=2, **options):
        """Run contestants in turn, ``rounds`` times; returns the best of each by name.

        Ratios within one race are what counts: all of it sees the same load of the machine.
        """
        found = {}
        for _ in range(1 if self.quick else rounds):
            for name in contestants:
                try:
                    new = self.contest(name, task, **options)
                except PassedOver as reason:
                    new = {"skipped": str(reason)}
                old = found.get(name, new)
                found[name] = min(old, new, key=cost)
        return found


def cost(figures):
    """Return a contestant's CPU time, in its task's unit; inf if it was passed over."""
    return figures.get("seconds", figures.get("milliseconds", float("inf")))


def compare(found, ours="ranvier"):
    """Return {others, their ratios to ours} of a race, ready for a row's detail."""
    own = cost(found[ours])
    ratios = {
        name: cost(figures) / own
        for name, figures in found.items()
        if name != ours and "skipped" not in figures
    }
    return {"contestants": found, "ratio to ours": ratios}


def _plain_environment():
    """Return the environment without settings that would bias a contestant."""
    own = ("NUM_THREADS", "OMP_WAIT_POLICY", "XLA_FLAGS", "PYTHONPATH")
    return {name: value for name, value in os.environ.items() if not name.endswith(own)}
