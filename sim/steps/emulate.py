"""The step ``emulate``: the test set through the integer model."""

import io

import numpy as np

from ...model.counters import INPUT_EVENTS, LOOKS, SATURATIONS, SPIKES, SYNAPTIC_EVENTS, TOUCHES
from ...model.cycles import CycleModel
from ...model.emulator import Emulator
from ...model.energy import SOURCE, energy, traffic
from ...model.files import write_atomically
from ...model.parameters import Parameters
from ...train.quantise import encode_dataset
from .train import accuracy

__all__ = ["emulate", "save_npz"]

PREDICTED = 300  # test samples whose cycles are predicted: it takes longer than the rest

COUNTERS = {
    "touches": TOUCHES,
    "spikes": SPIKES,
    "looks": LOOKS,
    "input_events": INPUT_EVENTS,
    "synaptic_events": SYNAPTIC_EVENTS,
    "saturations": SATURATIONS,
}


def save_npz(path, **arrays):
    """Write arrays to a compressed ``.npz`` file, atomically."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_atomically(path, buffer.getvalue())


def predict(parameters, events):
    """Return what samples cost on the core: arrays of each sample, and means for ``emulate.json``.
    """
    config = parameters.config
    cost = CycleModel(parameters).run(events)
    each = {"cycles": cost.cycles, "latency": cost.latency}
    estimate = energy(config, cost.counts)
    return each, {
        "predicted": len(events),
        **{name: {"mean": float(column.mean()), "largest": int(column.max())}
           for name, column in each.items()},
        "traffic": {
            name: {"reads": float(use.reads.mean()), "writes": float(use.writes.mean())}
            for name, use in traffic(config, cost.counts).items()
        },
        "energy_estimate": {
            "memories_pj": float(estimate.memories.mean()),
            "arithmetic_pj": float(estimate.arithmetic.mean()),
            "table": SOURCE,
        },
    }


def emulate(run):
    """Run every test sample in integers, and predict what the first ones cost on the core.

    Writes ``emulate.npz`` (decisions, scores and counters of each sample, cycles and latency of
    those `PREDICTED`) and ``emulate.json``.
    """
    parameters = Parameters.load(run.need("design.safetensors"))
    config, test = parameters.config, run.data["test"]
    events = encode_dataset(test, config)
    result = Emulator(parameters).run_batch(events)
    each, costs = predict(parameters, events[:PREDICTED])
    classes = np.zeros((config.outputs, config.outputs), np.int64)
    np.add.at(classes, (test.labels, result.decisions), 1)
    save_npz(
        run.path / "emulate.npz",
        decisions=result.decisions,
        labels=test.labels,
        scores=result.scores,
        counters=result.counters,
        **each,
    )
    values = {
        "samples": len(test),
        "accuracy": accuracy(result.decisions, test.labels),
        "confusion": classes,
        "events": {
            "merged": sum(sample.merged for sample in events),
            "late": sum(sample.late for sample in events),
        },
        "counters": {
            name: float(result.counters[:, column].mean()) for name, column in COUNTERS.items()
        },
        "saturations": int(result.counters[:, SATURATIONS].sum()),
        **costs,
        "design": parameters.hash,
    }
    run.write_json("emulate.json", values)
    return ["emulate.npz", "emulate.json"]
