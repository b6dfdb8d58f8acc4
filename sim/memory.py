"""How much memory a run takes."""

import os
import threading
from pathlib import Path

__all__ = ["MemoryWatch"]

INTERVAL = 0.25  # s
PAGE = os.sysconf("SC_PAGE_SIZE")


def _processes(pid):
    """Yield a process and those that it has started, and so on down."""
    yield pid
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = listed.read_text().split()
        except OSError:  # it has ended meanwhile
            continue
        for child in children:
            yield from _processes(child)


def _resident(pid):
    """Return the resident bytes of a process, 0 if it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except OSError:
        return 0


class MemoryWatch:
    """Watches, while it's entered, the memory of this process and of all that it starts.

    The sum of their resident memory is looked at four times a second: pages that several share
    count for each, and a peak that is shorter may be missed.

    Members
    -------
    peak : float
        The largest sum so far, MiB.
    """

    def __init__(self):
        self.peak = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self):
        while True:
            total = sum(map(_resident, _processes(os.getpid())))
            self.peak = max(self.peak, total / 2**20)
            if self._ended.wait(INTERVAL):
                break

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._ended.set()
        self._thread.join()
