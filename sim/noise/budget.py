"""From bits of memory to years between upsets."""

from dataclasses import dataclass

__all__ = ["UpsetBudget", "upset_budget"]

_HOURS = 24 * 365.25  # of a year


@dataclass(frozen=True)
class UpsetBudget:
    """How often particles flip a bit of a device.

    Members
    -------
    bits : int
        Bits of memory.
    fit : float
        Upsets in 10^9 hours of one device.
    years : float
        Mean time between upsets of one device; infinite with a rate of 0.
    """

    bits: int
    fit: float
    years: float


def upset_budget(bits: int, fit_per_mbit: float) -> UpsetBudget:
    """Return how often a bit flips, for a device's rate.

    Upsets are taken to come alone and evenly in time, as JEDEC's JESD89 counts them.

    Parameters
    ----------
    bits : int
        Bits of memory, such as those of `ranvier.model.memory`.
    fit_per_mbit : float
        Failures in 10^9 hours per 10^6 bits: of the vendor's report, for a place and a height.

    Raises
    ------
    ValueError
        If a number is negative.

    Examples
    --------
    >>> budget = upset_budget(1_390_000, 75)
    >>> round(budget.fit), round(budget.years)
    (104, 1094)
    """
    if bits < 0 or fit_per_mbit < 0:
        raise ValueError(f"Bits and rate must not be negative, not {bits} and {fit_per_mbit}")
    fit = bits / 1e6 * fit_per_mbit
    return UpsetBudget(bits, fit, 1e9 / fit / _HOURS if fit else float("inf"))
