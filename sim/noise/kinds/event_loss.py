"""Input events get lost on their way to the core."""

import numpy as np

from ..kind import InputKind, ascending, probability


class EventLoss(InputKind):
    """Drops each event with one probability, on its own."""

    name = "event_loss"
    number = 2
    unit = "probability per event"
    origin = "a congested or unreliable event link that drops words, and misses of the sensor"
    exact = True
    levels = (0.001, 0.01, 0.05, 0.1, 0.2, 0.5)
    field = "dropped"
    meaning = "the events that are lost, counted from 0 in the order of the sample"

    def amount(self, level):
        return probability(level)

    def change(self, drawn, amount):
        return np.flatnonzero(drawn < amount)

    def check(self, change, amount, subject, sample):
        events = len(subject.sample(sample)[0])
        bad = np.flatnonzero((change < 0) | (change >= events))
        if bad.size:
            raise ValueError(f"item {bad[0]} must be one of {events} events, "
                             f"not {change[bad[0]]}")
        ascending(change)

    def events(self, change, subject, sample):
        times, channels = subject.sample(sample)
        return subject.encode(np.delete(times, change), np.delete(channels, change))

    def counts(self, change, subject, sample):
        return super().counts(change, subject, sample) | {"dropped": change.size}
