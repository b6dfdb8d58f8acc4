"""The tick grid in plain Python: one neuron, tick and synapse at a time."""

from math import exp, expm1, inf

import numpy as np

from ranvier.model.readout import readout_kernel


class NaiveGrid:
    """One sample of a network on a grid.

    Members
    -------
    spikes : dict of str to list of (tick, neuron, Q before it, slope, arrivals)
        For each spiking population, and (tick, channel) for ``"input"``.
    score : (classes,) float64
    """

    def __init__(self, network, tick, times, channels):
        self.network, self.tick, self.config = network, tick, network.config
        self.ticks = int(np.ceil(network.config.duration / tick - 1e-9)) + 1
        self.delays = {
            pair: network.delay_ticks(*pair, tick) for pair in self.config.connections
        }
        at = -(-times // round(tick * 1000))
        self.spikes = {"input": sorted({(t, c) for t, c in zip(at, channels, strict=True)
                                        if t < self.ticks})}
        self.spikes |= {name: [] for name in self.config.spiking}
        length = self.ticks * tick
        tau_m, tau_s, _ = network.taus("output")
        self.leak = lambda t: readout_kernel(t, duration=length, tau_m=tau_m, tau_s=tau_s,
                                             synapse=self.config.synapse)
        self.run()

    def run(self):
        config, network = self.config, self.network
        reach = self.ticks + max(int(delay.max()) for delay in self.delays.values()) + 1
        due = {name: np.zeros((reach, n)) for name, n in config.populations.items()}
        crowd = {name: np.zeros((reach, n), int) for name, n in config.populations.items()}
        traces = {name: np.zeros((3, n)) for name, n in config.populations.items()}
        leak = self.leak(np.arange(self.ticks) * self.tick)
        self.score = np.zeros(config.outputs)
        for now in range(self.ticks):
            for name, n in config.populations.items():
                if name not in config.spiking:
                    self.score += due[name][now] * leak[now]
                    continue
                tau = network.taus(name)
                for j in range(n):
                    p, q, a = (
                        trace * exp(-self.tick / t)
                        for trace, t in zip(traces[name][:, j], tau, strict=True)
                    )
                    arrival = due[name][now, j]
                    if config.synapse == "jump":
                        p += arrival
                    if p - q >= network.theta0[name][j] + a:
                        rate_m, rate_s, rate_a = self.rates(name)
                        slope = q * rate_s + a * rate_a - p * rate_m
                        self.spikes[name].append((now, j, q, slope, crowd[name][now, j]))
                        p, a = q, a + network.beta[name][j]
                    if config.synapse == "exponential":
                        p, q = p + arrival, q + arrival
                    traces[name][:, j] = p, q, a
            for pre, post in config.connections:
                for t, i, *_ in self.spikes[pre]:
                    if t == now:
                        for j in range(config.populations[post]):
                            arrive = now + self.delays[pre, post][i, j]
                            due[post][arrive, j] += network.weights[pre, post][i, j]
                            crowd[post][arrive, j] += 1
        self.score_spikes()

    def score_spikes(self):
        config = self.config
        if config.readout == "first-spike":
            self.score[:] = inf
        for t, j, *_ in self.spikes["output"] if "output" in config.spiking else ():
            if config.readout == "first-spike":
                self.score[j] = min(self.score[j], t * self.tick)
            else:
                self.score[j] += 1 - t * self.tick / config.duration

    def rates(self, name):
        return [expm1(self.tick / tau) / self.tick for tau in self.network.taus(name)]

    def seed(self, t, j, pull):
        if self.config.readout == "spike-count":
            return -pull[j] / self.config.duration
        first = t == min(u for u, i, *_ in self.spikes["output"] if i == j)
        return pull[j] if first else 0.0

    def backward(self, pull):
        """Return the gradients by synapse, and by neuron: ``{(kind, pre, post): array}``."""
        config, network, tick = self.config, self.network, self.tick
        gradients = {}
        for pair, weight in network.weights.items():
            gradients["weights", *pair] = np.zeros_like(weight)
            gradients["delays", *pair] = np.zeros_like(weight)
        for name in config.spiking:
            gradients["theta0", name] = np.zeros(config.populations[name])
            gradients["beta", name] = np.zeros(config.populations[name])
        ends = {name: (self.ticks, n, 2) for name, n in config.populations.items()}
        worth = {name: np.zeros(shape) for name, shape in ends.items()}  # dL/dw, dL/dt by arrival
        adjoint = {name: np.zeros((3, n)) for name, n in config.populations.items()}
        for now in range(self.ticks - 1, -1, -1):
            for name in config.populations:
                if name in config.spiking:
                    rate_m, rate_s, _ = self.rates(name)
                    p, q, _ = adjoint[name]
                    if config.synapse == "exponential":
                        worth[name][now] = np.transpose([p + q, p * rate_m + q * rate_s])
                else:
                    step = 1e-4
                    at = now * tick + np.array([-step, step])
                    change = np.diff(self.leak(at))[0] / (2 * step)
                    worth[name][now, :, 0] = pull * self.leak(now * tick)
                    worth[name][now, :, 1] = pull * change
            for name in ("input", *config.spiking):
                for t, i, *known in self.spikes[name]:
                    if t == now:
                        g = self.arrivals(name, t, i, worth, gradients)
                        if name != "input":
                            self.own(name, t, i, known, g, pull, adjoint, worth, gradients)
            for name in config.spiking:
                for trace, tau in zip(adjoint[name], network.taus(name), strict=True):
                    trace *= exp(-tick / tau)
        return gradients

    def arrivals(self, pre, t, i, worth, gradients):
        g = 0.0
        for source, post in self.config.connections:
            if source != pre:
                continue
            for j in range(self.config.populations[post]):
                at = t + self.delays[pre, post][i, j]
                if at >= self.ticks:
                    continue
                by_weight, by_time = worth[post][at, j]
                if self.config.synapse == "exponential" or post not in self.config.spiking:
                    by_time *= self.network.weights[pre, post][i, j]
                gradients["weights", pre, post][i, j] += by_weight
                gradients["delays", pre, post][i, j] += by_time
                g += by_time
        return g

    def own(self, name, t, j, known, g, pull, adjoint, worth, gradients):
        q_before, slope, crowd = known
        if name == "output":
            g += self.seed(t, j, pull)
        if self.config.synapse == "jump":
            worth[name][t, j] = 0.0, g / crowd
            return
        rate_m, rate_s, rate_a = self.rates(name)
        p, q, a = adjoint[name][:, j]
        g += p * q_before * (rate_m - rate_s) + a * self.network.beta[name][j] * rate_a
        r = g / slope
        gradients["theta0", name][j] += r
        gradients["beta", name][j] += a
        adjoint[name][:, j] = -r, q + p + r, a + r
