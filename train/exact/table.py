"""A neuron's adjoints as a table, from which arrivals read what they're worth.

As on the way forwards, an arrival isn't looked up one by one. The table has one pair a window as if
at its start, and the arrival's factors exp(d/tau) exp(t/tau) carry them to its time. A window with
a spike of the neuron itself is marked by nan, and its few arrivals are looked up.
"""

from math import exp

import numpy as np

from ...model.jit import kernel


@kernel
def fill_table(net, grid, population, neuron, time, start, lp, lq, slow, fast, spikes):
    """Lay out a neuron's adjoints: ``slow`` and ``fast``, (windows,), lP and lQ at their starts.

    nan in windows in which it fires itself, 0 after its last spike. ``spikes`` : (spikes, 5), for
    each of its own spikes the window, lP and lQ there just before it, and what they are after it if
    it's the window's last, all as if at the start of the window.
    """
    width, count = grid.width[population], grid.count[population]
    rates = net.rates[population]
    back_m, back_s = grid.back[population, 0, 1], grid.back[population, 1, 1]
    free = count  # windows from here on are filled
    p, q = 0.0, 0.0  # at the start of window free - 1
    for k in range(start[neuron + 1] - 1, start[neuron] - 1, -1):
        own = min(int(time[k] / width), count - 1)
        for window in range(free - 1, own, -1):
            slow[window], fast[window] = p, q
            p *= back_m
            q *= back_s
        index = k - start[neuron]
        spikes[index, 0], spikes[index, 3], spikes[index, 4] = own, p, q
        if own < free:
            slow[own], fast[own] = np.nan, np.nan
        gap = time[k] - own * width
        p = 0.0 if net.jump else lp[k] * exp(-gap * rates[0])
        q = 0.0 if net.jump else lq[k] * exp(-gap * rates[1])
        spikes[index, 1], spikes[index, 2] = p, q
        if k > start[neuron] and int(time[k - 1] / width) >= own:
            free = own + 1
            continue
        free = own
        p *= back_m
        q *= back_s
    for window in range(free - 1, -1, -1):
        slow[window], fast[window] = p, q
        p *= back_m
        q *= back_s


@kernel
def read_near(at, window, time, begin, end, spikes):
    """Return lP and lQ at the start of a window in which the neuron fires, for an arrival ``at``.

    They're those before its next spike there, or after the last one.
    """
    hit = begin
    if end - begin > 16:
        hit += np.searchsorted(time[begin:end], at)
    else:
        while hit < end and time[hit] < at:
            hit += 1
    if hit < end and spikes[hit - begin, 0] == window:
        return spikes[hit - begin, 1], spikes[hit - begin, 2]
    if hit == begin:  # by rounding at the window's edge
        return 0.0, 0.0
    return spikes[hit - begin - 1, 3], spikes[hit - begin - 1, 4]


@kernel
def touch(at, begin, end, time, slope, g):
    """Return dL/dt of a jump's arrival: a share of its target's spike if it's at that instant."""
    hit = begin + np.searchsorted(time[begin:end], at)
    return g[hit] / slope[hit] if hit < end and time[hit] == at else 0.0
