"""Bits of the thresholds' memory are wrong."""

import numpy as np

from ....model.protection import flip
from ..bits import Bits
from ..values import with_values


class ThresholdFlips(Bits):
    """Flips each bit of each threshold at rest with one probability, on its own.

    A threshold that would be 0 is 1: a core's neurons must rest below it. One whose check bits
    tell that it's wrong is the largest there is.
    """

    name = "threshold_flips"
    number = 23
    meaning = "neuron and bit (0 is the lowest) of each flip"

    def memory(self, subject):
        config = subject.parameters.config
        code = config.code(config.threshold_bits)
        return code.encode(subject.parameters.theta0[: config.spiking]), code.bits

    def read(self, change, subject):
        """Return the `Reading` of the thresholds."""
        config = subject.parameters.config
        return config.code(config.threshold_bits).decode(flip(self.memory(subject)[0], change))

    def parameters(self, change, subject):
        config, found = subject.parameters.config, self.read(change, subject)
        theta0 = subject.parameters.theta0.copy()
        theta0[: config.spiking] = np.where(found.detected, config.trace_top, found.values)
        return with_values(subject.parameters, "theta0", theta0)

    def counts(self, change, subject, sample):
        found = self.read(change, subject)
        return super().counts(change, subject, sample) | {
            "clamped": int(np.count_nonzero((found.values == 0) & ~found.detected))}
