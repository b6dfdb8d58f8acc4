"""Rows on protected cores: what check bits cost."""

import dataclasses

import numpy as np
from registry import PassedOver, row

from ranvier.hw.core import NeuronCore
from ranvier.hw.payloads import BANKED, memories, memory_depth
from ranvier.hw.synthesis.cells import count_cells
from ranvier.hw.synthesis.tools import ToolError
from ranvier.model.config import CoreConfig
from ranvier.model.memory import bits, block_rams, core_memories
from ranvier.model.protection import PROTECTIONS

from .synthesis import CORE, SMALL

# The shape of the core of examples/spoken_digits.toml.
DIGITS = CoreConfig(
    inputs=26, neurons=138, outputs=10, readout="leaky", tick=0.5, ticks=3001, tau_m=20.0,
    tau_s=5.0, tau_a=100.0, delay_max=800, fan_in=128, synapses=4574, weight_bits=8,
    trace_bits=20, guard_bits=7,
)  # fmt: skip
DEVICE = "ecp5-85k"


def _cells(context, config):
    """Return the cells of a core, counted in Yosys's netlist."""
    folder = context.results / "protection" / config.protection
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return count_cells(NeuronCore(config), DEVICE, folder)
    except ToolError as reason:
        raise PassedOver(str(reason)) from None


def _sums(config):
    """Return the bits and block RAMs that all memories would take if the ring's sums had a code."""
    found = core_memories(config)
    for name, (width, words) in found.items():
        if name.endswith("ring.sums.words"):
            found[name] = config.code(width).bits, words
    return {"bits": bits(found), "block RAMs": block_rams(found, "ecp5")}


@row("protection", "spoken digits: LUT4 without check bits / with parity / with SECDED", "LUT4",
     (*CORE, "model/memory.py", "model/protection.py"))
def protection(context):
    found = {}
    for name in PROTECTIONS:
        config = dataclasses.replace(SMALL if context.quick else DIGITS, protection=name)
        predicted = core_memories(config)
        found[name] = {
            **_cells(context, config), "memory bits": bits(predicted),
            "block RAMs, if all lie in some": block_rams(predicted, "ecp5"),
            "with the ring's sums, too": _sums(config),
            "bus writes of a reload": int(np.sum([memory_depth(config, memory)
                                                  for memory in memories(config)
                                                  if memory in BANKED])) * config.banks,
        }
    return [one["LUT4"] for one in found.values()], found | {"device": DEVICE}
