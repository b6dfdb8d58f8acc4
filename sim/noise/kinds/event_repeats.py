"""Events come twice."""

import numpy as np

from ....model.events import time_ticks
from ..inputs import PickedEvents


class EventRepeats(PickedEvents):
    """Sends each event again in the next tick with one probability, on its own."""

    name = "event_repeats"
    number = 14
    origin = "a link that sends a word again where its acknowledgement was lost"
    levels = (0.0001, 0.001, 0.01, 0.1)
    field = "repeated"
    meaning = "the events that come again, counted from 0 in the order of the sample"

    def events(self, change, subject, sample):
        times, channels = subject.sample(sample)
        tick = subject.parameters.config.tick_us
        again = (time_ticks(times[change], tick) + 1) * tick
        again = np.minimum(again, subject.last_time)  # in the last tick it's the event itself
        return subject.encode(np.concatenate([times, again]),
                              np.concatenate([channels, channels[change]]))
