"""Rows on devices: cells, clock and memory of cores after synthesis, place and route."""

import dataclasses
import json

from registry import ENGINE, PassedOver, code_hash, row

from ranvier.hw.core import NeuronCore
from ranvier.hw.synthesis.flow import synthesise
from ranvier.hw.synthesis.tools import ToolError
from ranvier.hw.verilog import describe, verilog_source
from ranvier.model.config import CoreConfig
from ranvier.model.memory import bits, block_rams, core_memories

from .networks import design

CORE = ("hw/*.py", "hw/synthesis/*.py", "model/config.py", "model/sizes.py", "model/tables.py")
SEEDS = 3

# The shape that others are compared in: 256 neurons, 64k synapses of 8 bits with 6-bit delays.
SHAPE = CoreConfig(
    inputs=256, neurons=256, outputs=10, readout="spike-count", tick=1.0, ticks=1000, tau_m=20.0,
    tau_s=5.0, tau_a=100.0, delay_max=63, fan_in=256, synapses=1 << 16, weight_bits=8,
    trace_bits=18, guard_bits=6, rows="dense",
)  # fmt: skip
SMALL = dataclasses.replace(SHAPE, inputs=8, neurons=8, outputs=2, synapses=64, fan_in=8)


def synthesised(context, name, config, device, *, parameters=None, seeds=SEEDS):
    """Return the report of a core on a device; one that was stopped begins anew.

    Raises
    ------
    PassedOver
        If the tools aren't installed.
    """
    folder = context.results / "synthesis" / name / device
    folder.mkdir(parents=True, exist_ok=True)
    found, wanted = folder / "synthesis.json", folder / "wanted.json"
    key = {"config": config.to_json(), "code": code_hash(CORE), "seeds": seeds,
           "parameters": parameters.hash if parameters else None}
    if found.exists() and wanted.exists() and json.loads(wanted.read_text()) == key:
        return json.loads(found.read_text())
    try:
        report = synthesise(NeuronCore(config, parameters), device, folder, seeds=seeds)
    except ToolError as reason:
        raise PassedOver(str(reason)) from None
    wanted.write_text(json.dumps(key), encoding="utf-8")
    return report


def shape_report(context):
    """Return the shape's config and its report, on the smallest ECP5 that has the memory."""
    if context.quick:
        return SMALL, synthesised(context, "small", SMALL, "ecp5-25k", seeds=1)
    return SHAPE, synthesised(context, "shape", SHAPE, "ecp5-45k")


def detail(report):
    """Return what a row says beside its value."""
    return {name: report[name] for name in ("part", "cells", "lacking", "fmax_mhz", "versions")} | {
        "seeds": [one["fmax_mhz"] for one in report["placed"]],
        "slowest": [one["slowest"] for one in report["placed"]],
    }


@row("lut", "256 neurons, 64k synapses with delays, one bank: LUT4", "LUT4", CORE)
def lut(context):
    _, report = shape_report(context)
    return report["cells"]["LUT4"], detail(report)


@row("fmax", "its clock, median of three places", "MHz", CORE)
def fmax(context):
    _, report = shape_report(context)
    return report["fmax_mhz"], detail(report)


@row("up5k", "Yin-Yang on iCE40UP5K: clock, median of three places", "MHz",
     (*CORE, *ENGINE, "bench/rows/networks.py"))
def up5k(context):
    # The ring of 128 slots would take more block RAMs than there are, and traces of 24 bits more
    # logic; with 18 the design is as accurate.
    parameters, _ = design(context, "yinyang", buffer="cursor", trace_bits=18)
    report = synthesised(context, "yinyang", parameters.config, "up5k", parameters=parameters,
                         seeds=1 if context.quick else SEEDS)
    return report["fmax_mhz"] or 0.0, detail(report)


@row("memory-bits", "bits of memory predicted from the config, over those of the core", "",
     (*CORE, "model/memory.py"))
def memory_bits(context):
    config, report = shape_report(context)
    predicted = core_memories(config)
    core = NeuronCore(config)
    found = describe(core, verilog_source(core))["memories"]
    real = sum(memory["width"] * memory["words"] for memory in found)
    return bits(predicted) / real, {
        "predicted": bits(predicted), "core": real,
        "block RAMs, if all lie in some": block_rams(predicted, "ecp5"),
        "block RAMs": report["cells"]["block RAM"],
    }
