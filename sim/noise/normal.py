"""Normally distributed integers from random words, the same on every machine.

A word is looked up in a table of the normal distribution's steps. The table is computed in
decimal arithmetic, which the language fixes to the last digit; the libraries' own ``exp`` and
``erf`` may differ from machine to machine.
"""

from decimal import Context, Decimal, localcontext
from functools import cache

import numpy as np

from .philox import WORD

__all__ = ["STEPS", "largest", "normal", "steps"]

STEPS = 256
"""Steps in a standard deviation."""

_LAST = 6 * STEPS + STEPS // 2  # the first tail that holds less than half a word is before it
_PI = Decimal("3.14159265358979323846264338327950288419716939937510")


def _tail(x):
    """Return 1 - Phi(x) for a Decimal: one half less the density times the odd series of x."""
    term = total = x
    odd = 1
    while term > Decimal("1e-40"):
        odd += 2
        term = term * x * x / odd
        total += term
    return Decimal("0.5") - (-x * x / 2).exp() / (2 * _PI).sqrt() * total


@cache
def steps() -> np.ndarray:
    """Return the words at which the normal integer grows by one: (2 * n,) int64, ascending.

    The middle one is at 0 + 1/2 of a step: ``steps()[n + k]`` is 2**32 times the probability of
    an integer of at most k, rounded to nearest.
    """
    upper = []
    with localcontext(Context(prec=50)):
        for k in range(_LAST):
            tail = int(WORD * _tail(Decimal(2 * k + 1) / (2 * STEPS)) + Decimal("0.5"))
            if tail == 0:
                break
            upper.append(WORD - tail)
    upper = np.array(upper, np.int64)
    return np.concatenate([WORD - upper[::-1], upper])


def largest() -> int:
    """Return the largest of the integers, about 6.3 deviations; the least is minus that."""
    return steps().size // 2


def normal(words: np.ndarray) -> np.ndarray:
    """Return int64 of the words' shape: normally distributed, in `STEPS` per standard deviation.

    The distribution is the normal one rounded to whole steps, to 2**-32 in each probability, and
    symmetric: the words w and 2**32 - 1 - w give opposite integers.
    """
    table = steps()
    return np.searchsorted(table, words.astype(np.int64), side="right") - largest()
