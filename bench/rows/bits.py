"""Rows on few bits: what rounding a trained network costs, and what fine-tuning wins back."""

import numpy as np
from registry import ENGINE, row

from ranvier.sim.experiment import read_toml
from ranvier.train.quantise import DesignConfig, fixed_accuracy
from ranvier.train.yinyang import yinyang

from .accuracy import example, run_seeds, start_from, trained

WEIGHT_BITS = (8, 6, 5, 4, 3, 2)


@row(
    "bits", f"Yin-Yang 5-30-3 at {', '.join(map(str, WEIGHT_BITS))} bits of weight, 0.1 ms, only "
    "rounded, 5 seeds, mean", "%", (*ENGINE, "bench/rows/bits.py", "examples/yinyang.toml"),
)  # fmt: skip
def bits(context):
    """The networks are those of `yinyang30`."""
    run_seeds(context, "yinyang30", example("yinyang"))
    data = yinyang({"test": 100 if context.quick else 1000}, 0.0, 30.0)["test"]
    found = {
        width: [
            100 * fixed_accuracy(network, DesignConfig(tick=0.1, weight_bits=width), data)
            for network in trained(context, "yinyang30")
        ]
        for width in WEIGHT_BITS
    }
    return [float(np.mean(found[width])) for width in WEIGHT_BITS], {"by bits and seed": found}


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
