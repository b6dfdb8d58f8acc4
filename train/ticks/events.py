"""Input events on the grid, in the order of their ticks."""

import numpy as np

from ...model.jit import called_kernel as kernel

SURE = 1e-9
"""Part of a tick by which a time may exceed it, because times in ms aren't exact."""


@kernel
def encode_sample(net, time, start, begin, at):
    """Put one sample's events on the grid, two of one channel and tick as one."""
    n = 0
    begin[0] = 0
    for channel in range(net.inputs):
        last = -1
        for k in range(start[channel], start[channel + 1]):
            tick = int(np.ceil(time[k] / net.tick - SURE))
            if tick >= net.ticks:
                break
            if tick > last:
                at[n] = tick
                n += 1
                last = tick
        begin[channel + 1] = n


@kernel
def encode(net, time, start, rows, begin, at):
    """Put a batch's events on the grid: ``begin`` and ``at`` of a `Tape`."""
    for k in range(rows.shape[0]):
        encode_sample(net, time, start[rows[k]], begin[k], at[k])


@kernel
def by_tick(begin, at, head, channels):
    """Order events by tick, then channel; ``head[tick]`` becomes the end of a tick's events."""
    head[:] = 0
    for k in range(begin[-1]):
        head[at[k] + 1] += 1
    for tick in range(head.shape[0] - 1):
        head[tick + 1] += head[tick]
    for channel in range(begin.shape[0] - 1):
        for k in range(begin[channel], begin[channel + 1]):
            channels[head[at[k]]] = channel
            head[at[k]] += 1
