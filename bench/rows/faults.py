"""Rows on faults in the model: campaigns, where these may run, and what check bits save."""

import itertools
import os
import shutil
import signal
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from threading import Event, Thread

import numpy as np
from distributed import LocalCluster
from registry import ENGINE, ROOT, row

from ranvier.model.disturbed import MEMORIES, disturbed, words_and_bits
from ranvier.model.emulator import Emulator
from ranvier.sim.noise import NoiseConfig
from ranvier.sim.noise.campaign import FAULTS, run_campaign
from ranvier.sim.noise.instances import spread
from ranvier.sim.noise.kind import probability
from ranvier.sim.noise.kinds import KINDS
from ranvier.sim.noise.philox import stream_key, words
from ranvier.sim.noise.study import PLAN, RESULT, run_study

from .networks import subject as trained_subject

sys.path.append(str(ROOT))
from tests.sim.noise import subjects

NOISE = ("sim/noise/**/*.py", "bench/rows/faults.py")
SINGLE = 16_587  # faults: a margin of 1 % at 99 % confidence
CHIPS, RATE, ERRORS = 59, 1e-4, 50  # bit errors of protected memories, and their stream


def fresh(context, name):
    """Return an empty folder among the results."""
    folder = context.results / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@contextmanager
def dying_cluster():
    """Start a Dask cluster of two workers, one of which is killed while it has work to do.

    Yields its address, and what tells how many have been killed.
    """
    killed, ended = [], Event()
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster:
        def kill():
            while not ended.wait(0.02):
                if any(worker.processing for worker in cluster.scheduler.workers.values()):
                    pid = cluster.workers[0].pid
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
                    return

        killer = Thread(target=kill)
        killer.start()
        try:
            yield cluster.scheduler_address, lambda: len(killed)
        finally:
            ended.set()
            killer.join()


@row("campaign", "16,587 single faults of spoken digits: minutes with two processes / share of all "
     "bits' faults that change the decision", "min / %", (*ENGINE, *NOISE))
def campaign(context):
    subject, folder = trained_subject(context, "spoken_digits"), fresh(context, "campaign")
    start = time.monotonic()
    found = run_campaign(subject, 1, 200 if context.quick else SINGLE, folder, workers=2)
    minutes = (time.monotonic() - start) / 60
    share, ends = found.pop("critical"), found.pop("interval")
    del found["divergence"]  # spikes for a picture
    return [minutes, 100 * share], found | {"interval": [None, [100 * end for end in ends]]}


@row("distributed", "one study and campaign by 1 process, by 2, and on a Dask cluster of which a "
     "worker is killed: files that differ", "", (*ENGINE, *NOISE, "sim/workers.py"))
def distributed(context):
    subject = subjects.random_subject(3, samples=60, neurons=12, inputs=8)
    settings = NoiseConfig(kinds=tuple(KINDS), instances=4)

    def work(name, **where):
        folder = fresh(context, f"distributed/{name}")
        run_study(subject.parameters, subject.dataset, settings, 1, folder, **where)
        run_campaign(subject, 1, 4000, folder, **where)
        return [(folder / file).read_bytes() for file in (RESULT, PLAN, FAULTS)]

    with dying_cluster() as (address, killed):
        found = [work("one"), work("two", workers=2), work("dask", dask=address)]
        died = killed()
    wrong = sum(a != b for one, other in itertools.pairwise(found)
                for a, b in zip(one, other, strict=True))
    return wrong, {"workers killed": died}


def chip(parameters, number):
    """Return a design as its core reads it on a chip with bit errors in all parameter memories."""
    flips = {}
    for place, name in enumerate(MEMORIES):
        count, bits = words_and_bits(parameters, name)
        if not count or not bits:
            continue
        stored = parameters.config.code(bits).bits
        drawn = words(stream_key(1, ERRORS), number, place, np.arange(count)[:, None],
                      np.arange(-(-stored // 4))).reshape(count, -1)[:, :stored]
        flips[name] = np.argwhere(drawn < probability(RATE))
    return disturbed(parameters, flips)


@row("protected", "points lost by spoken digits at bit errors of 1e-4 in all parameter memories, "
     "59 chips: parity / SECDED", "points", (*ENGINE, *NOISE))
def protected(context):
    subject = trained_subject(context, "spoken_digits")
    labels, found = subject.dataset.labels, {}
    clean = Emulator(subject.parameters).run_batch(subject.clean, counters=False).decisions
    for name in ("parity", "secded"):
        config = replace(subject.parameters.config, protection=name)
        right, undefined, corrected, detected = [], 0, 0, 0
        for number in range(2 if context.quick else CHIPS):
            try:
                own, readings = chip(replace(subject.parameters, config=config), number)
            except ValueError:  # a wrong word that no code saw, with which the contract ends
                undefined += 1
                right.append(np.zeros(len(labels), bool))
                continue
            batch = Emulator(own).run_batch(subject.clean, counters=False)
            right.append(batch.decisions == labels)
            corrected += sum(int(one.corrected.sum()) for one in readings.values())
            detected += sum(int(one.detected.sum()) for one in readings.values())
        figures = spread(np.array(right), 1)
        found[name] = {
            "lost": 100 * (float(np.mean(clean == labels)) - figures.mean),
            "accuracy": figures.mean, "interval": list(figures.interval), "least": figures.least,
            "chips that aren't defined, counted as wrong": undefined,
            "words corrected": corrected, "words detected": detected}
    accuracy = float(np.mean(clean == labels))
    return [one["lost"] for one in found.values()], found | {"interval": [
        [100 * (accuracy - end) for end in reversed(one["interval"])] for one in found.values()]}
