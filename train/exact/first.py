"""Neurons that stop at their first spike: sorted arrivals are read only as far as that.

Up to it nothing is reset, so that V = S z - F z**ratio with z = exp(-t/tau_m): S and F sum
w exp(a/tau_m) and w exp(a/tau_s) over the arrivals a so far, and nothing has to decay.
"""

from math import exp, inf, log

from ...model.jit import kernel
from .crossing import ahead, peaks, straight_root
from .structures import FULL, Index

BUCKETS = 4
"""Buckets for each time that's sorted."""

ROOM = 3


@kernel
def may_fire(ratio, theta, slow, fast, begin, end, end_lead):
    """Whether V, given by S and F, gets from below ``theta`` to it within an interval.

    ``begin`` : exp((ratio - 1) t/tau_m) where it begins; ``end_lead`` : where it ends, and ``end``
    exp(t/tau_m) there. As in `crossing.reaches`, times z**-ratio. No branches.
    """
    straight, up = slow * end_lead, fast * ratio
    there = (straight - fast >= theta * end_lead * end) | (up < straight)
    return (slow > 0.0) & (up > slow * begin) & there


@kernel
def _spike(rates, theta, slow, fast, begin, level, end):
    """Return the time, Q and slope of the spike in an interval that has one.

    ``begin`` : its time, ``level`` and ``end`` : exp(t/tau_m) at both ends.
    """
    ratio = rates[1] / rates[0]
    p, q = slow / level, fast / (level * ahead(ratio, level))
    y = straight_root(ratio, p, q, theta, level / end)
    q *= y * ahead(ratio, y)
    return begin - log(y) / rates[0], q, q * rates[1] - p * y * rates[0]


@kernel
def order_places(times, total, duration, room):
    """Sort ``total`` times; returns how many aren't after the end. Their places go into ``room``.

    ``room`` : three arrays of int64, for the places in order, for the buckets, `ROOM` more than
    `BUCKETS` a time, and for each time's bucket. In so many buckets nearly every time is alone, so
    that what's left to sort is little, and a processor can foresee it.
    """
    pick, fill, bucket = room
    buckets = BUCKETS * total
    scale = buckets / duration
    for k in range(total):
        bucket[k] = int(times[k] * scale) if times[k] <= duration else buckets + 1
    fill[: buckets + 3] = 0
    for k in range(total):
        fill[Index(bucket[k] + 1)] += 1
    for k in range(buckets + 1):
        fill[k + 1] += fill[k]
    there = fill[buckets + 1]
    for k in range(total):
        own = Index(bucket[k])
        pick[Index(fill[own])] = k
        fill[own] += 1
    for k in range(1, there):
        one, slot = pick[k], k
        while slot > 0 and times[Index(pick[slot - 1])] > times[Index(one)]:
            pick[slot] = pick[slot - 1]
            slot -= 1
        pick[slot] = one
    return there


@kernel
def _run(net, grid, rates, theta, target, total, sources, times, room):
    """Return the time, Q and slope of a neuron's first spike; inf if there's none."""
    at, grown, synapses, step = sources
    ratio, pick = rates[1] / rates[0], room[0]
    for k in range(total):
        times[k] = at[k] + net.delays[Index(synapses[k] + target * step[k])]
    there = order_places(times, total, net.duration, room)
    slow, fast, begin, level, lead = 0.0, 0.0, 0.0, 1.0, 1.0
    for k in range(there + 1):
        now, end, weight = net.duration, 0.0, 0.0
        if k < there:
            one = Index(pick[k])
            synapse = Index(synapses[one] + target * step[one])
            now, end, weight = times[one], grown[one] * grid.slow[synapse], net.weights[synapse]
        else:
            end = exp(now * rates[0])
        end_lead = ahead(ratio, end)
        fires = may_fire(ratio, theta, slow, fast, lead, end, end_lead)
        if fires and peaks(ratio, slow, fast, theta):
            return _spike(rates, theta, slow, fast, begin, level, end)
        slow += weight * end
        fast += weight * end * end_lead
        begin, level, lead = now, end, end_lead
    return inf, 0.0, 0.0


@kernel
def run_first(net, grid, population, total, sources, times, room, time, fast, slope, start):
    """`run_few` for neurons that stop at their first spike."""
    low, used = net.first[population], start[net.first[population]]
    rates = (net.rates[population, 0], net.rates[population, 1])
    for target in range(net.size[population]):
        at, q, rise = _run(net, grid, rates, net.theta0[low + target], target, total, sources,
                           times, room)  # fmt: skip
        if at < inf:
            if used == time.shape[0]:
                return FULL
            time[used], fast[used], slope[used] = at, q, rise
            used += 1
        start[low + target + 1] = used
    return used
