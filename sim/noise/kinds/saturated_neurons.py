"""Neurons fire whenever they can."""

from dataclasses import replace

from ..neurons import PickedNeurons
from ..values import with_values


class SaturatedNeurons(PickedNeurons):
    """Loads each picked neuron with the least threshold, which doesn't adapt.

    So it fires at each touch at which its potential is above 0.
    """

    name = "saturated_neurons"
    number = 27
    origin = "defects that hold a comparator's output, or a threshold's word, at one side"
    field = "saturated"
    meaning = "the neurons that are saturated"

    def size(self, subject):
        return subject.parameters.config.spiking

    def parameters(self, change, subject):
        parameters = subject.parameters
        theta0, beta = parameters.theta0.copy(), parameters.beta.copy()
        theta0[change], beta[change] = 1, 0
        return replace(with_values(parameters, "theta0", theta0), beta=beta)
