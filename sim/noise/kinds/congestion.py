"""The event link is too slow, and has a queue in front of it."""

from collections import deque

import numpy as np

from ....model.events import TickEvents
from ..inputs import InputKind
from ..kind import limited, parts
from ..values import MILLION

DEPTH = 16  # words of the queue
LOST = -1


def link_rate(events, ticks, amount):
    """Return how many millionths of a word a link takes per tick.

    ``events`` come in so many ``ticks``, and are ``amount`` thousandths of what it could take.
    """
    return max(1, 1000 * MILLION * events // (ticks * amount))


class Congestion(InputKind):
    """Sends a sample's events through a link with a queue of 16 words, of a rate all its own.

    A level is how much is offered: the mean events per tick of all samples, over the words per
    tick that the link takes. Words are late by whole ticks; those that come after the last tick
    are lost. Where the queue is full, the sensor is held up.
    """

    name = "congestion_wait"
    number = 19
    unit = "offered load, share of the link's rate"
    origin = "bursts on an event link that holds up the sensor"
    levels = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
    field = "late"
    meaning = f"ticks by which each event on the tick grid is late; {LOST}: it's lost"

    def amount(self, level):
        return parts(level, 1000, 1000, "thousandths")

    def draw(self, seed, subject, instance, sample):
        """Return the ticks of the events, and at last all events in millions and all ticks."""
        total = sum(map(len, subject.clean))
        ticks = subject.parameters.config.ticks
        return np.append(subject.clean[sample].ticks, [total, ticks * len(subject), ticks])

    def change(self, drawn, amount):
        *ticks, total, of, end = drawn.tolist()
        rate = link_rate(total, of, amount)
        late, queue, event, credit = [LOST] * len(ticks), deque(), 0, 0
        for tick in range(end):
            while event < len(ticks) and ticks[event] == tick:
                self.enter(queue, event)
                event += 1
            credit = min(credit + rate, max(rate, MILLION))  # an idle link saves up one word
            while credit >= MILLION and queue:
                sent = queue.popleft()
                late[sent] = tick - ticks[sent]
                credit -= MILLION
        return np.array(late, np.int64)

    def enter(self, queue, event):
        """Let a word come to the queue."""
        queue.append(event)

    def check(self, change, amount, subject, sample):
        ticks = subject.clean[sample].ticks
        limited(change, ticks.size, LOST, subject.parameters.config.ticks - 1 - ticks, "events")

    def events(self, change, subject, sample):
        config, events = subject.parameters.config, subject.clean[sample]
        there = change != LOST
        keys = (events.ticks + change)[there] * config.inputs + events.channels[there]
        unique = np.unique(keys)
        return TickEvents(ticks=unique // config.inputs,
                          channels=(unique % config.inputs).astype(np.int32),
                          merged=keys.size - unique.size)

    def counts(self, change, subject, sample):
        return {"events": change.size, "lost": int(np.count_nonzero(change == LOST)),
                "late": int(np.count_nonzero(change > 0)),
                "merged": self.events(change, subject, sample).merged}


class CongestionDropNew(Congestion):
    """As `Congestion`; where the queue is full, the word that comes is lost."""

    name = "congestion_drop_new"
    number = 17
    origin = "bursts on an event link whose queue refuses words when it's full"

    def enter(self, queue, event):
        if len(queue) < DEPTH:
            queue.append(event)


class CongestionDropOld(Congestion):
    """As `Congestion`; where the queue is full, the oldest word in it is lost."""

    name = "congestion_drop_old"
    number = 18
    origin = "bursts on an event link whose queue writes over its oldest word when it's full"

    def enter(self, queue, event):
        if len(queue) == DEPTH:
            queue.popleft()
        queue.append(event)
