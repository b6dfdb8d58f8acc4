"""``ranvier prove``: its table, its file, and its refusals."""
import json

import pytest
from amaranth.asserts import AnySeq
from amaranth.hdl import Assert, Module

import ranvier.sim.prove as prove_module
from ranvier.hw.formal.proof import Proof
from ranvier.sim.cli import main


def even(*, bits):
    """A doubled number is even."""
    m = Module()
    m.d.comb += Assert(~(AnySeq(bits) << 1)[0])
    return m


def small(*, bits):
    """A number is small."""
    m = Module()
    m.d.comb += Assert(AnySeq(bits) < 3)
    return m


@pytest.fixture
def proofs(monkeypatch):
    found = [Proof("even", even, {"bits": 4}), Proof("small", small, {"bits": 4})]
    monkeypatch.setattr(prove_module, "catalogue", lambda: found)


@pytest.mark.usefixtures("proofs")
def test_proven_property_is_told(tmp_path, capsys):
    assert main(["prove", "even", "--out", str(tmp_path / "out")]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[1].split(maxsplit=6)[:5] == ["even", "bits", "4", "induction,", "1"]
    assert shown[1].endswith("A doubled number is even.")
    assert shown[2].startswith("1 properties: 1 by induction, 0 bounded, 0 failed; ")
    report = json.loads((tmp_path / "out" / "proofs.json").read_text())
    assert (report["properties"], report["induction"], report["failed"]) == (1, 1, 0)


@pytest.mark.usefixtures("proofs")
def test_failed_property_has_a_place_and_exit_status_1(tmp_path, capsys):
    assert main(["prove", "--out", str(tmp_path / "out")]) == 1
    shown = capsys.readouterr().out.splitlines()
    assert "FAILED" in shown[2]
    assert shown[4].startswith("small fails at test_prove.py:")
    assert (tmp_path / "out" / "small" / "bounded.vcd").is_file()


@pytest.mark.usefixtures("proofs")
def test_unknown_proof_is_refused(tmp_path, capsys):
    assert main(["prove", "odd", "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.endswith("Proof must be one of even, small, not 'odd'\n")
