"""Events get into the tick before or after their own."""

import numpy as np

from ..inputs import InputKind
from ..kind import limited


class TickJitter(InputKind):
    """Puts each event a tick early or late with one probability, on its own."""

    name = "tick_jitter"
    number = 30
    unit = "probability per event"
    origin = "jitter of the tick's clock, and asynchronous inputs that are sampled by another one"
    levels = (0.01, 0.1, 0.5, 1.0)
    field = "ticks"
    meaning = "ticks by which each event moves, in the order of the sample"

    def change(self, drawn, amount):
        early = drawn < amount // 2
        return early * np.int64(-1) + (~early & (drawn < amount))

    def check(self, change, amount, subject, sample):
        limited(change, len(subject.sample(sample)[0]), -1, 1, "events")

    def events(self, change, subject, sample):
        times, channels = subject.sample(sample)
        moved = times + change * subject.parameters.config.tick_us
        return subject.encode(np.clip(moved, 0, subject.last_time), channels)

    def counts(self, change, subject, sample):
        return super().counts(change, subject, sample) | {
            "moved": int(np.count_nonzero(change))}
