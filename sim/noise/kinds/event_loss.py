"""Input events get lost on their way to the core."""

import numpy as np

from ..inputs import PickedEvents


class EventLoss(PickedEvents):
    """Drops each event with one probability, on its own."""

    name = "event_loss"
    number = 2
    origin = "a congested or unreliable event link that drops words, and misses of the sensor"
    levels = (0.001, 0.01, 0.05, 0.1, 0.2, 0.5)
    field = "dropped"
    meaning = "the events that are lost, counted from 0 in the order of the sample"

    def events(self, change, subject, sample):
        times, channels = subject.sample(sample)
        return subject.encode(np.delete(times, change), np.delete(channels, change))
