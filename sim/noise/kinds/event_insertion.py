"""Events arrive that nobody sent."""

import numpy as np

from ..inputs import InputKind
from ..kind import check_picks
from ..philox import stream_key, words


class EventInsertion(InputKind):
    """Adds an event to each channel in each tick with one probability, on its own."""

    name = "event_insertion"
    number = 13
    unit = "probability per channel and tick"
    origin = "background activity of the sensor, and crosstalk on the event link"
    levels = (0.00001, 0.0001, 0.001, 0.01)
    field = "inserted"
    meaning = "places of the events that are added: tick times the number of channels, plus channel"

    def draw(self, seed, subject, instance, sample):
        config = subject.parameters.config
        drawn = words(stream_key(seed, self.number), instance, sample,
                      np.arange(config.ticks)[:, None], np.arange(-(-config.inputs // 4)))
        return drawn.reshape(config.ticks, -1)[:, : config.inputs].ravel()

    def change(self, drawn, amount):
        return np.flatnonzero(drawn < amount)

    def check(self, change, amount, subject, sample):
        config = subject.parameters.config
        check_picks(change, config.ticks * config.inputs, "places")

    def events(self, change, subject, sample):
        config = subject.parameters.config
        times, channels = subject.sample(sample)
        return subject.encode(
            np.concatenate([times, change // config.inputs * config.tick_us]),
            np.concatenate([channels, change % config.inputs]))

    def counts(self, change, subject, sample):
        return super().counts(change, subject, sample) | {"inserted": change.size}
