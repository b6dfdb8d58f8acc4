"""From a network's named arrays to the flat ones of the kernels, and from their sums back."""

import numpy as np

from .exact import structures
from .exact.grid import find_reach

__all__ = ["Layout"]


class Layout:
    """Where everything of one shape of network stands in flat arrays.

    Populations are numbered so that each comes after those that feed it; the input is number 0.

    Parameters
    ----------
    config : NetworkConfig
    """

    def __init__(self, config):
        self.config = config
        groups = sorted(config.groups, key=lambda group: self._feeds_nothing(group))
        self.names = ("input", *(name for group in groups for name in group))
        sizes = [config.size(name) for name in self.names]
        self._size = np.array(sizes)
        self._first = np.concatenate([[0, 0], np.cumsum(sizes[1:])])
        self._groups = 1 + np.concatenate([[0], np.cumsum([len(group) for group in groups])])
        self._inside = {(pre, post) for group in groups for pre in group for post in group}
        self.connections = tuple(sorted(config.connections, key=self._numbers))
        self._slices, at = {}, 0
        for pair in self.connections:
            size = config.size(pair[0]) * config.size(pair[1])
            self._slices[pair] = slice(at, at + size)
            at += size
        self.synapses = at
        self._copies = {}
        for pair in self.connections:
            if pair in self._inside:
                size = config.size(pair[0]) * config.size(pair[1])
                self._copies[pair] = slice(at, at + size)
                at += size
        self._room = at
        self.neurons = int(self._first[-1])
        self._places = {
            name: slice(int(self._first[index]), int(self._first[index + 1]))
            for index, name in enumerate(self.names)
        }
        ends = [self._numbers(pair) for pair in self.connections]
        self._into = np.searchsorted([post for post, _ in ends], np.arange(len(self.names) + 1))
        self._pairs = np.array([
            (pre, post, self._slices[pair].start,
             self._copies[pair].start if pair in self._copies else -1)
            for pair, (post, pre) in zip(self.connections, ends, strict=True)
        ])
        self._fixed = {
            "jump": config.synapse == "jump", "final": self.names.index("output"),
            "leaky": config.readout in ("leaky", "max"),
            "single": config.readout == "first-spike" and self.names[-1] == "output"
            and self._feeds_nothing(("output",)),
            "duration": config.duration,
        }  # fmt: skip

    def _feeds_nothing(self, group):
        return group == ("output",) and all(pre != "output" for pre, _ in self.config.connections)

    def _numbers(self, pair):
        return self.names.index(pair[1]), self.names.index(pair[0])

    def population(self, name: str) -> slice:
        """Neurons of a population among all."""
        return self._places[name]

    def pack(self, network) -> structures.Net:
        """Lay a `Network` out for the kernels."""
        weights, delays = np.empty(self._room), np.empty(self._room)
        reach = np.empty((len(self.connections), 2))
        for pair, place in self._slices.items():
            weight, delay = network.weights[pair], network.delay(*pair)
            weights[place].reshape(weight.T.shape)[:] = weight.T
            delays[place].reshape(delay.T.shape)[:] = delay.T
        for pair, place in self._copies.items():
            weights[place], delays[place] = network.weights[pair].flat, network.delay(*pair).flat
        find_reach(self._size, self._pairs, delays, reach)
        by_neuron = {"theta0": np.ones(self.neurons), "beta": np.zeros(self.neurons)}
        for kind, values in by_neuron.items():
            for name, array in getattr(network, kind).items():
                values[self._places[name]] = array
        taus = np.array([network.tau[name] for name in (self.names[1], *self.names[1:])])
        return structures.Net(
            size=self._size, first=self._first, groups=self._groups, pairs=self._pairs,
            into=self._into, reach=reach, rates=1.0 / taus,
            weights=weights, delays=delays, **by_neuron, **self._fixed,
        )  # fmt: skip

    def gradients(self, by_weight, by_delay, theta0, beta, by_tau) -> dict[str, np.ndarray]:
        """Name the kernels' sums as `Network.arrays` does.

        Where sources or targets have a delay, it gets the sum over their synapses. ``by_tau`` may
        be None, for zeros.
        """
        config, gradients = self.config, {}
        for pair, place in self._slices.items():
            shape = (config.size(pair[1]), config.size(pair[0]))
            gradients["/".join(("weights", *pair))] = by_weight[place].reshape(shape).T
            by_synapse = by_delay[place].reshape(shape).T
            name = "/".join(("delays", *pair))
            if config.delays == "synaptic":
                gradients[name] = by_synapse
                continue
            gradients[f"{name}/axonal"] = by_synapse.sum(axis=1, keepdims=True)
            if config.delays == "axonal+dendritic":
                gradients[f"{name}/dendritic"] = by_synapse.sum(axis=0, keepdims=True)
        for name in config.spiking:
            gradients[f"theta0/{name}"] = theta0[self.population(name)]
            gradients[f"beta/{name}"] = beta[self.population(name)]
        for name in config.populations:
            own = self.population(name)
            gradients[f"tau/{name}"] = np.zeros(3) if by_tau is None else by_tau[own].sum(axis=0)
        return gradients

