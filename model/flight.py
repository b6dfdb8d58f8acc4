"""How many spikes a design has in flight at once."""

import numpy as np

from .config import WHEEL_TICKS
from .cursors import holds
from .emulator import Emulator


def needed_cursors(parameters, samples):
    """Return how many cursors in each bank are enough for samples, with the cursor buffer.

    Parameters
    ----------
    parameters : Parameters
        Of any buffer, and with any number of cursors.
    samples : iterable of TickEvents
    """
    config, emulator = parameters.config, Emulator(parameters)
    source = np.repeat(np.arange(config.sources), np.diff(parameters.row_start))
    last = np.zeros((config.banks, config.sources), np.int64)
    np.maximum.at(last, (parameters.target % config.banks, source), holds(parameters))
    most = 0
    for events in samples:
        fired = emulator.run(events).trace
        fired = fired[fired["fired"] == 1]
        ticks = np.append(events.ticks, fired["tick"])
        sources = np.append(events.channels, fired["neuron"] + config.inputs)
        # A spike keeps its cursor until its last stretch is sent, at the start of a slot.
        final = (ticks + last[:, sources]) // WHEEL_TICKS * WHEEL_TICKS - WHEEL_TICKS
        for end in final:
            waits = end > ticks
            steps = np.bincount(ticks[waits], minlength=config.ticks + 1)
            steps -= np.bincount(np.minimum(end[waits], config.ticks), minlength=steps.size)
            most = max(most, int(np.cumsum(steps).max()))
    return most + 1  # one takes spikes through that needn't wait
