"""Rows on the delay modes: a delay for each synapse, each source, or each source and target."""

from paired import against
from registry import ENGINE, row

from ranvier.train.config import DELAYS

from .accuracy import example, run_seeds, trained, user_file

TASKS = {
    "yinyang": ("Yin-Yang 5-30-3", "yinyang30"),
    "spoken_digits": ("Spoken digits", "digits"),
    "braille": ("Braille letters", "braille/all"),
}
"""Title of each example, and where another row keeps its seeds with synaptic delays."""


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
    if name == "braille":
        changes["data"] = {"path": str(user_file("braille", "braille_events.npz"))}
    found = {}
    for mode in DELAYS:
        folder = TASKS[name][1] if mode == "synaptic" else f"modes/{name}/{mode}"
        tables = changes | {"network": {"delays": mode}}
        found[mode] = run_seeds(context, folder, example(name), tables)
        found[mode]["parameters"] = count_parameters(trained(context, folder)[0])
    return found | {"differences": against(found, "synaptic")}


def _row(name, title):
    @row(
        f"modes-{name.split('_')[-1]}",
        f"{title}: {' / '.join(DELAYS)} delays, 5 seeds, mean test accuracy", "%",
        (*ENGINE, "bench/rows/modes.py", f"examples/{name}.toml"),
    )  # fmt: skip
    def modes(context):
        found = compare_modes(context, name)
        return [found[mode]["float"]["mean"] for mode in DELAYS], found

    return modes


for task, (called, _) in TASKS.items():
    _row(task, called)
