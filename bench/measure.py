"""CPU time and peak memory of a process. Needs nothing but Linux, so that peers can use it too."""

import ctypes
import gc
import time


def best(act, repeats):
    """Run ``act`` once untimed, then ``repeats`` times. Returns the least CPU and wall seconds."""
    act()
    cpu, wall = [], []
    for _ in range(repeats):
        began_cpu, began = time.process_time(), time.perf_counter()
        act()
        cpu.append(time.process_time() - began_cpu)
        wall.append(time.perf_counter() - began)
    return min(cpu), min(wall)


class Peak:
    """Measures the most memory that a ``with`` block holds beyond what was held before.

    ``mebibytes`` has it afterwards.
    """

    def __enter__(self):
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)  # what was freed before would hide what comes
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # sets VmHWM back
        self._before = _status("VmRSS")
        return self

    def __exit__(self, *error):
        self.mebibytes = max(0.0, _status("VmHWM") - self._before)


def _status(key):
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(key + ":"):
                return int(line.split()[1]) / 1024.0
    raise OSError(f"/proc/self/status must have a line {key}, and has none")
