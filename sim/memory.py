"""How much memory a run takes."""

import os
import threading
from pathlib import Path

__all__ = ["MemoryWatch"]

INTERVAL = 0.25  # s
PAGE = os.sysconf("SC_PAGE_SIZE")
NOT_EXECUTED = 0x40  # the kernel's PF_FORKNOEXEC, in the flags of /proc/PID/stat


def _processes(pid):
    """Yield a process and those that it has started, and so on down.

    Any of them may end at any time: it's left out from then on.
    """
    yield pid
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return
    for thread in threads:
        try:
            children = Path(f"/proc/{pid}/task/{thread}/children").read_text().split()
        except OSError:
            continue
        for child in children:
            yield from _processes(child)


def _is_copy(pid):
    """Whether a process has been forked and not become a program yet.

    Until then its memory is its parent's, which would count twice.
    """
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return bool(int(after_name[6]) & NOT_EXECUTED)


def _resident(pid):
    """Return the resident bytes of a process, 0 if it has ended or `_is_copy`."""
    try:
        if pid != os.getpid() and _is_copy(pid):
            return 0
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except OSError:
        return 0


class MemoryWatch:
    """Watches, while it's entered, the memory of this process and of all that it starts.

    The sum of their resident memory is looked at four times a second: pages that several programs
    share count for each, processes that were only forked don't count, and a peak that is shorter
    may be missed.

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
