"""Bits of the delays' memory are wrong."""

import numpy as np

from ....model.protection import flip
from ..bits import Bits
from ..values import axonal_delays, delay_room, shift_delays, stored_delays


class DelayFlips(Bits):
    """Flips each bit of each stored delay with one probability, on its own.

    What a core does with a delay of 0, or one that's longer than its longest, isn't defined: of
    such a word, no bit flips; they are counted.
    """

    name = "delay_flips"
    number = 22
    protected = False

    def memory(self, subject):
        group = stored_delays(subject.parameters)
        stored = np.zeros(group.max(initial=-1) + 1, np.int64)
        stored[group] = axonal_delays(subject.parameters)
        return stored, subject.parameters.config.delay_bits

    def parameters(self, change, subject):
        return shift_delays(subject.parameters, self.added(change, subject))

    def counts(self, change, subject, sample):
        wrong = np.unique(change[:, 0]).size
        return super().counts(change, subject, sample) | {
            "undefined": wrong - int(np.count_nonzero(self.added(change, subject)))}

    def added(self, change, subject):
        """Return what the flips add to each stored delay: 0 where it wouldn't be defined."""
        stored, _ = self.memory(subject)
        added = flip(stored, change) - stored
        least, most = delay_room(subject.parameters)
        return np.where((added < least) | (added > most), 0, added)
