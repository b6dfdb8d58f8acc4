"""What a core takes of a device, told from its config in milliseconds, before there is any RTL.

Block RAMs, LUT RAM and multipliers follow rules of Yosys. LUTs, flip-flops and carries of a unit
are a sum over a few of its widths, times coefficients that were fitted to synthesised cores:
``bench/luts.py`` does that, and writes ``coefficients.json``.
"""

import json
from functools import cache
from importlib.resources import files

from ...model.memory import TABLE_BITS, core_memories
from ...model.sizes import chunk_bits
from .devices import DEVICES, FAMILIES, find_device
from .memories import memory_cells, place_memory

__all__ = ["FITTED", "FITTED_ON", "LOGIC", "error_of", "features", "fitted_device", "multipliers",
           "predict", "product_bits", "unit_of"]

FITTED = ("LUT4", "carry", "flip-flop")
"""Kinds of cells that are fitted."""
LOGIC = "logic cell"
"""Kind of what the device itself counts after packing: places of a LUT, the harness's too."""
FITTED_ON = ("ecp5-25k", "up5k", "hx8k", "gw1nr-9")
"""Devices that cores were synthesised for. Others of a family are like the one with, or without,
multipliers in use."""

LIKE = {"hx8k": "up5k", "gw1nr-9": "ecp5-25k"}
"""Those of `FITTED_ON` that are like others, times a factor, and whose products are logic."""

PRODUCTS = {"ecp5": (0, 19), "ice40": (0, 8, 17, 24)}
"""Widths beyond which a product with a table word takes one multiplier more, by family."""

SHARED = {"registers": "registers", "scheduler": "scheduler", "readout": "readout"}
INSIDE = {"fetch": "fetch", "ring": "ring", "neurons": "neurons", "outputs": "outputs"}


def predict(config, name):
    """Return the cells that a core takes on a device.

    Parameters
    ----------
    config : CoreConfig
    name : str
        One of `DEVICES`.

    Returns
    -------
    dict of str to int
        By the kinds of the device's family, and `LOGIC`.

    Raises
    ------
    ValueError
        If there's no such device.
    """
    device = find_device(name)
    known = _coefficients()[fitted_device(name)]
    widths = features(config, device.family)
    found = dict.fromkeys(FAMILIES[device.family].cells, 0)
    for kind in FITTED:
        found[kind] = round(known["products"].get(kind, 0) * product_bits(config) + sum(
            value * known["units"][unit][feature][kind]
            for unit, part in widths.items() for feature, value in part.items()))
    memories = memory_cells(config, device.family)
    found |= {kind: memories[kind] for kind in ("block RAM", "LUT RAM") if kind in found}
    found["multiplier"] = multipliers(config, name)
    packed = sum(known["packed"].get(kind, 0) * count for kind, count in found.items())
    return found | {LOGIC: round(packed)}


def error_of(name):
    """Return the largest relative error of ``LUT4``, ``flip-flop`` and `LOGIC`, by kind.

    It's that of cores that were left out when the coefficients were fitted.
    """
    return _coefficients()[fitted_device(name)]["error"]


def fitted_device(name):
    """Return the one of `FITTED_ON` that a device is predicted as."""
    device = find_device(name)
    return next(other for other in FITTED_ON
                if DEVICES[other].family == device.family
                and bool(DEVICES[other].has["multiplier"]) == bool(device.has["multiplier"]))


@cache
def _coefficients():
    text = files(__package__).joinpath("coefficients.json").read_text(encoding="utf-8")
    return json.loads(text)["devices"]


def unit_of(path, config):
    """Return the unit of `features` that a module of a netlist belongs to, by its path."""
    parts = path.split(".")[1:]  # without the core's own name
    if not parts or not parts[0].startswith("bank_"):
        return SHARED.get(parts[0] if parts else "", "core")
    inside = INSIDE.get(parts[1] if len(parts) > 1 else "", "bank")
    if inside == "fetch":
        return f"fetch {config.buffer}"
    return "marks" if parts[1:3] == ["ring", "marks"] else inside


def features(config, family):
    """Return what the size of each unit goes by: numbers by name, by unit.

    Units of a bank count as often as there are banks.
    """
    exponential, leaky = config.synapse == "exponential", config.readout == "leaky"
    banks, spiking = config.banks, min(config.banks, config.spiking)
    p_bits = max(config.trace_bits, config.readout_bits) if leaky else config.trace_bits
    record = config.tick_bits + config.neuron_bits + p_bits + config.trace_bits * (
        exponential + config.adaptive)
    value = config.readout_bits if leaky else config.tick_bits
    chunk = min(1 << chunk_bits(config.bank_neurons), config.bank_neurons)
    chunks = -(-config.bank_neurons >> chunk_bits(config.bank_neurons))
    place_bits = (sum(config.wheel_sizes) - 1).bit_length()
    traces = config.trace_bits * (1 + exponential + config.adaptive)
    found = {
        "core": {"one": 1, "banks": banks, "record": record * banks,
                 "source": config.source_bits * banks},
        "registers": {"one": 1, "banks": banks, "value": value, "input": config.tick_bits},
        "scheduler": {"one": 1, "tick": config.tick_bits, "channel": config.channel_bits,
                      "slots": place_bits},
        "readout": {"one": 1, "value": value, "class": (config.outputs - 1).bit_length()},
        "bank": {"banks": banks, "record": record * banks},
        f"fetch {config.buffer}": _fetch(config),
        "ring": {"banks": banks, "sum": config.sum_bits * banks,
                 "place": (config.local_bits + config.slots.bit_length()) * banks},
        "marks": {"banks": banks, "chunk": chunk * banks, "chunks": chunks * banks,
                  "place": place_bits * banks, "looks": exponential * banks},
        "neurons": {"banks": spiking, "traces": traces * spiking, "tick": config.tick_bits
                    * spiking, "trace": config.trace_bits * spiking,
                    "looks": exponential * spiking, "rise": config.adaptive * spiking},
        "outputs": {"banks": leaky * banks, "value": leaky * value * banks,
                    "product": leaky * config.sum_bits * banks},
    }
    return _with_memories(found, config, family)


def _fetch(config):
    banks = config.banks
    if config.buffer == "cursor":
        return {"banks": banks, "pointer": config.pointer_bits * banks,
                "cursor": config.cursor_bits * banks,
                "delay": (config.delay_bits + config.lap_bits) * banks,
                "weight": config.weight_bits * banks}
    return {"banks": banks, "pointer": config.pointer_bits * banks,
            "source": config.source_bits * banks,
            "dense": (config.rows == "dense") * config.local_bits * banks,
            "delay": config.delay_bits * banks, "weight": config.weight_bits * banks,
            "segments": config.segments.bit_length() * banks}


def _with_memories(found, config, family):
    """Add to the units what they need around their memories, and for those without a RAM."""
    for part in found.values():
        part |= {"multiplexed": 0, "LUT RAM": 0, "register": 0}
    for name, (width, words) in core_memories(config).items():
        placed = place_memory(name, width, words, family)
        part = found[unit_of(f"core.{name}", config)]
        if placed.kind != "register":
            part["multiplexed"] += placed.multiplexed
        if placed.kind != "block RAM":
            part[placed.kind] += placed.count
    return found


def multipliers(config, name):
    """Return the multipliers that a core takes on a device.

    A bank multiplies the two parts of a trace by words of its tables, and sums of leaky outputs
    by those of theirs. Where a number of banks isn't a power of two, numbers of neurons are
    products too.
    """
    device = find_device(name)
    if device.family == "gowin" or not device.has["multiplier"]:
        return 0
    banks, spiking = config.banks, min(config.banks, config.spiking)
    found = spiking * (1 + _product(device.family, config.trace_bits))  # the low part takes one
    if config.readout == "leaky":
        summing = sum(len(range(bank, config.spiking, banks)) < len(range(bank, config.neurons,
                      banks)) for bank in range(banks))
        found += summing * _product(device.family, config.sum_bits)
    return found + 2 * (banks.bit_count() > 1)


def product_bits(config):
    """Return the bits that are added up in the products of a core, where they are logic."""
    summing = config.sum_bits * config.banks * (config.readout == "leaky")
    return TABLE_BITS * (config.trace_bits * min(config.banks, config.spiking) + summing)


def _product(family, width):
    """Return the multipliers that a product of a signed number and a table word takes."""
    return sum(width > limit for limit in PRODUCTS[family])
