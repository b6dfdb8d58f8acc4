"""One neuron over arrivals in order: from interval to interval and from spike to spike."""

from math import exp
from typing import NamedTuple

from ...model.jit import kernel
from .crossing import ahead, crossing, peaks, reaches
from .structures import FULL


class Neuron(NamedTuple):
    """What `run` knows of its neuron: three rates, theta0, beta, and whether it fires only once.

    Numbers, because a call that hands arrays on by name costs more than the call's work.
    """

    rates: tuple
    theta0: float
    beta: float
    single: bool


@kernel
def neuron_of(net, population, neuron):
    """Return the `Neuron` with number ``neuron``, which is in ``population``."""
    rates = net.rates[population]
    return Neuron(
        (rates[0], rates[1], rates[2]), net.theta0[neuron], net.beta[neuron],
        net.single and population == net.final,
    )  # fmt: skip


@kernel
def _quiet(ratio, theta, p, q, level, k, n, weights, growth):
    """Pass the intervals in which V stays below ``theta``, from the one before arrival ``k`` on.

    V may begin above it, and fall: ``theta`` is the least threshold, of later.
    Returns the first other one or n + 1, and P, Q and exp(t/tau_m) at its start.
    """
    while k <= n:
        y = level / growth[k]
        q_end = q * y * ahead(ratio, y)
        above = p - q >= theta
        if above or (peaks(ratio, p, q, theta) and reaches(ratio, p, q, theta, y, q_end)):
            return k, p, q, level
        p = p * y + weights[k]
        q = q_end + weights[k]
        level = growth[k]
        k += 1
    return k, p, q, level


@kernel
def run(own, state, n, times, weights, growth, time, fast, slope, used):
    """Run one neuron over ``n`` sorted arrivals and on to the time behind them, of weight 0.

    ``own`` : Neuron. ``state`` : (4,) P, Q, A and their time. ``growth`` : exp(t/tau_m), t from
    that time on. Returns the tape's spikes, or FULL.
    """
    theta, rates = own.theta0, own.rates
    ratio = rates[1] / rates[0]
    p, q, a, now = state[0], state[1], state[2], state[3]
    k, level = 0, 1.0
    rest = a * exp((now - times[n]) * rates[2]) if a > 0.0 else 0.0  # A at the end
    while k <= n:
        begin = k
        k, p, q, level = _quiet(ratio, theta + rest, p, q, level, k, n, weights, growth)
        if k > n:
            break
        if k > begin:
            a *= exp((now - times[k - 1]) * rates[2]) if a > 0.0 else 0.0
            now = times[k - 1]
        gap, y = times[k] - now, level / growth[k]
        q_end = q * y * ahead(ratio, y)
        a_end = a * exp(-gap * rates[2]) if a > 0.0 else 0.0
        u, y_spike, a_spike = crossing(rates, p, q, a, theta, gap, y, q_end, a_end)
        if u >= 0.0:
            if used == time.shape[0]:
                return FULL
            p *= y_spike
            q *= y_spike * ahead(ratio, y_spike)
            now += u
            level /= y_spike
            time[used], fast[used] = now, q
            slope[used] = q * rates[1] + a_spike * rates[2] - p * rates[0]
            p, a = q, a_spike + own.beta
            rest = a * exp((now - times[n]) * rates[2]) if a > 0.0 else 0.0
            used += 1
            if own.single:
                return used
        else:
            p = p * y + weights[k]
            q = q_end + weights[k]
            a, now, level = a_end, times[k], growth[k]
            k += 1
    state[0], state[1], state[2], state[3] = p, q, rest, times[n]
    return used


@kernel
def run_jump(own, state, n, times, weights, end, time, fast, slope, used):
    """`run` for jump synapses: V = P can pass the threshold only at an arrival."""
    rates, group = own.rates, 0
    for k in range(n + 1):
        until = times[k] if k < n else end
        state[0] *= exp((state[3] - until) * rates[0])
        state[2] *= exp((state[3] - until) * rates[2])
        state[3] = until
        if k == n:
            return used
        state[0] += weights[k]
        group += 1
        if k + 1 < n and times[k + 1] == until:
            continue
        if state[0] >= own.theta0 + state[2]:
            if used == time.shape[0]:
                return FULL
            time[used], fast[used], slope[used] = until, 0.0, group
            state[0] = 0.0
            state[2] += own.beta
            used += 1
            if own.single:
                return used
        group = 0
    return used
