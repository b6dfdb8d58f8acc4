"""Rows on accuracy: five seeds of an example each, and ablations of it.

Trained seeds are kept in the results folder: a row that was stopped goes on where it was.
"""

import json
import os
import shutil
from pathlib import Path

from paired import against
from registry import ENGINE, ROOT, PassedOver, code_hash, row

from ranvier.sim.experiment import read_toml
from ranvier.sim.seeds import train_seeds
from ranvier.train.network import Network

SEEDS = 5


def run_seeds(context, name, source, changes=None, count=SEEDS):
    """Train ``source``, a TOML file, with ``count`` seeds; returns its accuracies in percent.

    ``changes`` : dict of table to dict of key to value, put over the file's own. The first seed
    is 0 whatever the file says.
    """
    values = read_toml(source)
    path = values["data"].get("path")
    if path is not None:
        values["data"]["path"] = str((source.parent / path).resolve())
    for table, keys in (changes or {}).items():
        values[table] = values.get(table, {}) | keys
    for table in ("train", "finetune"):
        if context.quick and table in values:
            values[table] |= {"epochs": 1}
    folder = seeds_folder(context, name)
    folder.mkdir(parents=True, exist_ok=True)
    experiment = folder / "experiment.toml"
    experiment.write_text(as_toml(values), encoding="utf-8")
    found = train_seeds(experiment, folder, count=1 if context.quick else count, first=0)
    return {
        kind: {key: round(100 * value, 2) for key, value in found[kind].items()}
        for kind in ("float", "fixed")
    } | {
        name: [round(100 * seed[kind], 2) for seed in found["seeds"]]
        for name, kind in (("seeds", "float"), ("fixed by seed", "fixed"))
    }


def trained(context, name):
    """Return the networks that `run_seeds` left under ``name``, in the order of their seeds."""
    files = sorted(seeds_folder(context, name).glob("seed-*/network.safetensors"))
    return [Network.load(file) for file in files]


def start_from(context, name, other):
    """Let `run_seeds` under the name ``other`` begin with the seeds that it left under ``name``."""
    for seed in seeds_folder(context, name).glob("seed-*"):
        if not (seeds_folder(context, other) / seed.name).exists():
            shutil.copytree(seed, seeds_folder(context, other) / seed.name)


def seeds_folder(context, name):
    """Return where `run_seeds` keeps them: another engine must train its own."""
    return context.results / code_hash(ENGINE) / name


def as_toml(values):
    """Return an experiment's plain values as TOML: JSON's literals are TOML's as well."""
    lines = [f"{key} = {json.dumps(v)}" for key, v in values.items() if not isinstance(v, dict)]
    for name, table in values.items():
        if isinstance(table, dict):
            lines += [f"[{name}]", *(f"{key} = {json.dumps(v)}" for key, v in table.items())]
    return "\n".join(lines) + "\n"


def example(name):
    """Return the path of an example."""
    path = ROOT / "examples" / f"{name}.toml"
    if not path.is_file():
        raise PassedOver(f"examples/{name}.toml must be there, and isn't yet")
    return path


def user_file(*parts):
    """Return the path of a file of the user's own data."""
    folder = os.environ.get("RANVIER_DATA")
    if folder is None:
        raise PassedOver("RANVIER_DATA must name the folder of your own data files")
    path = Path(folder).joinpath(*parts).resolve()
    if not path.is_file():
        raise PassedOver(f"RANVIER_DATA must hold {'/'.join(parts)}, and doesn't")
    return path


def _sources(name):
    return (*ENGINE, f"examples/{name}.toml")


@row("yinyang30", "Yin-Yang 5-30-3, 5 seeds, mean test accuracy", "%", _sources("yinyang"))
def yinyang30(context):
    """Delays and thresholds trained."""
    found = run_seeds(context, "yinyang30", example("yinyang"))
    return found["float"]["mean"], found


@row("yinyang5", "Yin-Yang 5-5-3, 5 seeds, best / mean", "%", _sources("yinyang5"))
def yinyang5(context):
    """Five hidden neurons."""
    found = run_seeds(context, "yinyang5", example("yinyang5"))
    return [found["float"]["largest"], found["float"]["mean"]], found


@row("yinyang200", "Yin-Yang 5-200-3, 5 seeds, mean test accuracy", "%", _sources("yinyang200"))
def yinyang200(context):
    """As many neurons as EventProp's."""
    found = run_seeds(context, "yinyang200", example("yinyang200"))
    return found["float"]["mean"], found


@row("digits", "Spoken digits, 300 test words, 5 seeds, mean", "%", _sources("spoken_digits"))
def digits(context):
    """26 channels."""
    found = run_seeds(context, "digits", example("spoken_digits"))
    return found["float"]["mean"], found


def _cochlea(id_, channels, examples):
    @row(
        id_, f"Spoken digits through a cochlea, {channels} channels, official split / unseen "
        "speakers, the integer model at the tick of training, 5 seeds, mean", "%",
        (*ENGINE, *(f"examples/{name}.toml" for name in examples)),
    )  # fmt: skip
    def cochlea(context):
        """The user's own files, one for each split: docs/tasks.md says how they're made."""
        found = {}
        for name, file in examples.items():
            data = {"data": {"path": str(user_file("cochlea_digits", file))}}
            found[name] = run_seeds(context, name, example(name), data)
        return [part["fixed"]["mean"] for part in found.values()], found

    return cochlea


_cochlea("cochlea", 700, {"cochlea": "fsdd700.npz", "cochlea_speakers": "fsdd700_speakers.npz"})
_cochlea("cochlea70", 70, {"cochlea70": "fsdd70.npz", "cochlea70_speakers": "fsdd70_speakers.npz"})


@row(
    "braille", "Braille letters, 5 seeds, mean: all / without delays / without adaptation", "%",
    _sources("braille"),
)  # fmt: skip
def braille(context):
    """The user's own file; what delays and adaptation add."""
    data = {"path": str(user_file("braille", "braille_events.npz"))}
    source = example("braille")
    found = {}
    for name, changes in (("all", {}), ("no delays", NO_DELAYS), ("no adaptation", NO_ADAPTATION)):
        changes = {**changes, "data": data}
        found[name] = run_seeds(context, f"braille/{name.replace(' ', '-')}", source, changes)
    means = [part["float"]["mean"] for part in found.values()]
    return means, found | {"differences": against(found, "all")}


# ----------------------------------------------------------------------------- ablations

NO_DELAYS = {"train": {"delay_rate": 0.0, "hidden_delay": 0.0, "output_delay": 0.0}}
NO_ADAPTATION = {
    "train": {"theta_rate": 0.0, "beta_rate": 0.0, "beta": 0.0}, "network": {"adaptive": False},
}  # fmt: skip
VARIANTS = ("weights", "weights, delays", "weights, thresholds", "all")


def variant_changes(variant):
    """Return what one of the `VARIANTS` changes in an experiment, as `run_seeds` takes it."""
    changes = {"train": {}, "network": {}}
    for part, word in ((NO_DELAYS, "delays"), (NO_ADAPTATION, "thresholds")):
        if variant != "all" and word not in variant:
            for table, keys in part.items():
                changes[table] = changes[table] | keys
    return changes


def trained_parameters(inputs, hidden, outputs, variant, leaky):
    """Return how many parameters a variant of a feedforward network trains."""
    synapses = inputs * hidden + hidden * outputs
    count = synapses * (2 if variant in ("weights, delays", "all") else 1)
    if variant in ("weights, thresholds", "all"):
        count += 2 * (hidden + (0 if leaky else outputs))
    return count


def same_parameters(inputs, hidden, outputs, variant, leaky):
    """Return the hidden neurons with which a variant has as many parameters as "all" has."""
    aim = trained_parameters(inputs, hidden, outputs, "all", leaky)

    def gap(size):
        return abs(trained_parameters(inputs, size, outputs, variant, leaky) - aim)

    return min(range(1, 4 * hidden + 1), key=gap)


def ablation(context, name, source, inputs, outputs):
    """Train each variant at equal neurons and at equal parameters; returns their accuracies."""
    network = read_toml(source)["network"]
    (hidden,), leaky = network["hidden"], network.get("readout", "leaky") == "leaky"
    found = {}
    for variant in VARIANTS:
        changes = variant_changes(variant)
        larger = same_parameters(inputs, hidden, outputs, variant, leaky)
        for how, size in (("equal neurons", hidden), ("equal parameters", larger)):
            folder = f"ablation/{name}/{variant.replace(', ', '-')}-{size}"
            sized = changes | {"network": changes["network"] | {"hidden": [size]}}
            accuracy = run_seeds(context, folder, source, sized)
            found.setdefault(how, {})[variant] = accuracy | {
                "hidden": size,
                "parameters": trained_parameters(inputs, size, outputs, variant, leaky),
            }
    means = [found["equal neurons"][variant]["float"]["mean"] for variant in VARIANTS]
    return means, found | {"differences": {how: against(found[how], "all") for how in found}}


TITLE = "ablation at equal neurons: weights / + delays / + thresholds / all, 5 seeds, mean"


@row("ablation-yinyang", f"Yin-Yang 5-30-3, {TITLE}", "%", _sources("yinyang"))
def ablation_yinyang(context):
    """At equal neurons; equal parameters in the detail."""
    return ablation(context, "yinyang", example("yinyang"), 5, 3)


@row("ablation-digits", f"Spoken digits, {TITLE}", "%", _sources("spoken_digits"))
def ablation_digits(context):
    """At equal neurons; equal parameters in the detail."""
    return ablation(context, "digits", example("spoken_digits"), 26, 10)
