"""The family of kinds that change the input events."""

import numpy as np

from .kind import Kind, check_picks
from .philox import stream_key, words

__all__ = ["InputKind", "PickedEvents"]


class InputKind(Kind):
    """Noise on the input events, new for each sample. One random word per event.

    A word is named by instance, sample, channel, and the event's place among its channel's.
    """

    per_sample = True

    def draw(self, seed, subject, instance, sample):
        return self._words(seed, subject, instance, sample)[:, 0]

    def _words(self, seed, subject, instance, sample):
        """Return four words per event, (events, 4)."""
        _, channels = subject.sample(sample)
        return words(stream_key(seed, self.number), instance, sample, channels,
                     _ordinals(channels))

    def counts(self, change, subject, sample):
        return {"events": len(subject.sample(sample)[0]),
                "merged": self.events(change, subject, sample).merged}


class PickedEvents(InputKind):
    """Picks each event with one probability, on its own."""

    unit = "probability per event"

    def change(self, drawn, amount):
        return np.flatnonzero(drawn < amount)

    def check(self, change, amount, subject, sample):
        check_picks(change, len(subject.sample(sample)[0]), "events")

    def counts(self, change, subject, sample):
        return super().counts(change, subject, sample) | {self.field: change.size}


def _ordinals(channels):
    """Return each event's place among the events of its channel."""
    order = np.argsort(channels, kind="stable")
    grouped = channels[order]
    ordinals = np.empty(channels.size, np.int64)
    ordinals[order] = np.arange(channels.size) - np.searchsorted(grouped, grouped)
    return ordinals
