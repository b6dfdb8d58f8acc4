"""Bits of event addresses are wrong."""

import numpy as np

from ....model.events import TickEvents, time_ticks
from ..inputs import InputKind
from ..kind import check_bits


class AddressFlips(InputKind):
    """Flips each bit of each event's channel with one probability, on its own.

    Words of channels that aren't there are sent too; the core drops and counts them.
    """

    name = "address_flips"
    number = 15
    unit = "probability per bit"
    origin = "signal integrity of the event link"
    levels = (0.00001, 0.0001, 0.001, 0.01, 0.05)
    columns = 2
    field = "flipped"
    meaning = "event, in the order of the sample, and bit of its channel, for each flip"

    def draw(self, seed, subject, instance, sample):
        bits = subject.parameters.config.channel_bits
        drawn = np.concatenate([self._words(seed, subject, word << 16 | instance, sample)
                                for word in range(-(-bits // 4))], axis=1)
        return drawn[:, :bits]

    def change(self, drawn, amount):
        return np.argwhere(drawn < amount)

    def check(self, change, amount, subject, sample):
        check_bits(change, len(subject.sample(sample)[0]), subject.parameters.config.channel_bits)

    def events(self, change, subject, sample):
        times, channels = self._flipped(change, subject, sample)
        there = channels < subject.parameters.config.inputs
        return subject.encode(times[there], channels[there])

    def sent(self, change, subject, sample):
        config = subject.parameters.config
        times, channels = self._flipped(change, subject, sample)
        keys = np.unique(time_ticks(times, config.tick_us) << config.channel_bits | channels)
        return TickEvents(ticks=keys >> config.channel_bits,
                          channels=(keys & ((1 << config.channel_bits) - 1)).astype(np.int32))

    def counts(self, change, subject, sample):
        sent, taken = (len(find(change, subject, sample)) for find in (self.sent, self.events))
        return super().counts(change, subject, sample) | {
            "flipped": len(change), "dropped": sent - taken}

    @staticmethod
    def _flipped(change, subject, sample):
        times, channels = subject.sample(sample)
        channels = channels.astype(np.int64)
        np.bitwise_xor.at(channels, change[:, 0], 1 << change[:, 1])
        return times, channels
