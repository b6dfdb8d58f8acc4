"""How many spikes a design has in flight at once."""

import numpy as np

from .cursors import holds
from .emulator import Emulator
from .rows import bank_rows
from .sizes import WHEEL_TICKS


def needed_cursors(parameters, samples):
    """Return how many cursors in each bank are enough for samples, with the cursor buffer.

    Parameters
    ----------
    parameters : Parameters
        Of any buffer, and with any number of cursors.
    samples : iterable of TickEvents
    """
    return needed_by([parameters], samples)[0]


def needed_by(designs, samples):
    """Return `needed_cursors` of each of some designs that only differ in how they're stored."""
    config, emulator = designs[0].config, Emulator(designs[0])
    last, most = [_last(parameters) for parameters in designs], [0] * len(designs)
    for events in samples:
        fired = emulator.run(events).trace
        fired = fired[fired["fired"] == 1]
        ticks = np.append(events.ticks, fired["tick"])
        sources = np.append(events.channels, fired["neuron"] + config.inputs)
        for k, waits in enumerate(last):
            most[k] = max(most[k], *(_most(config, ticks, row[:, sources]) for row in waits))
    # One takes spikes through a walk that needn't wait; rows with a delay of their own need none.
    return [count + (parameters.config.delays == "synaptic")
            for count, parameters in zip(most, designs, strict=True)]


def _last(parameters):
    """Return the last delay that each row may wait for: (banks, rows of a source, sources)."""
    config = parameters.config
    if config.delays != "synaptic":
        rows = [bank_rows(parameters, bank).delay for bank in range(config.banks)]
        return np.array(rows).reshape(config.banks, config.sources, -1).swapaxes(1, 2)
    source = np.repeat(np.arange(config.sources), np.diff(parameters.row_start))
    last = np.zeros((config.banks, 1, config.sources), np.int64)
    np.maximum.at(last, (parameters.target % config.banks, 0, source), holds(parameters))
    return last


def _most(config, ticks, delays):
    """Return the most cursors of a bank in use at once, of spikes with rows of (rows, spikes)."""
    # A spike keeps its cursor until its last stretch is sent, at the end of a slot at the latest.
    begin = (ticks + delays) // WHEEL_TICKS * WHEEL_TICKS - WHEEL_TICKS
    waits = begin > ticks
    end = begin[waits] + WHEEL_TICKS - 1
    steps = np.bincount(np.broadcast_to(ticks, begin.shape)[waits], minlength=config.ticks + 1)
    steps -= np.bincount(np.minimum(end, config.ticks), minlength=steps.size)
    return int(np.cumsum(steps).max())
