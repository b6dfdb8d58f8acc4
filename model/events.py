"""Times on the tick grid: input events, delays, and the records that model and RTL compare."""

from dataclasses import dataclass

import numpy as np

# One touch: the state after it. Sorted by (tick, neuron).
TRACE = np.dtype([("tick", "i8"), ("neuron", "i8"), ("fired", "i8"),
                  ("p", "i8"), ("q", "i8"), ("a", "i8")])


@dataclass(frozen=True)
class TickEvents:
    """One sample on the tick grid.

    Members
    -------
    ticks : (events,) int64, not decreasing.
    channels : (events,) int32, ascending within a tick; no pair (tick, channel) twice.
    merged : int
        Events that shared tick and channel with another and became one with it.
    late : int
        Events after the last tick, left out.
    """

    ticks: np.ndarray
    channels: np.ndarray
    merged: int = 0
    late: int = 0

    def __len__(self):
        return self.ticks.size


def check_events(events, config):
    """Raise ValueError if `TickEvents` are unsorted, repeated or out of range."""
    ticks, channels = events.ticks, events.channels
    steps = np.diff(np.asarray(ticks, np.int64) * config.inputs + channels)
    if np.any(steps <= 0):
        at = int(np.flatnonzero(steps <= 0)[0]) + 1
        raise ValueError(f"Input event {at} must come after event {at - 1} in (tick, channel), "
                         f"not at tick {ticks[at]}, channel {channels[at]}")
    if len(ticks) and (ticks[0] < 0 or ticks[-1] >= config.ticks or np.min(channels) < 0
                       or np.max(channels) >= config.inputs):
        raise ValueError(f"Input events must lie in ticks 0 to {config.ticks - 1} and channels "
                         f"0 to {config.inputs - 1}")


def time_ticks(times, tick_us):
    """Return the ticks to which times in integer microseconds belong: ceil(time / tick)."""
    return -(-np.asarray(times, np.int64) // tick_us)


def delay_ticks(delays, tick, delay_max):
    """Return delays (any shape, ms) in whole ticks of ``tick`` ms, from 1 to ``delay_max``.

    The nearest number of ticks, halves up: the one rule for training, model and RTL. Delays that
    are sums have `delay_parts`.

    >>> delay_ticks([0.1, 0.74, 0.75, 9.0], 0.5, 10)
    array([ 1,  1,  2, 10])
    """
    nearest = np.floor(np.asarray(delays, np.float64) / tick + 0.5).astype(np.int64)
    return np.clip(nearest, 1, delay_max)


def delay_parts(axonal, dendritic, tick, delay_max):
    """Return delays of sources and of targets in whole ticks; a synapse's is their sum.

    A dendritic part is the nearest number of ticks, halves up, and 0 at least; then each axonal
    part is the number with the least squared error of its sums, which are from 1 to ``delay_max``.

    Parameters
    ----------
    axonal : (sources, 1) float64
        Milliseconds. What a source gets doesn't depend on the others.
    dendritic : (1, targets) float64
        Milliseconds, of all targets of the sources.
    tick : float
        Milliseconds.
    delay_max : int

    >>> delay_parts([[1.0], [3.2]], [[0.4, 0.4, 1.0]], 1.0, 4)
    (array([[1],
           [3]]), array([[0, 0, 1]]))
    """
    axonal, dendritic = (np.asarray(part, np.float64) / tick for part in (axonal, dendritic))
    late = np.clip(np.floor(dendritic + 0.5).astype(np.int64), 0, delay_max - 1)
    best = np.floor(axonal + np.mean(dendritic - late) + 0.5).astype(np.int64)
    return np.clip(best, 1, delay_max - late.max()), late


def encode(times, channels, config):
    """Put one sample's events on the tick grid.

    Parameters
    ----------
    times : (events,) integers
        Microseconds, in any order, not negative.
    channels : (events,) integers
        Input channels, below ``config.inputs``.

    Raises
    ------
    ValueError
        If a time is negative or a channel out of range; the message names the event.
    """
    times, channels = np.asarray(times), np.asarray(channels)
    if times.shape != channels.shape or times.ndim != 1:
        raise ValueError(f"Event times and channels must be two vectors of one length, not of "
                         f"shapes {times.shape} and {channels.shape}")
    bad = np.flatnonzero((times < 0) | (channels < 0) | (channels >= config.inputs))
    if bad.size:
        raise ValueError(
            f"Event {bad[0]} must have a time >= 0 and a channel from 0 to {config.inputs - 1}, "
            f"not time {times[bad[0]]} and channel {channels[bad[0]]}")
    ticks = time_ticks(times, config.tick_us)
    kept = ticks < config.ticks
    keys = np.unique(ticks[kept] * config.inputs + channels[kept])
    return TickEvents(ticks=keys // config.inputs, channels=(keys % config.inputs).astype(np.int32),
                      merged=int(kept.sum() - keys.size), late=int((~kept).sum()))
