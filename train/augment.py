"""Changes training samples at random, anew in each epoch, so that a network sees no sample twice.

In this order: blending with another sample of the class, stretch and shift of all channels, spread
of each event's channel, tempo, loss of events, jitter of each event. Settings that are 0 draw no
random numbers. A batch is changed at a time: a large dataset's events never stand in memory once
more.
"""

import numpy as np

from .engine import Inputs

__all__ = ["Augmenter"]

CHANGES = ("blend", "stretch", "shift", "spread", "tempo", "dropout", "fading", "jitter")
"""The settings that change samples."""


class Augmenter:
    """Draws changed samples of a dataset.

    Parameters
    ----------
    dataset : Dataset
    settings : TrainConfig
        Of which those in `CHANGES` count.
    """

    def __init__(self, dataset, settings):
        self._dataset = dataset
        self._settings = settings
        self._counts = np.diff(dataset.offsets)
        samples = np.repeat(np.arange(len(dataset)), self._counts)
        total = np.bincount(samples, dataset.times * 1e-3, len(dataset))
        self._mean = total / np.maximum(self._counts, 1)  # time of a sample's events, ms
        # Samples by class: class c has the places first[c] to first[c] + size[c] of the order.
        self._order = np.argsort(dataset.labels, kind="stable")
        self._size = np.bincount(dataset.labels)
        self._first = np.cumsum(self._size) - self._size
        self._place = np.argsort(self._order)

    @property
    def active(self) -> bool:
        """Whether the settings change samples at all."""
        return any(getattr(self._settings, name) for name in CHANGES)

    def draw(self, rows, rng) -> Inputs:
        """Return the samples ``rows``, (batch,) int64, in this order, changed at random."""
        settings, channels = self._settings, self._dataset.n_channels
        time, channel, turn = self.blended(rows, rng) if settings.blend else self._events(rows)
        if settings.stretch or settings.shift or settings.spread:
            channel = self.moved(channel, turn, len(rows), rng)
            stay = (channel >= 0) & (channel < channels)
            time, channel, turn = time[stay], channel[stay], turn[stay]
        if settings.tempo:
            time = time * np.exp(rng.normal(0.0, settings.tempo, len(rows)))[turn]
        if settings.dropout or settings.fading:
            lost = np.full(len(rows), settings.dropout)
            if settings.fading:
                lost += settings.fading * rng.random(len(rows))
            stay = rng.random(len(time)) >= lost[turn]
            time, channel, turn = time[stay], channel[stay], turn[stay]
        if settings.jitter:
            time = np.abs(time + rng.normal(0.0, settings.jitter, len(time)))
        return Inputs.arrange(time, channel, turn, len(rows), channels)

    def moved(self, channel, turn, samples, rng):
        """Return the channels of events, int64, some of them outside, after all moves.

        Parameters
        ----------
        channel, turn : (events,) integers
            Channel of each event, and its sample.
        samples : int
        """
        settings = self._settings
        if settings.stretch:
            centre = (self._dataset.n_channels - 1) / 2
            factor = np.exp(rng.normal(0.0, settings.stretch, samples))
            # A channel's events come from all of its width, or some channels would stay empty.
            place = channel + rng.random(len(channel)) - 0.5 - centre
            channel = np.rint(centre + place * factor[turn]).astype(np.int64)
        if settings.shift:
            channel = channel + rng.integers(-settings.shift, settings.shift + 1, samples)[turn]
        if settings.spread:
            away = rng.normal(0.0, settings.spread, len(channel))
            channel = channel + np.rint(away).astype(np.int64)
        return channel

    def blended(self, rows, rng):
        """Blend some samples with another of their class.

        Each event of either is kept with probability 1/2. Those of the other are moved in time by
        the distance of the two samples' mean times; what would come before 0 is dropped. A sample
        that is alone in its class, or without events, stays as it is.

        Returns
        -------
        times : (events,) float64, ms
        channels : (events,) integers
        turns : (events,) int64
            Places in ``rows``.
        """
        other = self.partners(rows, rng)
        chosen = rng.random(len(rows)) < self._settings.blend
        chosen &= (other != rows) & (self._counts[rows] > 0) & (self._counts[other] > 0)
        time, channel, turn = self._events(rows)
        keep = ~chosen[turn] | (rng.random(len(time)) < 0.5)
        into = np.flatnonzero(chosen)
        moved, guest, place = self._events(other[into])
        moved += (self._mean[rows] - self._mean[other])[into][place]
        taken = (rng.random(len(moved)) < 0.5) & (moved >= 0)
        return (
            np.concatenate([time[keep], moved[taken]]),
            np.concatenate([channel[keep], guest[taken]]),
            np.concatenate([turn[keep], into[place[taken]]]),
        )

    def partners(self, rows, rng):
        """Return another sample of each one's class, (batch,) int64; itself if it's alone."""
        labels = self._dataset.labels[rows]
        first, size = self._first[labels], self._size[labels]
        ahead = 1 + np.floor(rng.random(len(rows)) * (size - 1)).astype(np.int64)
        return self._order[first + (self._place[rows] - first + ahead) % size]

    def _events(self, rows):
        """Return times (ms), channels and places in ``rows`` of the events of some samples."""
        counts = self._counts[rows]
        begins = np.cumsum(counts) - counts
        event = np.arange(counts.sum()) + np.repeat(self._dataset.offsets[rows] - begins, counts)
        turn = np.repeat(np.arange(len(rows)), counts)
        return self._dataset.times[event] * 1e-3, self._dataset.channels[event], turn
