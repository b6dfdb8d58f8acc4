"""A population that doesn't feed itself, neuron by neuron, each from window to window."""

import numpy as np

from ...model.jit import allocating_kernel, kernel
from .arrivals import gather, look, order
from .neuron import neuron_of, run, run_jump
from .structures import FULL, spikes_of
from .windows import bound, scatter, step_of


@kernel
def _walk(net, grid, population, neuron, trains, sums, arrivals, state, time, fast, slope, used):
    """Run one neuron from window to window. Returns the tape's spikes, or FULL."""
    times, weights, growth, _ = arrivals
    width, begun = grid.width[population], used
    step = step_of(net.rates[population], width, grid.back[population])
    own = neuron_of(net, population, neuron)
    p, q, a = 0.0, 0.0, 0.0
    for window in range(grid.count[population]):
        p_end, q_end = (p + sums[window, 0]) * step.slow, (q + sums[window, 1]) * step.fast
        up, down = sums[window, 2], sums[window, 3]
        least = own.theta0 + a * step.lift
        if not bound(net.jump, least, p, q, p_end, q_end, up, down, step):
            p, q = p_end, q_end
            a *= step.lift
            continue
        target = neuron - net.first[population]
        base = net.into[population]
        n = gather(net, grid, population, base, target, window, trains, arrivals)
        state[0], state[1], state[2], state[3] = p, q, a, window * width
        end = min((window + 1) * width, net.duration)
        order(n, arrivals, state[3], end, own.rates[0])
        if net.jump:
            used = run_jump(own, state, n, times, weights, end, time, fast, slope, used)
        else:
            used = run(own, state, n, times, weights, growth, time, fast, slope, used)
        if used < 0 or (own.single and used > begun):
            return used
        p, q, a = state[0], state[1], state[2]
    return used


@allocating_kernel
def run_layer(net, grid, population, sample, places, trains, arrivals, time, fast, slope, start):
    """Run a population that doesn't feed itself. Returns the tape's spikes, or FULL."""
    sums, state = np.empty((grid.count[population], 4)), np.empty(4)
    base = net.into[population]
    look(net, grid, population, base, sample, time, start, places, trains)
    low, high = net.first[population], net.first[population + 1]
    used = start[low]
    for neuron in range(low, high):
        sums[:] = 0.0
        for pair in range(base, net.into[population + 1]):
            starts = spikes_of(net, net.pairs[pair, 0], sample, time, start)[1]
            scatter(net, grid, pair, neuron - low, pair - base, starts, places, sums)
        used = _walk(net, grid, population, neuron, trains, sums, arrivals, state,
                     time, fast, slope, used)  # fmt: skip
        if used < 0:
            return FULL
        start[neuron + 1] = used
    return used
