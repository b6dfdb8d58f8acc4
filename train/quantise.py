"""Rounds a float network to the integers of a design, and says what each rounding cost."""

from math import ceil

import numpy as np

from ..model.config import CoreConfig
from ..model.events import encode
from ..model.parameters import Parameters
from ..model.tables import make_tables
from .design import default_guard_bits
from .network import Network

# Fractions of the largest weight that the scale may give up: the best by squared error is taken.
SCALES = tuple(1 - step / 20 for step in range(11))


def population_scale(weights, top):
    """Return the weight of one last place, for weights that round to -top .. top.

    Clipping a few outliers can cost less than rounding all the others more coarsely: of the
    `SCALES`, the one with the least squared error of weights. 1 for weights that are all 0.
    """
    largest = np.abs(weights).max(initial=0.0)
    if largest == 0:
        return 1.0

    def squared_error(scale):
        return np.sum((np.clip(np.floor(weights / scale + 0.5), -top, top) * scale - weights) ** 2)

    return float(min((largest * part / top for part in SCALES), key=squared_error))


def shared_taus(network):
    """Return the (tau_m, tau_s, tau_a) that all populations of a network have.

    Raises
    ------
    ValueError
        If they differ: a core has one table of each.
    """
    taus = {name: network.taus(name) for name in network.tau}
    first, *rest = taus
    for name in rest:
        if taus[name] != taus[first]:
            raise ValueError(
                f"Time constants of all populations must be equal in a core, not {taus[first]} ms "
                f"in {first!r} and {taus[name]} ms in {name!r}")
    return taus[first]


def check_delay_bits(bits):
    """Raise ValueError unless ``bits`` is None or from 1 to 16."""
    if bits is not None and not 1 <= bits <= 16:
        raise ValueError(f"Bits of a delay must be from 1 to 16, not {bits!r}")


def coarse_delays(network, bits):
    """Return a network whose stored delays are multiples of their largest over 2^bits.

    There are 2^bits of them, the largest included; none is below the least delay.
    """
    check_delay_bits(bits)
    low, high = network.bounds(network.config)["delays"]
    step = high / (1 << bits)
    coarse = network.copy()
    for parts in coarse.delays.values():
        for delay in parts:
            np.clip(np.floor(delay / step + 0.5) * step, max(low, step), high, out=delay)
    return coarse


class _Rounder:
    """Rounds one network on one grid; collects the report on the way."""

    def __init__(self, network, design, scales):
        self.network, self.design, self.fixed = network, design, scales or {}
        config = network.config
        if config.readout == "max":
            raise ValueError("Readout of a core must be first-spike, spike-count or leaky, not max")
        if design.delays == "axonal+dendritic" != config.delays:
            raise ValueError(f"Design delays must be synaptic or axonal for a network with "
                             f"{config.delays} delays, not {design.delays}")
        self.top = (1 << (design.weight_bits - 1)) - 1
        self.guard_bits = design.guard_bits
        if self.guard_bits is None:
            self.guard_bits = default_guard_bits(design, shared_taus(network)[0])
        self.offsets = {"input": 0}
        place = config.inputs
        for name, size in config.populations.items():
            self.offsets[name] = place
            place += size
        self.sources = place
        self.scales = {}
        self.populations = {}

    def connections_to(self, population):
        return [pair for pair in self.network.config.connections if pair[1] == population]

    def round_population(self, name):
        """Return the integer weights of each connection into a population."""
        pairs = self.connections_to(name)
        weights = np.concatenate([self.network.weights[pair].ravel() for pair in pairs])
        scale = self.scales[name] = self.fixed.get(name) or population_scale(weights, self.top)
        nearest = {pair: np.floor(self.network.weights[pair] / scale + 0.5).astype(np.int64)
                   for pair in pairs}
        rounded = {pair: np.clip(value, -self.top, self.top) for pair, value in nearest.items()}
        flat = np.concatenate([value.ravel() for value in rounded.values()])
        unclipped = np.concatenate([value.ravel() for value in nearest.values()])
        self.populations[name] = {
            "scale": scale,
            "weights": int(flat.size),
            "weights_clipped": int(np.count_nonzero(flat != unclipped)),
            "weights_rounded_to_zero": int(np.count_nonzero((flat == 0) & (weights != 0))),
            "weight_error_rms": float(np.sqrt(np.mean((flat * scale - weights) ** 2))),
        }
        return rounded

    def synapses(self, weights):
        """Return (row_start, target, weight, delay) of all that don't weigh 0, rows by source."""
        parts = []
        for (pre, post), values in weights.items():
            rows, columns = np.nonzero(values)
            delays = self.network.delay_ticks(pre, post, self.design.tick)
            target = columns + self.offsets[post] - self.network.config.inputs
            parts.append((rows + self.offsets[pre], target, values[rows, columns],
                          delays[rows, columns]))
        source, target, weight, delay = (np.concatenate(column) for column in zip(*parts,
                                                                                 strict=True))
        order = np.lexsort((target, source))
        row_start = np.searchsorted(source[order], np.arange(self.sources + 1))
        return row_start.astype(np.int64), target[order], weight[order], delay[order]

    def split(self):
        """Return how delays that are sums are split, as `Parameters` have it; else nothing.

        Populations that feed a common one are of different kinds. What all dendritic delays of a
        connection have in common counts as axonal.
        """
        config = self.network.config
        if config.delays != "axonal+dendritic":
            return {}
        kinds = {}
        for name in self.offsets:
            common = {post for pre, post in config.connections if pre == name}
            taken = {kinds[pre] for pre, post in config.connections
                     if post in common and pre in kinds}
            kinds[name] = min(set(range(len(taken) + 1)) - taken)
        dendritic = np.zeros((self.sources - config.inputs, 1 + max(kinds.values())), np.int32)
        kind = np.zeros(self.sources, np.int32)
        for pre, post in config.connections:
            late = self.network.delay_parts(pre, post, self.design.tick)[1].ravel()
            start = self.offsets[post] - config.inputs
            dendritic[start : start + late.size, kinds[pre]] = late - late.min()
            kind[self.offsets[pre] : self.offsets[pre] + config.size(pre)] = kinds[pre]
        return {"dendritic": dendritic, "kind": kind}

    def delay_report(self):
        """Return the error that rounding the delays makes, in ms."""
        pairs, tick = self.network.config.connections, self.design.tick
        delays = np.concatenate([self.network.delay(*pair).ravel() for pair in pairs])
        rounded = [self.network.delay_ticks(*pair, tick).ravel() for pair in pairs]
        error = np.concatenate(rounded) * tick - delays
        below = np.count_nonzero(delays < self.design.tick / 2)
        return {"error_mean_abs": float(np.mean(np.abs(error))),
                "error_max_abs": float(np.max(np.abs(error))), "raised_to_one_tick": int(below)}

    def thresholds(self):
        """Return theta0 and beta (neurons,) in last places of a trace."""
        config = self.network.config
        theta0, beta = [], []
        limit = (1 << (self.design.trace_bits - 1)) - 1
        for name, size in config.populations.items():
            if name not in config.spiking:
                theta0.append(np.ones(size, np.int64))
                beta.append(np.zeros(size, np.int64))
                continue
            unit = self.scales[name] / (1 << self.guard_bits)
            exact = self.network.theta0[name] / unit
            rounded = np.maximum(np.floor(exact + 0.5), 1).astype(np.int64)
            jump = np.floor(self.network.beta[name] / unit + 0.5).astype(np.int64)
            if max(rounded.max(), jump.max()) > limit:
                raise ValueError(
                    f"Thresholds of population {name!r} must fit {self.design.trace_bits} trace "
                    f"bits with {self.guard_bits} guard bits, not reach "
                    f"{max(rounded.max(), jump.max())} last places: choose more trace_bits, fewer "
                    "guard_bits or a coarser tick")
            self.populations[name]["theta0_error_max_relative"] = float(
                np.max(np.abs(rounded / exact - 1)))
            theta0.append(rounded)
            beta.append(jump if config.adaptive else np.zeros(size, np.int64))
        return np.concatenate(theta0), np.concatenate(beta)


def _core_config(rounder, target):
    config, design = rounder.network.config, rounder.design
    tau_m, tau_s, tau_a = shared_taus(rounder.network)
    neurons = sum(config.populations.values())
    if design.banks > neurons:
        raise ValueError(f"Design banks must be at most {neurons}, one neuron each, "
                         f"not {design.banks}")
    return CoreConfig(
        inputs=config.inputs, neurons=neurons, outputs=config.outputs, readout=config.readout,
        synapse=config.synapse, adaptive=config.adaptive, tick=design.tick,
        ticks=ceil(config.duration / design.tick - 1e-9) + 1, tau_m=tau_m, tau_s=tau_s, tau_a=tau_a,
        delay_max=rounder.network.longest_delay(design.tick),
        fan_in=int(np.bincount(target, minlength=1).max()),
        synapses=int(np.bincount(target % design.banks).max()), weight_bits=design.weight_bits,
        trace_bits=design.trace_bits, guard_bits=rounder.guard_bits, banks=design.banks,
        protection=design.protection, saboteurs=design.saboteurs)


def quantise(network, design, scales=None):
    """Round a network to a design, with the ring: `choose_buffer` may give it another buffer.

    Each population has one scale, on which weights, theta0 and beta are rounded (nearest, halves
    up); weights beyond the range are clipped; a weight that rounds to 0 is no synapse. Delays are
    those of `Network.delay_ticks`.

    Parameters
    ----------
    network : Network
    design : DesignConfig
    scales : dict of str to float, optional
        Weight of one last place, by population; those that fine-tuning has kept. By default
        `population_scale`.

    Returns
    -------
    parameters : Parameters
    report : dict
        What each rounding cost, ready for JSON.

    Raises
    ------
    ValueError
        If the network doesn't fit the design.
    """
    rounder = _Rounder(network, design, scales)
    weights = {}
    for name in network.config.populations:
        weights |= rounder.round_population(name)
    row_start, target, weight, delay = rounder.synapses(weights)
    if target.size == 0:
        raise ValueError("A design must have a synapse; every weight of the network rounds to 0")
    theta0, beta = rounder.thresholds()
    config = _core_config(rounder, target)
    parameters = Parameters(
        config=config, row_start=row_start, target=target.astype(np.int32),
        weight=weight.astype(np.int32), delay=delay.astype(np.int32), theta0=theta0, beta=beta,
        tables=make_tables(config), **rounder.split())
    report = {"populations": rounder.populations, "delays": rounder.delay_report(),
              "guard_bits": rounder.guard_bits, "synapses": int(target.size)}
    return parameters, report


def encode_dataset(dataset, config):
    """Return the `TickEvents` of each sample of a dataset on the tick grid of a `CoreConfig`."""
    return [encode(*dataset.sample(i), config) for i in range(len(dataset))]


def rounded_network(network, design, scales=None):
    """Return a network with the weights and thresholds that `quantise` gives it, in floats."""
    rounder = _Rounder(network, design, scales)
    weights, theta0, beta = {}, {}, {}
    for name in network.config.populations:
        rounded = rounder.round_population(name)
        scale = rounder.scales[name]
        weights |= {pair: value * scale for pair, value in rounded.items()}
        if name in network.config.spiking:
            unit = scale / (1 << rounder.guard_bits)
            theta0[name] = np.maximum(np.floor(network.theta0[name] / unit + 0.5), 1) * unit
            beta[name] = np.floor(network.beta[name] / unit + 0.5) * unit
    return Network(network.config, weights=weights, delays=network.delays, theta0=theta0,
                   beta=beta, tau=network.tau)
