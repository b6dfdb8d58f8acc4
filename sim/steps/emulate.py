"""The step ``emulate``: the test set through the integer model."""

import io
from dataclasses import asdict

import numpy as np

from ...model.counters import INPUT_EVENTS, LOOKS, SATURATIONS, SPIKES, SYNAPTIC_EVENTS, TOUCHES
from ...model.cycles import predicted_cycles, traffic
from ...model.emulator import Emulator
from ...model.files import write_atomically
from ...model.parameters import Parameters
from ...train.quantise import encode_dataset
from .train import accuracy

__all__ = ["emulate", "save_npz"]

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


def emulate(run):
    """Run every test sample in integers.

    Writes ``emulate.npz`` (decisions, scores and counters of each sample) and ``emulate.json``.
    """
    parameters = Parameters.load(run.need("design.safetensors"))
    config, test = parameters.config, run.data["test"]
    events = encode_dataset(test, config)
    result = Emulator(parameters).run_batch(events)
    cycles = predicted_cycles(config, result.counters)
    classes = np.zeros((config.outputs, config.outputs), np.int64)
    np.add.at(classes, (test.labels, result.decisions), 1)
    words = [asdict(traffic(counters)) for counters in result.counters]
    save_npz(
        run.path / "emulate.npz",
        decisions=result.decisions,
        labels=test.labels,
        scores=result.scores,
        counters=result.counters,
        cycles=cycles,
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
        "cycles": {"mean": float(cycles.mean()), "largest": float(cycles.max())},
        "traffic": {name: float(np.mean([word[name] for word in words])) for name in words[0]},
        "design": parameters.hash,
    }
    run.write_json("emulate.json", values)
    return ["emulate.npz", "emulate.json"]
