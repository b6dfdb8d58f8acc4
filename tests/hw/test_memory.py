# amaranth: UnusedElaboratable=no
"""The memories that the model predicts are those of the Verilog."""
import numpy as np
import pytest

from ranvier.hw.core import NeuronCore
from ranvier.hw.verilog import describe, verilog_source
from ranvier.model.config import READOUTS
from ranvier.model.memory import block_rams, core_memories

from ..designs import random_config

CURSORS, BOTH = {"buffer": "cursor", "cursors": 2}, {"delays": "axonal+dendritic"}
STORAGES = [{}, CURSORS, {"rows": "dense"},
            {"delays": "axonal", "segments": 2}, {"rows": "dense", "delays": "axonal"},
            CURSORS | {"delays": "axonal", "segments": 4}, BOTH | {"segments": 2, "dendrites": 4},
            CURSORS | {"delays": "axonal", "rows": "dense"}, BOTH | {"rows": "dense"},
            CURSORS | BOTH | {"dendrites": 1}, CURSORS | BOTH | {"rows": "dense", "segments": 16},
            {"streaming": True}, CURSORS | {"streaming": True},
            {"protection": "parity"}, CURSORS | {"protection": "secded"},
            BOTH | {"rows": "dense", "protection": "secded"}]


@pytest.mark.parametrize("seed", range(32))
def test_every_memory_is_predicted_to_the_bit(seed):
    rng = np.random.default_rng(seed)
    fixed = STORAGES[seed % len(STORAGES)] | {"readout": READOUTS[seed % 3]}
    if "cursors" in fixed:
        fixed["cursors"] = 1 << int(rng.integers(1, 12))
    config = random_config(
        rng, neurons=int(rng.choice([1, 3, 13, 100])), synapses=int(rng.integers(1, 2000)),
        delay_max=int(rng.choice([1, 7, 64, 5000 if "cursors" in fixed else 200])), **fixed)
    core = NeuronCore(config)
    there = {".".join(memory["path"]): (memory["width"], memory["words"])
             for memory in describe(core, verilog_source(core))["memories"]}
    assert core_memories(config) == there


@pytest.mark.parametrize(("shape", "family", "count"), [
    ((8, 2048), "ecp5", 1), ((18, 1024), "ecp5", 1), ((19, 1024), "ecp5", 2),
    ((36, 512), "gowin", 1), ((16, 256), "ice40", 1), ((17, 256), "ice40", 2),
    ((1, 2), "ice40", 1), ((8, 8192), "ice40", 16)])
def test_block_rams_have_the_shape_that_takes_fewest(shape, family, count):
    assert block_rams({"one": shape, "other": shape}, family) == 2 * count
