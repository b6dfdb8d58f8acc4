"""Input events come a little early or late."""

import numpy as np

from ..inputs import InputKind
from ..kind import limited, parts
from ..normal import STEPS, largest, normal


class InputJitter(InputKind):
    """Adds a normally distributed number of microseconds to each event's time.

    It's added before the event gets its tick. An event that would leave the sample stays at its
    edge; two that meet in one tick of a channel become one.
    """

    name = "input_jitter"
    number = 1
    unit = "ms, standard deviation"
    origin = ("thermal noise of the sensor's threshold, and sampling of an asynchronous event "
              "link by the core's clock")
    levels = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
    field = "shifts"
    meaning = "microseconds added to the time of each event, in the order of the sample"

    def amount(self, level):
        return parts(level, 1000, 1e6, "microseconds")

    def draw(self, seed, subject, instance, sample):
        return normal(super().draw(seed, subject, instance, sample))

    def change(self, drawn, amount):
        return (drawn * amount + STEPS // 2) // STEPS

    def check(self, change, amount, subject, sample):
        most = int(self.change(largest(), amount))
        limited(change, len(subject.sample(sample)[0]), -most, most, "events")

    def events(self, change, subject, sample):
        times, channels = subject.sample(sample)
        return subject.encode(self._moved(times + change, subject), channels)

    def counts(self, change, subject, sample):
        wanted = subject.sample(sample)[0] + change
        clamped = np.count_nonzero(self._moved(wanted, subject) != wanted)
        return super().counts(change, subject, sample) | {
            "moved": int(np.count_nonzero(change)), "clamped": int(clamped)}

    @staticmethod
    def _moved(wanted, subject):
        return np.clip(wanted, 0, subject.last_time)
