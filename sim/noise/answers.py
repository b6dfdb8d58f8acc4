"""What a study says of each kind of noise in a few numbers, and which kind costs the most."""

from ..tables import table_text
from .curves import critical_level, kept_accuracy
from .statistics import holm

__all__ = ["DISTANCES", "DROPS", "answer", "corrected", "crossing_text", "levels_text", "ranked",
           "worst_text"]

DROPS = (1, 5)
"""Points lost at a critical level."""
DISTANCES = ("victor_purpura", "van_rossum")
"""Of spikes, as `ranvier.sim.noise.moved.moved_spikes` has them."""


def answer(kind: dict, clean: float) -> dict:
    """Return the critical levels and the kept accuracy of a kind as a study has it.

    Parameters
    ----------
    kind : dict
        ``unit`` and ``levels``: of ``noise.json``.
    clean : float
        Accuracy without noise.

    Returns
    -------
    dict
        ``critical``: by points lost (text) the ``level`` and whether it's ``below_first``, None if
        it isn't reached. ``kept``: the area under the curve, None with one level alone.
    """
    levels = [row["level"] for row in kind["levels"]]
    shares = [row["accuracy"] for row in kind["levels"]]
    logarithmic = kind["unit"].startswith("probability")
    critical = {}
    for drop in DROPS:
        found = critical_level(levels, shares, clean, drop, logarithmic=logarithmic)
        critical[str(drop)] = None if found is None else {
            "level": found.level, "below_first": found.below_first}
    kept = kept_accuracy(levels, shares, clean, logarithmic=logarithmic) if levels[1:] else None
    return {"critical": critical, "kept": kept}


def corrected(kinds: dict) -> None:
    """Give each level with a ``p_value`` the one after Holm's correction for all that have one."""
    rows = {(name, k): row for name, kind in kinds.items()
            for k, row in enumerate(kind["levels"]) if row["p_value"] is not None}
    for place, value in holm({at: row["p_value"] for at, row in rows.items()}).items():
        rows[place]["p_corrected"] = value


def ranked(kinds: dict) -> list[str]:
    """Return the names of kinds by the accuracy that they leave over their levels, least first."""
    return sorted(kinds, key=lambda name: (kinds[name]["kept"] is None, kinds[name]["kept"] or 0,
                                           name))


def crossing_text(crossing: dict | None) -> str:
    """Return a critical level for a table."""
    if crossing is None:
        return "not reached"
    return f"{'at most ' if crossing['below_first'] else ''}{crossing['level']:.3g}"


def worst_text(levels: list[dict]) -> str:
    """Return the worst instance's accuracy at the first and the last level, for a table.

    Without instances it's empty.
    """
    spreads = [row["spread"] for row in (levels if len(levels) == 1 else (levels[0], levels[-1]))]
    if None in spreads:
        return ""
    return " to ".join(f"{100 * found['least']:.1f}" for found in spreads) + " %"


def levels_text(kinds: dict) -> str:
    """Return all levels of a study as CSV."""
    header = ("kind", "unit", "level", "accuracy", "low", "high", "n", "n_effective", "drop",
              "changed", "p_value", "p_corrected", "first_row", "last_row", "spikes", "missing",
              "extra", "victor_purpura", "van_rossum")
    return table_text(header, (
        [name, kind["unit"], row["level"], row["accuracy"], *row["interval"], row["n"],
         row["n_effective"], row["drop"], row["changed"], row["p_value"], row.get("p_corrected"),
         *row["rows"], *(row["spikes"][name] for name in ("clean", "missing", "extra")),
         *(sum(row["spikes"][name]) / len(row["spikes"][name]) for name in DISTANCES)]
        for name, kind in kinds.items() for row in kind["levels"]))
