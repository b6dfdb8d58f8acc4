"""From a network's named arrays to the flat ones of the kernels, and from their sums back."""

import numpy as np

from . import _forward

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
        self.neurons = int(self._first[-1])

    def _feeds_nothing(self, group):
        return group == ("output",) and all(pre != "output" for pre, _ in self.config.connections)

    def _numbers(self, pair):
        return self.names.index(pair[1]), self.names.index(pair[0])

    def population(self, name: str) -> slice:
        """Neurons of a population among all."""
        index = self.names.index(name)
        return slice(int(self._first[index]), int(self._first[index + 1]))

    def pack(self, network) -> _forward.Net:
        """Lay a `Network` out for the kernels."""
        config = self.config
        weights, delays = np.empty(self.synapses), np.empty(self.synapses)
        pairs, reach = [], []
        for pair, place in self._slices.items():
            inside = pair in self._inside
            delay = network.delay(*pair)
            weights[place] = _flat(network.weights[pair], inside)
            delays[place] = _flat(delay, inside)
            post, pre = self._numbers(pair)
            pairs.append((pre, post, place.start, int(inside)))
            reach.append((delay.min(), delay.max()))
        by_neuron = {"theta0": np.ones(self.neurons), "beta": np.zeros(self.neurons)}
        for kind, values in by_neuron.items():
            for name, array in getattr(network, kind).items():
                values[self.population(name)] = array
        targets = [post for _, post, _, _ in pairs]
        taus = np.array([network.taus(name) for name in self.names[1:]])
        return _forward.Net(
            size=self._size, first=self._first, groups=self._groups, pairs=np.array(pairs),
            into=np.searchsorted(targets, np.arange(len(self.names) + 1)), reach=np.array(reach),
            rates=1.0 / np.concatenate([taus[:1], taus]), weights=weights, delays=delays,
            jump=config.synapse == "jump", final=self.names.index("output"),
            leaky=config.readout in ("leaky", "max"),
            single=config.readout == "first-spike" and self.names[-1] == "output"
            and self._feeds_nothing(("output",)),
            duration=config.duration, **by_neuron,
        )  # fmt: skip

    def spread(self, net: _forward.Net, values: np.ndarray) -> np.ndarray:
        """Give each synapse its target population's value, (synapses,)."""
        lengths = np.diff(np.append(net.pairs[:, 2], self.synapses))
        return np.repeat(values[net.pairs[:, 1]], lengths)

    def gradients(self, by_weight, by_delay, theta0, beta) -> dict[str, np.ndarray]:
        """Name the kernels' sums as `Network.arrays` does.

        Where sources or targets have a delay, it gets the sum over their synapses.
        """
        config, gradients = self.config, {}
        for pair, place in self._slices.items():
            inside = pair in self._inside
            shape = (config.size(pair[0]), config.size(pair[1]))
            gradients["/".join(("weights", *pair))] = _square(by_weight[place], shape, inside)
            by_synapse = _square(by_delay[place], shape, inside)
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
        return gradients


def _flat(array, inside):
    """Flatten (sources, targets) target by target, within a group source by source."""
    return (array if inside else array.T).ravel()


def _square(flat, shape, inside):
    """Undo `_flat`."""
    return flat.reshape(shape) if inside else flat.reshape(shape[::-1]).T
