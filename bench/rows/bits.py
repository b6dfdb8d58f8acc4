"""Rows on few bits: what rounding a trained network costs."""

import numpy as np
from registry import ENGINE, row

from ranvier.model.emulator import Emulator
from ranvier.model.events import encode
from ranvier.train.quantise import DesignConfig, quantise
from ranvier.train.yinyang import yinyang

from .accuracy import example, run_seeds, trained

WEIGHT_BITS = (8, 6, 5, 4, 3, 2)


def fixed_accuracy(network, design, data):
    """Return the accuracy, in percent, of a network rounded to a design."""
    parameters, _ = quantise(network, design)
    ends = zip(data.offsets[:-1], data.offsets[1:], strict=True)
    samples = [encode(data.times[a:b], data.channels[a:b], parameters.config) for a, b in ends]
    decisions = Emulator(parameters).run_batch(samples, threads=1).decisions
    return 100 * float((decisions == data.labels).mean())


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
            fixed_accuracy(network, DesignConfig(tick=0.1, weight_bits=width), data)
            for network in trained(context, "yinyang30")
        ]
        for width in WEIGHT_BITS
    }
    return [float(np.mean(found[width])) for width in WEIGHT_BITS], {"by bits and seed": found}
