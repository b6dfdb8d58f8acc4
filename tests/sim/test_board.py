"""The command `ranvier board`, with the building played."""

from types import SimpleNamespace

import numpy as np
import pytest

from ranvier.sim import cli
from ranvier.sim.steps import board

from ..designs import random_config, random_parameters

REPORT = {
    "board": "icebreaker", "part": "a part", "clock_mhz": 12.0, "baud": 115_200,
    "cells": {"core": {"LUT4": 2500, "block RAM": 22}, "link": {"LUT4": 600, "block RAM": 2}},
    "has": {"LUT4": 5280, "block RAM": 30}, "lacking": {}, "met": True, "reason": "",
    "placed": {"seed": 1, "fmax_mhz": 20.87}, "bitstream": "top.bin",
}
NOT_MET = {"met": False, "bitstream": None, "placed": {"seed": 2, "fmax_mhz": 11.0}}


@pytest.mark.parametrize(("changes", "status", "said"), [
    ({}, 0, ["icebreaker (a part)\n", "2,500 of the core, 600 of the link: 3,100 of 5,280\n",
             "20.9 MHz, and the board's is 12 MHz", "115,200 baud", "icebreaker/top.bin"]),
    (NOT_MET, 1, ["(a part): the clock of 12 MHz isn't met", "11.0 MHz"]),
    ({**NOT_MET, "placed": None, "reason": "no way"}, 1,
     ["(a part): place and route failed", "no way"]),
    ({**NOT_MET, "placed": None, "lacking": {"LUT4": [6000, 5280]}}, 1,
     ["(a part): the core doesn't fit", "of 5,280, TOO MANY"]),
])
def test_board_prints_what_was_built(tmp_path, monkeypatch, capsys, changes, status, said):
    rng = np.random.default_rng(1)
    parameters = random_parameters(rng, random_config(rng))
    parameters.save(tmp_path / "design.safetensors")
    run = SimpleNamespace(path=tmp_path, need=lambda name: tmp_path / name)
    monkeypatch.setattr(cli.RunFolder, "open", lambda path: run)

    def build_board(name, given, folder, *, baud):
        assert (name, given.hash, baud) == ("icebreaker", parameters.hash, 115_200)
        assert folder.is_dir()
        return REPORT | changes

    monkeypatch.setattr(board, "build_board", build_board)
    command = ["board", str(tmp_path), "--board", "icebreaker", "--baud", "115200", "-q"]
    assert cli.main(command) == status
    printed = capsys.readouterr().out
    assert all(text in printed for text in said), printed
