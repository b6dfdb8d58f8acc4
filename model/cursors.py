"""The rows of the cursor delay buffer: how they're sorted and cut where delays are synaptic."""

import numpy as np

from .rows import row_delays
from .sizes import WHEEL_TICKS

STRETCH = 2 * WHEEL_TICKS  # ticks of a row that are sent at once


def cut_rows(config):
    """Return whether rows are sorted by delay and cut into stretches: cursors point into them."""
    return config.cuts_rows


def stretches(source, delay):
    """Cut rows into stretches, of `STRETCH` ticks each from their first synapse on.

    Parameters
    ----------
    source, delay : (synapses,) ints
        Of the synapses of a bank, sorted by source and then by delay.

    Returns
    -------
    gap : (synapses,) int64
        By how much longer the row's next synapse takes; 0 at the row's end.
    end : (synapses,) bool
        Whether it's the last one of its stretch.
    """
    delay = np.asarray(delay, np.int64)
    gap, same = np.diff(delay, append=0), np.diff(source, append=-1) == 0
    gap[~same] = 0
    end = ~same
    first = 0
    for k in range(1, delay.size):
        if end[k - 1]:
            first = k
        elif delay[k] - delay[first] >= STRETCH:
            end[k - 1] = True
            first = k
    return gap, end


def bank_order(parameters, bank):
    """Return the synapses of a bank in the order of the cursor buffer: sources and places.

    They are sorted by source and then by delay: (synapses of the bank,) int64 each.
    """
    config = parameters.config
    place = np.flatnonzero(parameters.target % config.banks == bank)
    source = np.repeat(np.arange(config.sources), np.diff(parameters.row_start))[place]
    order = np.lexsort((parameters.delay[place], source))
    return source[order], place[order]


def holds(parameters):
    """Return the delay of the first synapse of each synapse's stretch: (synapses,) int64.

    Where delays aren't synaptic, a row is a stretch. That's of the cursor buffer, whatever the
    design has.
    """
    hold = row_delays(parameters)
    if parameters.config.delays != "synaptic":
        return hold
    for bank in range(parameters.config.banks):
        source, place = bank_order(parameters, bank)
        _, end = stretches(source, hold[place])
        begin = np.flatnonzero(np.append(True, end[:-1])[: end.size])
        hold[place] = np.repeat(hold[place[begin]], np.diff(np.append(begin, end.size)))
    return hold
