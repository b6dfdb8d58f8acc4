"""How deep the queue of a slow event link must be."""

from collections.abc import Sequence

import numpy as np

from ...model.jit import called_kernel as kernel
from .kinds.congestion import link_rate
from .subject import Subject
from .values import MILLION

__all__ = ["DEPTHS", "queue_sizes"]

DEPTHS = (1, 2, 4, 8, 16, 32, 64, 128)
"""Words of the queues."""


def queue_sizes(subject: Subject, loads: Sequence[float]) -> dict:
    """Return what queues of `DEPTHS` words lose, in front of links of several rates.

    The events and links are those of the kinds of congestion that drop words. A queue loses as
    many whichever word it drops, since that doesn't change how many are in it.

    Parameters
    ----------
    subject : Subject
    loads : sequence of float
        Offered, as the levels of these kinds: shares of the link's rate.

    Returns
    -------
    dict
        ``depths``; ``events``, how many come; ``loads``, for each its ``load``, ``full``: how many
        events a queue of each depth has no room for, and ``needed``: the depth that loses none.
    """
    config = subject.parameters.config
    ticks = np.concatenate([events.ticks for events in subject.clean])
    ends = np.cumsum([len(events) for events in subject.clean])
    rows = []
    for load in loads:
        rate = link_rate(ticks.size, config.ticks * len(subject), round(1000 * load))
        full = [_lost(ticks, ends, config.ticks, rate, depth)[0] for depth in DEPTHS]
        _, needed = _lost(ticks, ends, config.ticks, rate, max(1, ticks.size))
        rows.append({"load": load, "full": full, "needed": needed})
    return {"depths": list(DEPTHS), "events": ticks.size, "loads": rows}


@kernel
def _lost(ticks, ends, length, rate, depth):
    """Return how many words a queue of ``depth`` has no room for, and how many it holds at most.

    ``ticks`` (events,) of samples of ``length`` ticks that end before ``ends`` (samples,); ``rate``
    in millionths of a word per tick.
    """
    lost = most = event = 0
    for sample in range(ends.shape[0]):
        queue = credit = 0
        for tick in range(length):
            while event < ends[sample] and ticks[event] == tick:
                if queue < depth:
                    queue += 1
                else:
                    lost += 1
                event += 1
            most = max(most, queue)
            credit = min(credit + rate, max(rate, MILLION))
            sent = min(credit // MILLION, queue)
            queue -= sent
            credit -= sent * MILLION
    return lost, most
