"""Bits of the thresholds' memory are wrong."""

import numpy as np

from ....model.protection import flip
from ..bits import Bits
from ..values import with_values


class ThresholdFlips(Bits):
    """Flips each bit of each threshold at rest with one probability, on its own.

    A threshold that would be 0 is 1: a core's neurons must rest below it.
    """

    name = "threshold_flips"
    number = 23
    meaning = "neuron and bit (0 is the lowest) of each flip"

    def memory(self, subject):
        config = subject.parameters.config
        return subject.parameters.theta0[: config.spiking], config.threshold_bits

    def parameters(self, change, subject):
        theta0 = subject.parameters.theta0.copy()
        theta0[: subject.parameters.config.spiking] = flip(self.memory(subject)[0], change)
        return with_values(subject.parameters, "theta0", theta0)

    def counts(self, change, subject, sample):
        wrong = flip(self.memory(subject)[0], change)
        return super().counts(change, subject, sample) | {
            "clamped": int(np.count_nonzero(wrong == 0))}
