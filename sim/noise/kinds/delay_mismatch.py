"""Delays are off, on each chip in another way."""

import numpy as np

from ..kind import limited, parts
from ..normal import STEPS, largest
from ..values import ValueKind, delay_room, shift_delays, stored_delays

TICK = 1000


class DelayMismatch(ValueKind):
    """Adds a normal number of ticks, rounded, to each delay that is stored.

    Where rows or targets have the delays, all synapses of a row keep one.
    """

    name = "delay_mismatch"
    number = 11
    array = "delay"
    unit = "ticks, standard deviation"
    origin = "routing of unequal length, and delay lines; in a core of ticks, a wrong table"
    digital = True
    levels = (0.5, 1.0, 2.0, 4.0, 8.0)
    meaning = "ticks added to each stored delay"

    def amount(self, level):
        return parts(level, TICK, 1e6, "thousandths")

    def values(self, subject):
        """Return a thousand for each stored delay: all are off by as much."""
        return np.full(stored_delays(subject.parameters).max(initial=-1) + 1, TICK, np.int64)

    def change(self, drawn, amount):
        return (drawn * amount + STEPS * TICK * TICK // 2) // (STEPS * TICK * TICK)

    def check(self, change, amount, subject, sample):
        values = self.values(subject)
        most = self.change(values * largest(), amount) + 1
        limited(change, values.size, -most, most, "stored delays")

    def parameters(self, change, subject):
        return shift_delays(subject.parameters, self._added(change, subject))

    def counts(self, change, subject, sample):
        return {"values": change.size, "changed": int(np.count_nonzero(change)),
                "clamped": int(np.count_nonzero(change != self._added(change, subject)))}

    @staticmethod
    def _added(change, subject):
        """Return what is added to each stored delay: as much of it as there's room for."""
        return np.clip(change, *delay_room(subject.parameters))
