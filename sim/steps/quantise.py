"""The step ``quantise``: a float network to the integers of a design, and what rounding cost."""

import json
import logging

from ...train.accuracy import accuracy_against_tick, accuracy_steps
from ...train.buffer import memory_lines
from ...train.network import Network
from ...train.quantise import quantise as quantise_network
from ..designs import trained_network, with_buffer
from ..missed import spikes_against_tick

__all__ = ["quantise"]

logger = logging.getLogger(__name__)


def quantise(run):
    """Round the network, and measure accuracy after each rounding, and what other ticks cost.

    With a table ``[finetune]`` it's the fine-tuned network, with the scales that its tuning kept.
    Writes ``design.safetensors`` and ``quantise.json``.
    """
    design, test, ticks = run.experiment.design, run.data["test"], run.experiment.study.ticks
    network, scales = trained_network(run)
    parameters, report = quantise_network(network, design, scales)
    parameters, report["buffer"] = with_buffer(parameters, design, run.data["train"])
    for line in memory_lines(report["buffer"]):
        logger.info("quantise: %s", line)
    stamp = run.stamp() | {"versions": json.dumps(run.stamp()["versions"])}
    values = {
        "report": report,
        "accuracy": accuracy_steps(network, design, test, scales),
        "against_tick": [row | {"spikes": spikes} for row, spikes in zip(
            accuracy_against_tick(network, design, test, ticks, scales),
            spikes_against_tick(network, design, test, ticks, scales), strict=True)],
        "samples": len(test),
        "tick": design.tick,
        "design": parameters.hash,
    }
    if run.experiment.finetune is not None:
        trained = Network.load(run.need("network.safetensors"))
        values["trained"] = accuracy_steps(trained, design, test)
    parameters.save(run.path / "design.safetensors", **stamp)
    run.write_json("quantise.json", values)
    return ["design.safetensors", "quantise.json"]
