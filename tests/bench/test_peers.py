"""Peers that the README names exist and can be called; they themselves aren't installed here."""

import ast
import re

import contest
import pytest
import tasks
from registry import ROOT
from rows import speed

FILES = {path.stem: path for path in (ROOT / "bench" / "peers").glob("[!_]*.py")}
SHARED = ROOT / "bench" / "peers" / "_torch.py"
ARGUMENTS = ["task", "repeats", "threads"]


def functions(path, within=None):
    """Return the argument names of each function of a file, or of one of its functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    if within is not None:
        tree = found[within]
        found = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    return tree, {name: [arg.arg for arg in node.args.args] for name, node in found.items()}


def offered(path):
    """Return the names of a peer's tasks, after a look at their arguments."""
    tree, found = functions(path)
    names = {name for name in found if not name.startswith("_")}
    for name in names:
        assert found[name] == ARGUMENTS, f"{path.name}: {name}"
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("_torch.make("):
            names |= {part.id for part in node.targets[0].elts}
    return names


def test_the_readme_names_the_peers():
    text = (ROOT / "bench" / "README.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    named = [name for cell in rows for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(named) == sorted([*FILES, *contest.SELVES])


@pytest.mark.parametrize("name", FILES)
def test_a_peer_does_tasks_and_says_its_packages(name):
    tree, _ = functions(FILES[name])
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    values = {ast.unparse(node.targets[0]): node.value for node in assigned}
    assert ast.literal_eval(values["PACKAGES"])
    assert offered(FILES[name])
    assert offered(FILES[name]) <= set(contest.TASKS)


def test_what_peers_share_takes_the_same_arguments():
    tree, found = functions(SHARED, within="make")
    made = [part.id for part in tree.body[-1].value.elts]
    assert [found[name] for name in made] == [ARGUMENTS] * 3
    for name in speed.CLOCKED:
        assert f"{', '.join(made)} = _torch.make(" in FILES[name].read_text(encoding="utf-8")


class Recorder:
    """A context that only notes who is to run what."""

    quick = False

    def __init__(self):
        self.asked = set()

    def race(self, contestants, task, rounds=2, **options):
        self.asked |= {(name, task) for name in contestants}
        return {"ranvier": {"milliseconds": 1.0, "peak": 1.0}}


def test_rows_ask_of_peers_what_they_can():
    context = Recorder()
    for measure in (speed.yinyang_speed, speed.shd_speed, speed.shd_fine, speed.inference):
        measure(context)
    speed.memory(context)
    able = {(name, task) for name, path in FILES.items() for task in offered(path)}
    asked = {pair for pair in context.asked if pair[0] not in contest.SELVES}
    assert asked <= able
    assert {name for name, _ in asked} == set(FILES)


@pytest.mark.parametrize("task", [tasks.YinYang(), tasks.Shd(), tasks.Shd(tick=0.1, hidden=7)])
def test_the_scale_gives_the_tasks_rate(task):
    scale = task.calibrate(lambda scale: 20.0 * scale**2)
    assert 20.0 * scale**2 == pytest.approx(task.aim, rel=0.01)
