"""Neurons never fire."""

import numpy as np

from ....model.upsets import dead_weights
from ..kind import Kind, check_picks
from ..philox import stream_key, words
from ..values import with_values


class DeadNeurons(Kind):
    """Takes its input from each neuron with one probability: its potential stays 0.

    A neuron whose potential stays 0 never fires, so it's as good as dead; a leaky output scores 0.
    The weights of its synapses are loaded as 0.
    """

    name = "dead_neurons"
    number = 26
    unit = "probability per neuron"
    origin = "defects, and open connections"
    levels = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
    field = "dead"
    meaning = "the neurons that are dead"
    per_sample = False

    def draw(self, seed, subject, instance, sample):
        neurons = np.arange(subject.parameters.config.neurons)
        return words(stream_key(seed, self.number), instance, neurons, 0, 0)[:, 0]

    def change(self, drawn, amount):
        return np.flatnonzero(drawn < amount)

    def check(self, change, amount, subject, sample):
        check_picks(change, subject.parameters.config.neurons, "neurons")

    def parameters(self, change, subject):
        parameters = subject.parameters
        return with_values(parameters, "weight", dead_weights(parameters, change))

    def counts(self, change, subject, sample):
        return {"neurons": subject.parameters.config.neurons, "dead": change.size}
