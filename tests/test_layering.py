"""Packages import only those below them, and never one by its bare name."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BELOW = {
    "model": set(),
    "train": {"model"},
    "hw": {"model"},
    "sim": {"model", "train", "hw"},
}
FILES = [
    path.relative_to(ROOT) for package in BELOW for path in sorted((ROOT / package).rglob("*.py"))
]


def imported(path, text):
    """Yield the top package of each import of ours in ``text``, which stands at ``path``."""
    depth = len(path.parts)  # of dots that lead to the namespace
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.level >= depth:
            yield from [node.module.split(".")[0]] if node.module else [n.name for n in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from _absolute(node.module)
        elif isinstance(node, ast.Import):
            for name in node.names:
                yield from _absolute(name.name)


def _absolute(name):
    first, *rest = name.split(".")
    if first in BELOW:
        yield f"{first} by its bare name"
    elif first == "ranvier":
        yield rest[0] if rest else "the namespace itself"


@pytest.mark.parametrize("path", FILES, ids=str)
def test_imports_point_down(path):
    package = path.parts[0]
    assert set(imported(path, (ROOT / path).read_text())) <= BELOW[package] | {package}


@pytest.mark.parametrize(("text", "found"), [
    ("from ..sim import cli", "sim"),
    ("from .. import sim", "sim"),
    ("from ..sim.cli import main", "sim"),
    ("import ranvier.sim.cli", "sim"),
    ("from ranvier.sim import cli", "sim"),
    ("import sim", "sim by its bare name"),
])
def test_a_bad_import_is_found(text, found):
    assert list(imported(Path("hw/core.py"), text)) == [found]
