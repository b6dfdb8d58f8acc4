"""Functions give the same results in the same order wherever they run."""

import builtins
import os
import time

import pytest

from ranvier.sim.workers import in_order, open_pool

TASKS = [(2, 5), (3, 4), (5, 3), (7, 2), (9, 1)]
POWERS = [base**power for base, power in TASKS]


@pytest.fixture
def cluster():
    """A scheduler and a worker of two threads, both in this process."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0",
        protocol="tcp", host="127.0.0.1",
    ) as local:  # fmt: skip
        yield local


@pytest.mark.parametrize("workers", [None, 1, 2])
def test_results_come_in_the_order_of_the_tasks(workers):
    with open_pool(workers) as pool:
        assert pool.size == (workers or 1)
        assert list(in_order(pool, pow, TASKS)) == POWERS


def test_one_worker_is_this_process_and_two_are_others():
    for workers, here in ((1, True), (2, False)):
        with open_pool(workers) as pool:
            assert (pool.submit(os.getpid).result() == os.getpid()) == here


def test_workers_share_the_cores(monkeypatch):
    monkeypatch.setenv("NUMBA_NUM_THREADS", "99")
    cores = len(os.sched_getaffinity(0))
    with open_pool(2) as pool:
        threads = pool.submit(os.getenv, "NUMBA_NUM_THREADS").result()
    assert threads == str(max(1, cores // 2))


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_task_is_drawn_when_the_one_a_pools_size_before_it_is_done(size):
    done, known = [], []

    def tasks():
        for n in range(6):
            known.append(list(done))
            yield (n,)

    with open_pool(1) as pool:
        pool = type(pool)(pool.submit, size)
        for result in in_order(pool, abs, tasks()):
            done.append(result)
    assert known == [list(range(max(0, n - size + 1))) for n in range(6)]


def test_errors_of_a_worker_arrive():
    with open_pool(2) as pool, pytest.raises(ValueError, match="invalid literal"):
        list(in_order(pool, int, [("1",), ("x",), ("2",)]))


def test_an_interruption_ends_the_workers():
    def interrupted():
        with open_pool(2) as pool:
            pool.submit(os.getpid).result()
            pool.submit(time.sleep, 60)
            raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert time.monotonic() - began < 30


def test_a_cluster_gives_the_same_results(cluster):
    with open_pool(dask=cluster.scheduler_address) as pool:
        assert pool.size == 2
        assert list(in_order(pool, pow, TASKS)) == POWERS


def test_a_cluster_that_is_not_there_is_named(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("ranvier.sim.workers.CONNECT", 0.5)
    with pytest.raises(RuntimeError, match=r"Dask scheduler must be reachable at tcp://\S+, and"):
        with open_pool(dask="tcp://127.0.0.1:1"):
            pass


def test_a_missing_package_is_named(monkeypatch):
    plain = builtins.__import__

    def without(name, *arguments, **options):
        if name == "distributed":
            raise ImportError(name)
        return plain(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(RuntimeError, match=r"run `pip install 'ranvier\[cluster\]'`"):
        with open_pool(dask="tcp://127.0.0.1:1"):
            pass


def test_a_number_of_workers_must_be_positive():
    with pytest.raises(ValueError, match=r"^Number of workers must be at least 1, not 0$"):
        with open_pool(0):
            pass
