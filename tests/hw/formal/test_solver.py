"""The solver's verdicts: proven, refuted with a trace, or a step that nothing reaches."""
import pytest
from amaranth.asserts import AnySeq
from amaranth.hdl import Assert, Module, Signal

import ranvier.hw.formal.solver as solver
from ranvier.hw.formal.solver import require_solver, solve


def counter(stop, *, claim):
    """Return a counter from 0 to ``stop`` and back, which is never above ``claim``."""
    m = Module()
    count = Signal(8)
    with m.If(count == stop):
        m.d.sync += count.eq(0)
    with m.Else():
        m.d.sync += count.eq(count + AnySeq(1))
    m.d.comb += Assert(count <= claim)
    return m


def test_inductive_property_is_proven(tmp_path):
    verdict = solve(counter(5, claim=5), tmp_path, depth=1)
    assert (verdict.holds, verdict.by, verdict.where, verdict.trace) == (
        True, "induction", "", None)


def test_refuted_property_has_a_place_and_a_trace(tmp_path):
    verdict = solve(counter(5, claim=4), tmp_path, depth=1)
    assert (verdict.holds, verdict.by) == (False, "bounded")
    assert verdict.where.startswith("test_solver.py:")
    assert verdict.trace.exists()


def test_unreached_step_is_told_apart(tmp_path):
    verdict = solve(counter(5, claim=9), tmp_path, depth=1)
    assert (verdict.holds, verdict.by) == (False, "induction")
    assert solve(counter(5, claim=9), tmp_path, depth=9, induction=False).holds


def test_missing_program_is_named(monkeypatch):
    monkeypatch.setattr(solver, "find_spec", lambda module: None if module == "z3" else module)
    with pytest.raises(RuntimeError, match=r"^z3-solver must be installed to prove properties, and "
                                           r"is missing: pip install 'ranvier\[formal\]'$"):
        require_solver()
