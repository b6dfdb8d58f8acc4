"""The step ``quantise``: a float network to the integers of a design, and what rounding cost."""

import json

from ...train.network import Network
from ...train.quantise import accuracy_against_tick, accuracy_steps
from ...train.quantise import quantise as quantise_network

__all__ = ["quantise"]


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
