"""Events of a tick come in another order."""

import numpy as np

from ....model.events import TickEvents
from ..inputs import InputKind
from ..kind import limited
from ..philox import stream_key, words


class EventOrder(InputKind):
    """Sends events of a tick after the others with one probability, in an order of their own."""

    name = "event_order"
    number = 16
    unit = "probability per event"
    origin = "arbitration of the event link"
    verdict = "masked"
    levels = (0.5, 1.0)
    field = "order"
    meaning = "the events on the tick grid, counted from 0, in the order in which they're sent"

    def draw(self, seed, subject, instance, sample):
        """Return tick, channel and two words of each event, (events, 4)."""
        events = subject.clean[sample]
        drawn = words(stream_key(seed, self.number), instance, sample, events.ticks,
                      events.channels)
        return np.column_stack([events.ticks, events.channels, drawn[:, :2].astype(np.int64)])

    def change(self, drawn, amount):
        late = drawn[:, 2] < amount
        return np.lexsort((np.where(late, drawn[:, 3], drawn[:, 1]), late, drawn[:, 0]))

    def check(self, change, amount, subject, sample):
        ticks = subject.clean[sample].ticks
        limited(change, ticks.size, 0, ticks.size - 1, "events")
        if np.any(np.sort(change) != np.arange(ticks.size)) or np.any(np.diff(ticks[change]) < 0):
            raise ValueError("must have every event once, by tick")

    def sent(self, change, subject, sample):
        events = subject.clean[sample]
        return TickEvents(ticks=events.ticks[change], channels=events.channels[change])

    def counts(self, change, subject, sample):
        return {"events": change.size,
                "moved": int(np.count_nonzero(change != np.arange(change.size)))}
