"""Runs plain functions in this process, in local processes, or on a Dask cluster."""

import os
import signal
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from threading import RLock

from loky import ProcessPoolExecutor
from tqdm import tqdm

__all__ = ["Pool", "in_order", "open_pool"]

CONNECT = 10.0  # seconds until a Dask scheduler must have answered
THREADS = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Pool:
    """Where functions run.

    Members
    -------
    submit : callable
        Takes a function of a module and its arguments, and returns a future with ``result()``.
    size : int
        How many run at once.
    """

    submit: Callable
    size: int


@contextmanager
def open_pool(workers=None, dask=None):
    """Open a `Pool`.

    When the block is left by an error or Ctrl-C, local processes are ended at once, and what waits
    on a cluster is withdrawn.

    Parameters
    ----------
    workers : int, optional
        How many functions run at once. 1 (by default) runs them in this process. More: in as many
        processes, which share the cores. On a cluster, by default, one for each of its threads.
    dask : str, optional
        Address of a Dask scheduler, such as ``tcp://host:8786``. Files must have the same paths on
        its workers.

    Raises
    ------
    ValueError
        If ``workers`` is below 1.
    RuntimeError
        If the cluster can't be reached, or the package for it is missing.
    """
    if workers is not None and workers < 1:
        raise ValueError(f"Number of workers must be at least 1, not {workers}")
    if dask is not None:
        with _cluster(dask) as client:
            threads = sum(client.nthreads().values())
            yield Pool(_submitter(client), workers or max(1, threads))
    elif workers is None or workers == 1:
        yield Pool(_run_here, 1)
    else:
        with _processes(workers) as executor:
            yield Pool(executor.submit, workers)


def in_order(pool, function, tasks):
    """Yield the results of ``function(*task)`` for each task, in the order of the tasks.

    A task is drawn when there's room for it: task n when the results up to n - ``pool.size`` have
    been yielded, no sooner and no later. So what a task is may depend on them, and is the same
    however long each takes.
    """
    tasks, running = iter(tasks), deque()
    while True:
        for task in tasks:
            running.append(pool.submit(function, *task))
            if len(running) == pool.size:
                break
        if not running:
            return
        yield running.popleft().result()


def _run_here(function, *arguments):
    future = Future()
    future.set_result(function(*arguments))
    return future


@contextmanager
def _processes(workers):
    share = str(max(1, len(os.sched_getaffinity(0)) // workers))
    executor = ProcessPoolExecutor(
        workers, initializer=_prepare, env=dict.fromkeys(THREADS, share)
    )
    try:
        yield executor
    except BaseException:
        executor.shutdown(wait=True, kill_workers=True)
        raise
    executor.shutdown(wait=True)


def _prepare():
    """Set a local process up so that it can be ended at any time without a word."""
    # Ctrl-C reaches every process of the terminal: the main one deals with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # By default tqdm takes a semaphore of the system, which would be left behind.
    tqdm.set_lock(RLock())


@contextmanager
def _cluster(address):
    try:
        from distributed import Client
    except ImportError:
        raise RuntimeError(
            "A Dask cluster must have the package distributed, and it's missing: "
            "run `pip install 'ranvier[cluster]'`"
        ) from None
    try:
        client = Client(address, timeout=CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise RuntimeError(
            f"Dask scheduler must be reachable at {address}, and isn't: {error}"
        ) from None
    with client:
        yield client


def _submitter(client):
    return lambda function, *arguments: client.submit(function, *arguments, pure=False)
