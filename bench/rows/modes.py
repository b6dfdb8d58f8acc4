"""Rows on the delay modes: a delay for each synapse, each source, or each source and target."""

from paired import against
from registry import ENGINE, row

from ranvier.train.config import DELAYS

from .accuracy import example, run_seeds, trained, user_file

TASKS = {
    "yinyang": ("Yin-Yang 5-30-3", "yinyang30"),
    "spoken_digits": ("Spoken digits", "digits"),
    "braille": ("Braille letters", "braille/all"),
    "cochlea": ("Digits through a cochlea, official split, the integer model", "cochlea"),
}
"""Title of each example, and where another row keeps its seeds with synaptic delays."""

FILES = {
    "braille": ("braille", "braille_events.npz"), "cochlea": ("cochlea_digits", "fsdd700.npz"),
}  # fmt: skip
"""The user's own files."""

FIXED = ("cochlea",)
"""Tasks that have grown into a coarse grid, so that only the integer model on it counts."""


def count_parameters(network):
    """Return how many weights, delays and values of thresholds a network has."""
    kinds = {"weights": 0, "delays": 0, "theta0": 0, "beta": 0}
    for name, array in network.arrays().items():
        kind = name.split("/")[0]
        if kind in kinds:
            kinds[kind] += array.size
    return {
        "weights": kinds["weights"],
        "delays": kinds["delays"],
        "thresholds": kinds["theta0"] + kinds["beta"],
    }


def compare_modes(context, name):
    """Train an example with each delay mode, and with nothing else changed.

    Returns what `run_seeds` does by mode, with the ``parameters`` of each, and the
    ``differences``: synaptic delays against the others.
    """
    changes = {}
    if name in FILES:
        changes["data"] = {"path": str(user_file(*FILES[name]))}
    found = {}
    for mode in DELAYS:
        folder = TASKS[name][1] if mode == "synaptic" else f"modes/{name}/{mode}"
        tables = changes | {"network": {"delays": mode}}
        found[mode] = run_seeds(context, folder, example(name), tables)
        found[mode]["parameters"] = count_parameters(trained(context, folder)[0])
    values = "fixed by seed" if name in FIXED else "seeds"
    return found | {"differences": against(found, "synaptic", values)}


def _row(name, title):
    @row(
        f"modes-{name.split('_')[-1]}",
        f"{title}: {' / '.join(DELAYS)} delays, 5 seeds, mean test accuracy", "%",
        (*ENGINE, "bench/rows/modes.py", f"examples/{name}.toml"),
    )  # fmt: skip
    def modes(context):
        found = compare_modes(context, name)
        kind = "fixed" if name in FIXED else "float"
        return [found[mode][kind]["mean"] for mode in DELAYS], found

    return modes


for task, (called, _) in TASKS.items():
    _row(task, called)
