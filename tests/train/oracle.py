"""A slow and obvious simulator in continuous time, for the engine's tests.

It advances all neurons from event to event, looks for a crossing on a dense grid between two
events, and bisects it. Nothing is skipped or bounded.
"""

import numpy as np

GRID = 200


def run(network, times, channels):
    """Return each spiking population's spikes: a list of times (ms) for each neuron."""
    config = network.config
    names = config.spiking
    traces = {name: np.zeros((3, config.size(name))) for name in names}
    spikes = {name: [[] for _ in range(config.size(name))] for name in names}
    pending = []  # (arrival, target population, target, weight)
    for time, channel in zip(times, channels, strict=True):
        send(network, pending, "input", int(channel), float(time))
    now = 0.0
    while True:
        arrival = min((event[0] for event in pending), default=config.duration)
        until = min(arrival, config.duration)
        fired = earliest(network, traces, until - now)
        if fired is not None:
            gap, name, neuron = fired
            now += gap
            decay(config, traces, gap)
            fire(network, traces, spikes, pending, name, neuron, now)
            continue
        decay(config, traces, until - now)
        now = until
        if arrival > config.duration or not pending:
            return spikes
        arrived = [event for event in pending if event[0] == now]
        pending[:] = [event for event in pending if event[0] != now]
        for _, name, neuron, weight in arrived:
            traces[name][0, neuron] += weight
            if config.synapse == "exponential":
                traces[name][1, neuron] += weight
        if config.synapse == "jump":
            for name in names:
                p, _, a = traces[name]
                for neuron in np.flatnonzero(p >= network.theta0[name] + a):
                    fire(network, traces, spikes, pending, name, neuron, now)


def send(network, pending, pre, neuron, time):
    """Put a spike's arrivals on the list."""
    for source, target in network.config.connections:
        if source == pre and target in network.config.spiking:
            weights = network.weights[source, target][neuron]
            delays = network.delay(source, target)[neuron]
            for j, (weight, delay) in enumerate(zip(weights, delays, strict=True)):
                pending.append((time + delay, target, j, weight))


def fire(network, traces, spikes, pending, name, neuron, now):
    """Reset, raise the threshold, emit."""
    traces[name][0, neuron] = traces[name][1, neuron]
    traces[name][2, neuron] += network.beta[name][neuron]
    spikes[name][neuron].append(now)
    send(network, pending, name, neuron, now)


def decay(config, traces, gap):
    """Let every trace decay."""
    for bank in traces.values():
        bank[0] *= np.exp(-gap / config.tau_m)
        bank[1] *= np.exp(-gap / config.tau_s)
        bank[2] *= np.exp(-gap / config.tau_a)


def earliest(network, traces, span):
    """Return (time from now, population, neuron) of the first crossing within ``span``, or None."""
    config = network.config
    if config.synapse == "jump":
        return None
    best = None
    for name, bank in traces.items():
        u = np.linspace(0.0, span, GRID + 1)[:, None]
        values = height(config, bank, network.theta0[name], u)
        for neuron in np.flatnonzero(((values[:-1] < 0) & (values[1:] >= 0)).any(axis=0)):
            gap = crossing(config, bank[:, neuron], network.theta0[name][neuron], span)
            if best is None or gap < best[0]:
                best = (gap, name, neuron)
    return best


def height(config, traces, theta, u):
    """V minus the threshold at ``u`` from now."""
    p, q, a = traces
    slow, fast = p * np.exp(-u / config.tau_m), q * np.exp(-u / config.tau_s)
    return slow - fast - a * np.exp(-u / config.tau_a) - theta


def crossing(config, traces, theta, span, grid=GRID):
    """Return where the height first reaches 0 from below, or None."""
    u = np.linspace(0.0, span, grid + 1)
    values = height(config, traces, theta, u)
    up = np.flatnonzero((values[:-1] < 0) & (values[1:] >= 0))
    if not up.size:
        return None
    low, high = u[up[0]], u[up[0] + 1]
    for _ in range(100):
        middle = 0.5 * (low + high)
        if height(config, traces, theta, middle) < 0:
            low = middle
        else:
            high = middle
    return high
