"""Neurons never fire."""

from ....model.upsets import dead_weights
from ..neurons import PickedNeurons
from ..values import with_values


class DeadNeurons(PickedNeurons):
    """Takes its input from each picked neuron: its potential stays 0.

    A neuron whose potential stays 0 never fires, so it's as good as dead; a leaky output scores 0.
    The weights of its synapses are loaded as 0.
    """

    name = "dead_neurons"
    number = 26
    origin = "defects, and open connections"
    field = "dead"
    meaning = "the neurons that are dead"

    def parameters(self, change, subject):
        parameters = subject.parameters
        return with_values(parameters, "weight", dead_weights(parameters, change))
