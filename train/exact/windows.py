"""A population's time in windows: what arrives in each, and whether a neuron could fire there."""

from typing import NamedTuple

from ...model.jit import kernel
from .exponential import exponential
from .structures import Index


@kernel
def place(time, begin, end, width, rates, pos, slot, slow, fast):
    """See spikes ``begin`` to ``end`` through windows of ``width``; fill `Places` from 0."""
    for k in range(end - begin):
        pos[k] = time[begin + k] / width
        slot[k] = int(pos[k])
        rest = (pos[k] - slot[k]) * width
        slow[k] = exponential(rest * rates[0])
        fast[k] = exponential(rest * rates[1])


@kernel
def scatter(net, grid, pair, target, row, start, places, sums):
    """Add the arrivals of one connection at one target to its windows.

    ``sums`` : (windows, 4), what they add to P and to Q, as if at the window's start, and the sums
    of the positive and of the negative weights: together, since they're used together.
    """
    population = net.pairs[pair, 1]
    sources = net.size[net.pairs[pair, 0]]
    count, back = grid.count[population], grid.back[population]
    spots, slots = places.pos[row], places.slot[row]
    slows, fasts = places.slow[row], places.fast[row]
    for source in range(sources):
        begin, end = start[source] - start[0], start[source + 1] - start[0]
        synapse = net.pairs[pair, 2] + target * sources + source
        weight = net.weights[synapse]
        if begin == end or weight == 0.0:
            continue
        pos, lag = grid.pos[synapse], grid.lag[synapse]
        by_slow = weight * grid.slow[synapse]
        by_fast = 0.0 if net.jump else weight * grid.fast[synapse]
        up, down = max(weight, 0.0), min(weight, 0.0)
        for k in range(Index(begin), Index(end)):
            slot = int(spots[k] + pos)
            if slot < count:
                late, to = Index(slot - slots[k] - lag), Index(slot)
                sums[to, 0] += by_slow * slows[k] * back[0, late]
                sums[to, 1] += by_fast * fasts[k] * back[1, late]
                sums[to, 2] += up
                sums[to, 3] += down


class Step(NamedTuple):
    """What a window of one population does: see `bound`."""

    slow: float  # exp(-width/tau_m)
    fast: float
    lift: float
    fall: float  # width/tau_m
    climb: float  # width (1/tau_s - 1/tau_m)
    bend: float  # 1 - exp(-climb)


@kernel
def step_of(rates, width, back):
    """Return the `Step` of a window of ``width``; ``rates`` and ``back`` : a population's rows."""
    slow, fast, lift = back[:, 1]
    climb = width * (rates[1] - rates[0])
    return Step(slow, fast, lift, width * rates[0], climb, 1.0 - fast / slow)


@kernel
def bound(jump, theta, p, q, p_end, q_end, up, down, step):
    """Whether V might reach ``theta`` within a window.

    ``p``, ``q``, ``p_end``, ``q_end`` : P and Q at its start and its end. ``up`` and ``down`` :
    sums of the positive and of the negative weights that arrive. If all the former came first, V
    would be under its tangent; and seen from its end, V was at most what Q and the weights can't
    have added since. docs/gradients.md derives both.
    """
    if jump:
        return max(p, 0.0) + up >= theta * (1.0 - 1e-12)
    v = max(p - q, 0.0)
    ahead = v + max(0.0, (max(q, 0.0) + up) * step.climb - v * step.fall)
    if ahead < theta * (1.0 - 1e-12):
        return False
    v = max(p_end - q_end, 0.0)
    least = (q * step.fast if q > 0.0 else q) + down
    behind = max(v, v / step.slow - least * step.bend)
    return behind >= theta * (1.0 - 1e-12)


@kernel
def ring_rows(net, grid, begin, end):
    """Windows from a spike of a group to its last arrival, as a power of 2."""
    rows = 4
    for pair in range(net.into[begin], net.into[end]):
        while net.pairs[pair, 3] >= 0 and rows < net.reach[pair, 1] / grid.width[begin] + 3:
            rows *= 2
    return rows
