"""The memory bits of a core, as its Verilog declares them."""

import re

__all__ = ["memory_bits"]

# Names of memories for people, by their paths in the core.
KINDS = {
    r"bank_\d+\.fetch\.rows": "row bounds",
    r"bank_\d+\.fetch\.(walk\.)?weights(\.tile_\d+)?": "weights",
    r"bank_\d+\.fetch\.(walk\.)?links(\.tile_\d+)?": "targets and delays",
    r"bank_\d+\.fetch\.wheel\..*": "spikes in flight",
    r"bank_\d+\.delays\.dendrites": "dendritic delays",
    r"bank_\d+\.ring\.sums\..*": "delayed sums",
    r"bank_\d+\.ring\.marks\..*": "marks of due neurons",
    r"bank_\d+\.neurons\.memory\.states\..*": "neuron states",
    r"bank_\d+\.neurons\.memory\..*": "thresholds",
    r"bank_\d+\.neurons\.scale\.tables": "decay and sleep tables",
    r"bank_\d+\.outputs\.readout": "readout table",
    r"bank_\d+\.outputs\..*|readout\..*": "scores of the outputs",
    r"registers\.counters\.totals": "counters",
}


def _kind(path):
    name = ".".join(path)
    for pattern, kind in KINDS.items():
        if re.fullmatch(pattern, name):
            return kind
    return name


def memory_bits(description):
    """Return the bits of each kind of memory, all banks together.

    Parameters
    ----------
    description : dict
        Content of ``ports.json``.
    """
    bits = {}
    for memory in description["memories"]:
        kind = _kind(memory["path"])
        bits[kind] = bits.get(kind, 0) + memory["width"] * memory["words"]
    return bits
