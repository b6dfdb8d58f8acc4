"""Damaged files: plans, designs and networks that are loaded must be refused by a sentence.

RANVIER_FUZZ says how many cases each loader gets; 300 without it. Cases are numbered, and each is
made from its number alone.
"""

import os
import resource

import numpy as np
import pytest

from ranvier.model.parameters import Parameters
from ranvier.sim.noise.faultmap import read_fault_map
from ranvier.sim.noise.plan import draw_plan
from ranvier.sim.noise.planfile import load_plan, save_plan
from ranvier.sim.noise.settings import NoiseConfig

from . import subjects
from .maps import file_of

CASES = int(os.environ.get("RANVIER_FUZZ", "300"))
SUBJECT = subjects.random_subject(5, samples=3)
WORDS = (b"0", b"-1", b"1e999", b"NaN", b"null", b"[[", b"{}", b'"', b"\n", b"\xff", b"9" * 30)


def damaged(content, case):
    """Return a file's content after one to three random changes."""
    rng = np.random.default_rng([7, case])
    content = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        at = int(rng.integers(len(content) + 1))
        size = int(rng.integers(1, 16))
        match rng.integers(6):
            case 0:
                content[at : at + 1] = bytes([int(rng.integers(256))])
            case 1:
                del content[at : at + size]
            case 2:
                content[at:at] = content[max(0, at - size) : at]
            case 3:
                del content[at:]
            case 4:
                content[at : at + size] = WORDS[int(rng.integers(len(WORDS)))]
            case _:
                flip = int(rng.integers(8))
                content[at : at + 1] = bytes([byte ^ 1 << flip for byte in content[at : at + 1]])
        content = content or bytearray(b"x")
    return bytes(content)


def files(folder):
    """Return the name, content and loader of each kind of file, and what tells its content."""
    plan = draw_plan(SUBJECT, NoiseConfig(kinds="all", instances=1), 3)
    save_plan(plan, folder / "plan.jsonl")
    SUBJECT.parameters.save(folder / "design.safetensors")
    return {
        "plan.jsonl": (lambda path: load_plan(path, SUBJECT), lambda found: found.seed),
        "design.safetensors": (Parameters.load, lambda found: found.hash)}


def attempt(load, path):
    """Return what is loaded and None, or None and the text of the one error that's allowed."""
    try:
        return load(path), None
    except ValueError as error:
        return None, str(error)


@pytest.mark.parametrize("name", ["plan.jsonl", "design.safetensors"])
def test_a_damaged_file_is_refused_or_is_the_same(name, tmp_path):
    load, content_of = files(tmp_path)[name]
    whole = (tmp_path / name).read_bytes()
    wanted = content_of(load(tmp_path / name))
    path, refused = tmp_path / f"damaged-{name}", 0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for case in range(CASES):
        path.write_bytes(damaged(whole, case))
        found, error = attempt(load, path)
        refused += error is not None
        assert content_of(found) == wanted if error is None else str(path) in error, case
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown * 1024 < 2 * len(whole) + (64 << 20)
    assert refused > 0.9 * CASES


def test_a_damaged_fault_map_is_refused_or_is_one(tmp_path):
    whole = file_of(SUBJECT, np.random.default_rng(1)).encode()
    path, refused = tmp_path / "map.csv", 0
    for case in range(CASES):
        path.write_bytes(damaged(whole, case))
        found, error = attempt(lambda path: read_fault_map(path, SUBJECT.parameters), path)
        refused += error is not None
        # A changed digit is another map, since nothing tells what the file was.
        assert found.shape[1] == 4 if error is None else str(path) in error, case
    assert refused > 0.5 * CASES
