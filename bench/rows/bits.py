"""Rows on few bits: what rounding a trained network costs, and what fine-tuning wins back."""

from dataclasses import replace

from paired import interval
from registry import ENGINE, row

from ranvier.sim.bits import run_bits
from ranvier.sim.experiment import load_experiment, read_toml
from ranvier.sim.settings import BitsConfig
from ranvier.train.datasets import load_dataset

from .accuracy import example, run_seeds, seeds_folder, start_from, trained

WIDTHS = BitsConfig(weights=(8, 6, 5, 4, 3, 2), delays=(4, 3, 2))
EPOCHS = 5
"""Of fine-tuning, for each point of the row `bits`: `lowbit` takes more."""


@row(
    "bits", f"Yin-Yang 5-30-3 at {', '.join(map(str, WIDTHS.weights))} bits of weight, 0.1 ms, "
    f"5 seeds, mean: {len(WIDTHS.weights)} only rounded, then the same after {EPOCHS} epochs of "
    "fine-tuning", "%",
    (*ENGINE, "bench/rows/bits.py", "sim/bits.py", "examples/yinyang.toml",
     "examples/yinyang_4bit.toml"),
)  # fmt: skip
def bits(context):
    """The networks are those of `yinyang30`; bits of delays are in the detail."""
    exact = run_seeds(context, "yinyang30", example("yinyang"))["float"]["mean"]
    experiment = load_experiment(example("yinyang_4bit"))
    sizes = {"train_size": 200, "validation_size": 100, "test_size": 100} if context.quick else {}
    data = load_dataset(replace(experiment.data, **sizes))
    epochs = 1 if context.quick else EPOCHS
    settings = replace(
        experiment.finetune_settings(validated=True), epochs=epochs, patience=epochs
    )
    found = [
        run_bits(
            network, replace(experiment.design, weight_bits=8), data, WIDTHS, settings, seed,
            seeds_folder(context, "bits") / f"seed-{seed}",
        )
        for seed, network in enumerate(trained(context, "yinyang30"))
    ]  # fmt: skip
    rows = [pooled(point) for point in zip(*found, strict=True)]
    weights = [point for point in rows if point["kind"] == "weights"]
    return [100 * point[when] for when in ("before", "after") for point in weights], {
        "float": exact, "epochs": epochs, "rows": rows,
    }  # fmt: skip


def pooled(points):
    """Return one row, as of `run_bits`, of the rows of all seeds.

    Accuracies are means, with the 95 % interval of Student's t between the seeds; those of each
    seed are beside them.
    """
    row = {name: points[0][name] for name in ("kind", "bits")}
    for when in ("before", "after"):
        values = [point[when] for point in points]
        found = interval(values)
        row |= {when: found["mean"], f"{when}_low": found["low"], f"{when}_high": found["high"]}
        row[f"{when} by seed"] = values
    return row


@row(
    "lowbit", "Yin-Yang 5-30-3 at 4-bit weights, 0.1 ms, after fine-tuning, 5 seeds, mean", "%",
    (*ENGINE, "bench/rows/bits.py", "examples/yinyang.toml", "examples/yinyang_4bit.toml"),
)  # fmt: skip
def lowbit(context):
    """The networks are those of `yinyang30`; the best epoch is that of the validation set."""
    source, tables = example("yinyang"), read_toml(example("yinyang_4bit"))
    run_seeds(context, "yinyang30", source)
    start_from(context, "yinyang30", "lowbit")
    changes = {table: tables[table] for table in ("design", "finetune")}
    found = run_seeds(context, "lowbit", source, changes)
    return found["fixed"]["mean"], found
