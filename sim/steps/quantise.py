"""The step ``quantise``: a float network to the integers of a design, and what rounding cost."""

import json
import logging

from ...train.buffer import choose_buffer, memory_lines
from ...train.network import Network
from ...train.quantise import accuracy_against_tick, accuracy_steps, encode_dataset
from ...train.quantise import quantise as quantise_network

__all__ = ["quantise"]

CURSOR_SAMPLES = 200  # training samples by which cursors are counted, from the first on

logger = logging.getLogger(__name__)


def _with_buffer(run, parameters, design):
    """Return the parameters with the delay buffer of the experiment, and a report on it."""
    train = run.data["train"]
    samples = encode_dataset(train.subset(range(min(CURSOR_SAMPLES, len(train)))),
                             parameters.config)
    parameters, report = choose_buffer(parameters, design, samples)
    for line in memory_lines(report):
        logger.info("quantise: %s", line)
    return parameters, report


def quantise(run):
    """Round the network, and measure the accuracy after each rounding and at other ticks.

    With a table ``[finetune]`` it's the fine-tuned network, with the scales that its tuning kept.
    Writes ``design.safetensors`` and ``quantise.json``.
    """
    trained = network = Network.load(run.need("network.safetensors"))
    design, test, scales = run.experiment.design, run.data["test"], None
    if run.experiment.finetune is not None:
        network = Network.load(run.need("finetune/network.safetensors"))
        scales = run.read_json("finetune/scales.json")["scales"]
    parameters, report = quantise_network(network, design, scales)
    parameters, report["buffer"] = _with_buffer(run, parameters, design)
    stamp = run.stamp() | {"versions": json.dumps(run.stamp()["versions"])}
    values = {
        "report": report,
        "accuracy": accuracy_steps(network, design, test, scales),
        "against_tick": accuracy_against_tick(
            network, design, test, run.experiment.study.ticks, scales),
        "samples": len(test),
        "tick": design.tick,
        "design": parameters.hash,
    }
    if network is not trained:
        values["trained"] = accuracy_steps(trained, design, test)
    parameters.save(run.path / "design.safetensors", **stamp)
    run.write_json("quantise.json", values)
    return ["design.safetensors", "quantise.json"]
