"""Weights have fewer bits."""

import numpy as np

from ..kind import Kind, limited
from ..values import with_values


class WeightQuantisation(Kind):
    """Rounds each weight to a multiple of 2^k, halves up: the k low bits are gone."""

    name = "weight_quantisation"
    number = 5
    unit = "bits taken from each weight"
    origin = "memories and multipliers of fewer bits"
    levels = (1, 2, 3, 4, 5, 6)
    field = "added"
    meaning = "last places added to each weight"
    per_sample = False
    alike = True

    def amount(self, level):
        if level not in range(1, 12):
            raise ValueError(f"must be a whole number of bits from 1 to 11, not {level!r}")
        return int(level)

    def draw(self, seed, subject, instance, sample):
        return subject.parameters.weight.astype(np.int64)

    def change(self, drawn, amount):
        return ((drawn + (1 << amount >> 1)) >> amount << amount) - drawn

    def check(self, change, amount, subject, sample):
        limited(change, subject.parameters.weight.size, -(1 << amount), 1 << amount, "weights")

    def parameters(self, change, subject):
        return with_values(subject.parameters, "weight", subject.parameters.weight + change)

    def counts(self, change, subject, sample):
        return {"values": change.size, "changed": int(np.count_nonzero(change))}
