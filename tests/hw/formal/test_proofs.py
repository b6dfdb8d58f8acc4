"""Every property holds, and fails on a unit that is broken on purpose."""
import os
from dataclasses import dataclass

import pytest

from ranvier.hw.formal import solver

from .broken import broken
from .small import small_proofs

PROOFS = small_proofs()


@dataclass(frozen=True)
class Fault:
    """A change of one expression of a unit, and the proof that has to see it."""

    proof: str
    unit: str  # its name where the specification finds it
    file: str
    right: str
    wrong: str


FAULTS = (
    Fault("merge-order", "Merge", "streams", "self.o.payload.eq(chosen)",
          "self.o.payload.eq(chosen ^ 1)"),
    Fault("merge-order", "Merge", "streams", "free.eq(~self.o.valid | self.o.ready)", "free.eq(1)"),
    Fault("merge-order", "Merge", "streams", "ready.eq(free & (port == k))", "ready.eq(free)"),
    Fault("merge-order", "Merge", "streams", "several | (valid & ~free)", "several"),
    Fault("merge-order", "Merge", "streams", "| (low[1] & high[1])", ""),
    Fault("merge-fair", "Merge", "streams", "(one.valid & later[k]", "(one.valid"),
    Fault("merge-fair", "Merge", "streams", "port < k)", "port <= k)"),
    Fault("relay", "Relay", "relay", "| far.i.valid", ""),
    Fault("relay", "Relay", "relay", "far.start | far.clear", "far.start"),
    Fault("relay", "Relay", "relay", " & ~near.spikes.valid", ""),
    Fault("relay", "Relay", "relay", " & ~(far.trace.valid & near.trace.valid)", ""),
    Fault("relay", "Relay", "relay", "sent.ready.eq(~offered.valid)", "sent.ready.eq(1)"),
    Fault("schedule-relays", "Scheduler", "scheduler", "LOOK_CYCLES + self._config.relays",
          "LOOK_CYCLES"),
    Fault("broadcast-once", "Broadcast", "streams", "self.i.valid & ~taken[k]", "self.i.valid"),
    Fault("broadcast-once", "Broadcast", "streams", "served.all())\n        with",
          "served.any())\n        with"),
    Fault("buffer-order", "Buffer", "streams", "spared | self.i.valid", "self.i.valid"),
    Fault("memory-updates", "UpdatedMemory", "updated", "again.eq((second == third) & self.write)",
          "again.eq(0)"),
    Fault("memory-updates", "UpdatedMemory", "updated", "self.blank | forwarded | ~here",
          "forwarded | ~here"),
    Fault("memory-updates", "UpdatedMemory", "updated", "skips.eq((second == fourth) & stores)",
          "skips.eq(second == fourth)"),
    Fault("memory-updates", "UpdatedMemory", "updated", "lags.eq((second == fifth) & stored_it)",
          "lags.eq(0)"),
    Fault("memory-parts", "UpdatedMemory", "updated", "store.en.eq(stores & there)",
          "store.en.eq(stores)"),
    Fault("marks", "SlotMap", "slots", "Mux(third.take & third.kind, chunks.word, later)",
          "Mux(third.take & ~third.kind, chunks.word, later)"),
    Fault("marks", "SlotMap", "slots", "m.d.sync += [drain.kind.eq(0), drain",
          "m.d.sync += [drain.kind.eq(1), drain"),
    Fault("marks", "SlotMap", "slots", "drain.others.any() & ~drain.kind",
          "drain.others.any() & drain.kind"),
    Fault("marks", "SlotMap", "slots", "ahead.upset.eq(changed | self.start | self.clear)",
          "ahead.upset.eq(self.start | self.clear)"),
    Fault("marks-jump", "SlotMap", "slots", "self.o.ready & ~self.drained", "self.o.ready"),
    Fault("marks-shown", "SlotMap", "slots",
          "self.start & (self.slot[GROUP_BITS:] == window)", "self.start"),
    Fault("marks-jump", "SlotMap", "slots", "drain.pending.any() & ~self.drained",
          "drain.pending[1:].any() & ~self.drained"),
    Fault("marks-jump", "SlotMap", "slots", "drain.pending.eq(bits.word)\n            m.next",
          "drain.pending.eq(bits.word >> 1)\n            m.next"),
    Fault("marks-shown", "SlotMap", "slots", "now.mark & (mark[GROUP_BITS:] == window)",
          "now.mark"),
    Fault("sums", "DelayRing", "ring", "buffer.o.ready.eq(~waiting | entered)",
          "buffer.o.ready.eq(1)"),
    Fault("sums", "DelayRing", "ring", "sums.word + weights[-1]", "sums.word + weights[-2]"),
    Fault("sums", "DelayRing", "ring", "                    entered.eq(0),\n", ""),
    Fault("rows-once", "RowFetch", "rows", "known & advance & (~streaming | fewer[-1])",
          "known & advance"),
    Fault("rows-once", "RowFetch", "rows", "advance.eq(~there | self.o.ready)", "advance.eq(1)"),
    Fault("rows-once", "RowFetch", "rows", "self.i.ready.eq(~known)]", "self.i.ready.eq(1)]"),
    Fault("rows-axonal", "RowFetch", "rows", "output.eq(between)", "output.eq(addressed)"),
    Fault("rows-axonal", "RowFetch", "rows", "first.eq(word)", "first.eq(word.as_value() | 1)"),
    Fault("rows-several", "RowFetch", "rows", "row[:segment_bits] != 0", "row[:segment_bits] == 0"),
    Fault("rows-several", "RowFetch", "rows", "m.If(~known)", "m.If(1)"),
    Fault("rows-dense", "RowFetch", "rows", '"target", first.first, begin, advance, step=1',
          '"target", first.first, begin, advance, step=0'),
    Fault("rows-dense", "RowFetch", "rows", "there & weight.value.any()", "there"),
    Fault("cursors", "CursorWheel", "wheel", "Mux(last, free.valid, present)",
          "Mux(last, 0, present)"),
    Fault("cursors", "CursorWheel", "wheel", "(read.data & own).any()", "read.data.any()"),
    Fault("cursors", "CursorWheel", "wheel", "base.eq(self.tick - WHEEL_TICKS)",
          "base.eq(self.tick)"),
    Fault("cursors", "CursorWheel", "wheel", "chosen & ~freed & ~self.take", "chosen"),
    Fault("cursors", "CursorWheel", "wheel", "time[upper] == window[: len(time[upper])]",
          "time[upper] != window[: len(time[upper])]"),
    Fault("slots-begun", "CursorWheel", "wheel", "self.o.valid.eq(head.valid)",
          "self.o.valid.eq(Cat(stages).any())"),
    Fault("stretches", "RowWalk", "walk", "self.put.eq(ending & advance)", "self.put.eq(ending)"),
    Fault("stretches", "RowWalk", "walk", "pointer.eq(pointer + ~far)", "pointer.eq(pointer + 1)"),
    Fault("stretches", "RowWalk", "walk", "Mux(begins, distance, self.put_delay)",
          "Mux(begins, distance, delay)"),
    Fault("stretches", "RowWalk", "walk", "links.en.eq(advance)", "links.en.eq(1)"),
    Fault("delays-added", "DendriteDelay", "delays", "event.delay + dendritic.value",
          "event.delay"),
    Fault("cursors-fetched", "CursorFetch", "cursor", "wheel.take.eq(found.valid & ~valid & spare)",
          "wheel.take.eq(found.valid & spare)"),
    Fault("cursors-fetched", "CursorFetch", "cursor", "wheel.empty & wheel.idle & walk",
          "wheel.empty & walk"),
    Fault("cursors-fetched", "CursorFetch", "cursor", "self.i.ready.eq(~read | ~held)",
          "self.i.ready.eq(1)"),
    Fault("cursors-fetched", "CursorFetch", "cursor", "Mux(new, first, distance",
          "Mux(~new, first, distance"),
    Fault("cursors-fetched", "CursorFetch", "cursor", "(away[:NEAR] >= wheel.limit)",
          "(away[:NEAR] > wheel.limit)"),
    Fault("delays-added", "DendriteDelay", "delays", "dendrites.en.eq(advance)",
          "dendrites.en.eq(1)"),
    Fault("schedule", "Scheduler", "scheduler", "self.settled & ~self.start & ~self.clear",
          "~self.start & ~self.clear"),
    Fault("schedule", "Scheduler", "scheduler", "passed.eq((Const(2)", "passed.eq((Const(1)"),
    Fault("schedule", "Scheduler", "scheduler", "found & self._before(work, until)", "found"),
    Fault("schedule", "Scheduler", "scheduler", "self.expected.eq(work_first)",
          "self.expected.eq(1)"),
    Fault("schedule-stream", "Scheduler", "scheduler",
          " & ~self._before(word.tick, self.tick)", ""),
    Fault("schedule-stream", "Scheduler", "scheduler", "following.eq(self.tick + 1)",
          "following.eq(self.tick)"),
    Fault("schedule-stream", "Scheduler", "scheduler", "return (tick - other)[len(self.tick) - 1]",
          "return tick < other"),
    Fault("writes-refused", "RegisterFile", "registers", "| ~banked) & ~self.running",
          "| ~banked)"),
    Fault("errors-stick", "RegisterFile", "registers", "errors.eq(errors | occurred)",
          "errors.eq(occurred)"),
    Fault("memory-words", "ClearedMemory", "cleared", "sweep == self.depth - 1",
          "sweep == self.depth - 2"),
    Fault("memory-words", "ClearedMemory", "cleared", "read.en.eq(self.read)", "read.en.eq(1)"),
    Fault("secded-weights", "decode", "checked", "return value ^ flips, corrected",
          "return value, corrected"),
    Fault("secded-thresholds", "decode", "checked", "differ.any() & ~corrected", "differ.any()"),
    Fault("secded-weights", "decode", "checked", "corrected.eq(flips.any() | Cat",
          "corrected.eq(Cat"),
    Fault("parity", "decode", "checked", "checks ^ Cat(", "Cat("),
    Fault("saturation", "saturate", "fixed", "total[width - 1:]", "total[width:]"),
    Fault("rounding", "round_shift", "fixed", "(value + (1 << (amount - 1))) >> amount",
          "value >> amount"),
    Fault("touch", "TouchUnit", "touch", "fires.eq(excess >= 0)", "fires.eq(excess > 0)"),
    Fault("touch", "TouchUnit", "touch", "Mux(fires, q, p)", "Mux(fires, 0, p)"),
    Fault("touch-jump", "TouchUnit", "touch", "Mux(fires, 0, p)", "p"),
    Fault("decay-p", "DecayUnit", "decay", "product, 2 * FRACTION)", "product, 2 * FRACTION - 1)"),
    Fault("decay-q", "DecayUnit", "decay", "address.eq(coarse + high)", "address.eq(coarse)"),
    Fault("decay-a", "DecayUnit", "decay", "self.elapsed if k == 0 else fine", "fine"),
    Fault("sleep", "SleepUnit", "sleep", "(safe >= 0)", "(safe > 0)"),
    Fault("sleep", "SleepUnit", "sleep", "Cat(~ticks.all(), ticks)", "Cat(Const(1), ticks)"),
    Fault("sleep", "SleepUnit", "sleep", "scale.x.eq(self.p)", "scale.x.eq(self.q)"),
    Fault("sleep", "SleepUnit", "sleep", "rise.eq(rise - scaled)", "rise.eq(rise)"),
    Fault("divide", "DivideUnit", "divide", "bit.eq(~negative & (over", "bit.eq((over"),
    Fault("divide", "DivideUnit", "divide", "Mux(judging, excess >= 0, over)",
          "Mux(judging, excess > 0, over)"),
    Fault("divide", "DivideUnit", "divide", "remainder.eq(Mux(bit, excess, trial))",
          "remainder.eq(trial)"),
    Fault("scale", "ScaleUnit", "scale", "x_operand.eq(x_read)", "x_operand.eq(self.user.x)"),
    Fault("scale", "ScaleUnit", "scale", "self.load.address + place.start",
          "self.load.address + place.start + 1"),
    Fault("scale", "ScaleUnit", "scale", "low * factor", "x_read[:TABLE_BITS] * factor"),
    Fault("sleep", "SleepUnit", "sleep", "Mux(membrane < 0, 0, membrane)", "membrane"),
    Fault("sleep", "SleepUnit", "sleep", "[self.done.eq(0), step.eq(1)]", "step.eq(1)"),
    Fault("sleep", "SleepUnit", "sleep", "m.d.sync += step.eq(0)",
          "m.d.sync += [step.eq(0), self.done.eq(0)]"),
    Fault("sleep", "SleepUnit", "sleep", "| self.found)", ")"),
)


@pytest.mark.parametrize("name", PROOFS)
def test_property_holds(name, tmp_path):
    result = PROOFS[name].prove(tmp_path / name)
    assert result["holds"], result


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.proof}: {fault.wrong}")
def test_broken_unit_fails(fault, tmp_path, monkeypatch):
    proof = PROOFS[fault.proof]
    wrong = getattr(broken(fault.file, fault.right, fault.wrong), fault.unit)
    monkeypatch.setitem(proof.specify.__globals__, fault.unit, wrong)
    monkeypatch.setattr(solver, "PATIENCE", 600)  # however busy the machine is
    result = proof.prove(tmp_path / "broken")
    # A trace from the start on: it isn't an invariant alone that the unit has no longer.
    assert (result["holds"], result["reached"]) == (False, True), result
    assert result["where"].startswith(os.path.basename(proof.specify.__code__.co_filename)), result
    assert os.path.getsize(result["trace"]) > 0


def test_every_property_is_broken_once():
    assert {fault.proof for fault in FAULTS} == set(PROOFS)
