"""The adjoints at a neuron's own spikes, latest first.

lP, lQ and lA of a neuron decay backwards in time like their traces and jump only at its own spikes.
So they need no queue: each spike's own jump gives ``lp`` and ``lq``, the adjoints just before it,
from which every earlier arrival reads. ``g`` holds dL/dt of each spike.
"""

from math import exp

import numpy as np

from ...model.jit import allocating_kernel, kernel
from .structures import Index
from .table import touch
from .windows import ring_rows


@kernel
def jump_back(net, population, neuron, k, fast, slope, g, p, q, a, limits):
    """Take the adjoints lP, lQ, lA through own spike ``k``.

    Returns the new ones, r, and 1 if ``limits``, the least slope and the largest r, changed it.
    A jump synapse's spike stands on its arrival whatever the traces are, so there they stay 0.
    """
    if net.jump:
        return 0.0, 0.0, 0.0, 0.0, 0
    rates = net.rates[population]
    total = g[k] + p * fast[k] * (rates[0] - rates[1]) + a * net.beta[neuron] * rates[2]
    exact = total / slope[k]
    r = min(limits[1], max(-limits[1], total / max(slope[k], limits[0])))
    return -r, q + p + r, a + r, r, 0 if r == exact else 1


@kernel
def sweep_neuron(net, population, neuron, tape, g, lp, lq, limits, theta_gradient, beta_gradient):
    """Sweep one neuron's spikes, latest first; ``lp`` and ``lq`` get the adjoints before each."""
    time, fast, slope, start = tape
    rates = net.rates[population]
    p, q, a = 0.0, 0.0, 0.0
    limited, theta_sum, beta_sum = 0, 0.0, 0.0
    for k in range(start[neuron + 1] - 1, start[neuron] - 1, -1):
        if p != 0.0 or q != 0.0 or a != 0.0:
            gap = time[k + 1] - time[k]
            p *= exp(-gap * rates[0])
            q *= exp(-gap * rates[1])
            a *= exp(-gap * rates[2])
        beta_sum += a
        p, q, a, r, changed = jump_back(
            net, population, neuron, k, fast, slope, g, p, q, a, limits
        )
        theta_sum += r
        limited += changed
        lp[k], lq[k] = p, q
    theta_gradient[neuron] = theta_sum
    beta_gradient[neuron] = beta_sum
    return limited


@kernel
def _arrive(net, population, at, weight, begin, end, time, slope, g, lp, lq):
    """Return dL/dt of an arrival, by the spikes ``begin`` to ``end`` of its target."""
    if net.jump:
        return touch(at, begin, end, time, slope, g)
    hit = begin + np.searchsorted(time[begin:end], at)
    if hit == end:
        return 0.0
    rates = net.rates[population]
    p = lp[hit] * exp((at - time[hit]) * rates[0])
    q = lq[hit] * exp((at - time[hit]) * rates[1])
    return weight * (p * rates[0] + q * rates[1])


@kernel
def _collect(net, grid, low, population, neuron, k, tape, g, lp, lq, ring):
    """Return what the arrivals of spike ``k`` within its own group are worth.

    ``ring`` : two arrays (windows, neurons), the group's tables, complete after the spike's window.
    """
    time, _, slope, start = tape
    slow, fast = ring
    mask, total = slow.shape[0] - 1, 0.0
    for pair in range(net.pairs.shape[0]):
        if net.pairs[pair, 0] != population or net.pairs[pair, 3] < 0:
            continue
        target = net.pairs[pair, 1]
        width, rates, count = grid.width[target], net.rates[target], grid.count[target]
        pos = time[k] / width
        whole = int(pos)
        left = (pos - whole) * width
        by_slow, by_fast = rates[0] * exp(left * rates[0]), rates[1] * exp(left * rates[1])
        back = grid.back[population]
        first = net.pairs[pair, 3] + (neuron - net.first[population]) * net.size[target]
        shift = net.first[target] - low
        for j in range(net.size[target]):
            synapse = Index(first + j)
            slot = int(pos + grid.pos[synapse])
            if slot >= count:
                continue
            row, column = Index(slot & mask), Index(shift + j)
            p, q = slow[row, column], fast[row, column]
            weight = net.weights[synapse]
            if p != p:
                begin, end = start[net.first[target] + j], start[net.first[target] + j + 1]
                at = time[k] + net.delays[synapse]
                total += _arrive(net, target, at, weight, begin, end, time, slope, g, lp, lq)
                continue
            late = Index(slot - whole - grid.lag[synapse])
            total += weight * (
                p * grid.slow[synapse] * by_slow * back[0, late]
                + q * grid.fast[synapse] * by_fast * back[1, late]
            )
    return total


@allocating_kernel
def sweep_loop(net, grid, begin, end, tape, g, lp, lq, limits, theta_gradient, beta_gradient):
    """`sweep_neuron` for a group that feeds itself, window by window from the last.

    What a spike did to its own group is known when it's reached, since every delay is at least a
    window long.
    """
    time, fast, slope, start = tape
    low, high, width = net.first[begin], net.first[end], grid.width[begin]
    n, count = high - low, grid.count[begin]
    order = np.argsort(time[start[low] : start[high]], kind="mergesort") + start[low]
    source = np.searchsorted(start[low : high + 1], order, side="right") - 1
    rows = ring_rows(net, grid, begin, end)
    ring = (np.zeros((rows, n)), np.zeros((rows, n)))
    adjoint = np.zeros((n, 3))
    since = np.zeros(n)  # time of the earliest spike swept so far
    running = np.zeros((2, n))  # lP and lQ at the start of the window
    turn, limited = order.shape[0] - 1, 0
    theta_gradient[low:high] = 0.0
    beta_gradient[low:high] = 0.0
    for window in range(count - 1, -1, -1):
        row, last = window & (rows - 1), turn
        while turn >= 0 and min(int(time[order[turn]] / width), count - 1) == window:
            k, i = order[turn], source[turn]
            turn -= 1
            population = begin
            while low + i >= net.first[population + 1]:
                population += 1
            rates = net.rates[population]
            g[k] += _collect(net, grid, low, population, low + i, k, tape, g, lp, lq, ring)
            p, q, a = adjoint[i, 0], adjoint[i, 1], adjoint[i, 2]
            if p != 0.0 or q != 0.0 or a != 0.0:
                gap = since[i] - time[k]
                p *= exp(-gap * rates[0])
                q *= exp(-gap * rates[1])
                a *= exp(-gap * rates[2])
            beta_gradient[low + i] += a
            p, q, a, r, changed = jump_back(
                net, population, low + i, k, fast, slope, g, p, q, a, limits
            )
            theta_gradient[low + i] += r
            limited += changed
            lp[k], lq[k] = p, q
            adjoint[i, 0], adjoint[i, 1], adjoint[i, 2] = p, q, a
            since[i] = time[k]
        for population in range(begin, end):
            back_m, back_s = grid.back[population, 0, 1], grid.back[population, 1, 1]
            for i in range(net.first[population] - low, net.first[population + 1] - low):
                ring[0][row, i], ring[1][row, i] = running[0, i], running[1, i]
                running[0, i] *= back_m
                running[1, i] *= back_s
        for index in range(last, turn, -1):
            k, i = order[index], source[index]
            ring[0][row, i], ring[1][row, i] = np.nan, np.nan
            population = begin
            while low + i >= net.first[population + 1]:
                population += 1
            gap = time[k] - (window - 1) * width  # the earliest of the window comes last
            running[0, i] = lp[k] * exp(-gap * net.rates[population, 0])
            running[1, i] = lq[k] * exp(-gap * net.rates[population, 1])
    return limited
