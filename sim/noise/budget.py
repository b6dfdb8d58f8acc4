"""From bits of memory to years between upsets."""

from dataclasses import dataclass

__all__ = ["UpsetBudget", "critical_budget", "upset_budget"]

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


def critical_budget(campaign: dict, fit_per_mbit: float) -> dict:
    """Return how often an upset of a campaign's memories is critical on a device.

    An upset counts as one of the campaign's faults: a device that's always at work on samples like
    those, one of which it spoils.

    Parameters
    ----------
    campaign : dict
        As of `ranvier.sim.noise.campaign.run_campaign`.
    fit_per_mbit : float
        See `upset_budget`; above 0.

    Returns
    -------
    dict
        ``fit_per_mbit``; ``bits``, ``fit`` and ``years`` as of `UpsetBudget`; ``critical``, the
        share of upsets that change a decision, with its ``interval``; ``critical_years``, the mean
        time between those, and its ``critical_interval``: None is without end.
    """
    bits = sum(memory["bits"] for memory in campaign["memories"].values())
    budget, share = upset_budget(bits, fit_per_mbit), campaign["critical"]
    low, high = campaign["interval"]

    def years(part):
        return budget.years / part if part > 0 else None

    return {"fit_per_mbit": fit_per_mbit, "bits": bits, "fit": budget.fit, "years": budget.years,
            "critical": share, "interval": [low, high], "critical_years": years(share),
            "critical_interval": [years(high), years(low)]}
