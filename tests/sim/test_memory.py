import os
import subprocess
import sys
import threading
import time

import pytest

from ranvier.sim import memory
from ranvier.sim.memory import MemoryWatch, _processes, _resident

HOLD = "x = bytearray({0} << 20); x[::4096] = b'1' * len(x[::4096]); input()"


def watched(act):
    with MemoryWatch() as watch:
        act()
    return watch.peak


def hold(mib, depth=1):
    """Let a process hold memory for a second, at the end of a chain of ``depth`` processes."""
    command = [sys.executable, "-c", HOLD.format(mib)]
    if depth > 1:
        command = ["sh", "-c", '"$@"; exit', "sh", *command]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        time.sleep(1.5)
        process.communicate(b"\n")
    assert process.returncode == 0


def test_memory_of_this_process_counts():
    at_rest = watched(lambda: None)
    block = []
    grown = watched(lambda: (block.append(bytearray(b"1") * (200 << 20)), time.sleep(0.5)))
    assert at_rest + 150 < grown < at_rest + 260


def test_memory_of_started_processes_counts_too():
    at_rest = watched(lambda: None)
    for depth in (1, 2):
        assert at_rest + 200 < watched(lambda depth=depth: hold(200, depth)) < at_rest + 300


# From Python 3.12 on a fork beside threads warns; this one does nothing but sleep.
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_process_that_is_still_a_copy_of_this_one_does_not_count():
    def fork():
        pid = os.fork()
        if pid == 0:
            time.sleep(0.8)
            os._exit(0)
        os.waitpid(pid, 0)

    block = bytearray(b"1") * (100 << 20)
    at_rest = watched(lambda: None)
    assert watched(fork) < at_rest + 50
    assert len(block) == 100 << 20


def test_processes_side_by_side_add_up():
    def both():
        with subprocess.Popen([sys.executable, "-c", HOLD.format(150)],
                              stdin=subprocess.PIPE) as process:
            hold(150)
            process.communicate(b"\n")

    at_rest = watched(lambda: None)
    assert watched(both) > at_rest + 300


def test_a_process_may_end_while_the_watch_looks(monkeypatch):
    """Looks without a pause see some of a thousand short processes just end."""
    errors = []
    monkeypatch.setattr(memory, "INTERVAL", 0.0)
    monkeypatch.setattr(threading, "excepthook", lambda error: errors.append(error.exc_value))
    command = ["sh", "-c", "true & wait"]
    for _ in range(40):
        watched(lambda: [subprocess.run(command, check=True) for _ in range(25)])
    assert errors == []


def test_a_process_that_has_ended_is_left_out():
    process = subprocess.Popen(["sleep", "60"])
    walk = _processes(os.getpid())
    while next(walk) != str(process.pid):
        pass
    process.kill()
    process.wait()
    assert list(walk) == []
    assert list(_processes(process.pid)) == [process.pid]
    assert _resident(process.pid) == 0
