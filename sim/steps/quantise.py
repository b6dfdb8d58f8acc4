"""The step ``quantise``: a float network to the integers of a design, and what rounding cost."""

import json

from ...train.network import Network
from ...train.quantise import accuracy_against_tick, accuracy_steps
from ...train.quantise import quantise as quantise_network

__all__ = ["quantise"]


def quantise(run):
    """Round the network, and measure the accuracy after each rounding and at other ticks.

    Writes ``design.safetensors`` and ``quantise.json``.
    """
    network = Network.load(run.need("network.safetensors"))
    design, test = run.experiment.design, run.data["test"]
    parameters, report = quantise_network(network, design)
    stamp = run.stamp() | {"versions": json.dumps(run.stamp()["versions"])}
    values = {
        "report": report,
        "accuracy": accuracy_steps(network, design, test),
        "against_tick": accuracy_against_tick(network, design, test, run.experiment.study.ticks),
        "samples": len(test),
        "tick": design.tick,
        "design": parameters.hash,
    }
    parameters.save(run.path / "design.safetensors", **stamp)
    run.write_json("quantise.json", values)
    return ["design.safetensors", "quantise.json"]
