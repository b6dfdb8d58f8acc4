"""The family of kinds in which whole neurons are defective."""

import numpy as np

from .kind import Kind, check_picks
from .philox import stream_key, words

__all__ = ["PickedNeurons"]


class PickedNeurons(Kind):
    """Picks each neuron with one probability, for all samples of an instance.

    A word is named by instance and neuron.
    """

    unit = "probability per neuron"
    levels = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
    per_sample = False

    def size(self, subject) -> int:
        """Return how many neurons there are to pick from: the first ones."""
        return subject.parameters.config.neurons

    def draw(self, seed, subject, instance, sample):
        neurons = np.arange(self.size(subject))
        return words(stream_key(seed, self.number), instance, neurons, 0, 0)[:, 0]

    def change(self, drawn, amount):
        return np.flatnonzero(drawn < amount)

    def check(self, change, amount, subject, sample):
        check_picks(change, self.size(subject), "neurons")

    def counts(self, change, subject, sample):
        return {"neurons": self.size(subject), self.field: change.size}
