import numpy as np
import pytest

from ranvier.sim.noise import sizing
from ranvier.sim.noise.kinds import KINDS
from ranvier.sim.noise.kinds.congestion import DEPTH, LOST, Congestion

from . import subjects

SUBJECT = subjects.random_subject(31, samples=8, inputs=6, neurons=8, outputs=4)
LOADS = (0.05, 0.2, 0.7, 2.0, 10.0)


def late(kind, load):
    """The change of each sample."""
    return [kind.change(kind.draw(1, SUBJECT, 0, k), kind.amount(load)).tolist()
            for k in range(len(SUBJECT))]


class Watched(Congestion):
    """Knows the longest queue."""

    def __init__(self):
        self.longest = 0

    def enter(self, queue, event):
        super().enter(queue, event)
        self.longest = max(self.longest, len(queue))


@pytest.mark.parametrize("name", ["congestion_drop_new", "congestion_drop_old"])
def test_a_queue_of_16_loses_what_the_kinds_of_congestion_lose(name):
    found = sizing.queue_sizes(SUBJECT, LOADS)
    at = found["depths"].index(DEPTH)
    assert found["events"] == sum(map(len, SUBJECT.clean))
    for row in found["loads"]:
        # Words that are still in the queue after the last tick had room in it.
        waiting = lost = 0
        for change, events in zip(late(KINDS[name], row["load"]), SUBJECT.clean, strict=True):
            there = [k for k, ticks in enumerate(change) if ticks != LOST]
            gone = len(events) - len(there)
            left = _left(events.ticks, row["load"])
            waiting, lost = waiting + left, lost + gone
        assert row["full"][at] == lost - waiting
    assert any(row["full"][at] for row in found["loads"])


def _left(ticks, load):
    """How many words a queue of 16 holds after the last tick."""
    config = SUBJECT.parameters.config
    total = sum(map(len, SUBJECT.clean))
    rate = max(1, 10**9 * total // (config.ticks * len(SUBJECT) * round(1000 * load)))
    queue = credit = 0
    for tick in range(config.ticks):
        queue = min(DEPTH, queue + int(np.count_nonzero(ticks == tick)))
        credit = min(credit + rate, max(rate, 10**6))
        while credit >= 10**6 and queue:
            queue, credit = queue - 1, credit - 10**6
    return queue


def test_the_depth_that_is_needed_is_the_longest_queue_without_a_bound():
    for row in sizing.queue_sizes(SUBJECT, LOADS)["loads"]:
        kind = Watched()
        late(kind, row["load"])
        assert row["needed"] == kind.longest
        for depth, full in zip(sizing.DEPTHS, row["full"], strict=True):
            assert (full == 0) == (depth >= row["needed"])


def test_deeper_queues_and_faster_links_lose_less():
    full = np.array([row["full"] for row in sizing.queue_sizes(SUBJECT, LOADS)["loads"]])
    assert np.all(np.diff(full, axis=0) >= 0)
    assert np.all(np.diff(full, axis=1) <= 0)


def test_samples_without_events_need_no_queue():
    empty = subjects.random_subject(31, samples=1, inputs=6, neurons=8, outputs=4)
    assert sizing.queue_sizes(empty, [0.5])["loads"] == [
        {"load": 0.5, "full": [0] * len(sizing.DEPTHS), "needed": 0}]
