"""Gateware that is broken on purpose, one fault at a time: the comparison has to see each."""

import importlib
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest

import ranvier.hw.core
from ranvier.sim import cxxrtl
from ranvier.sim.compare import MismatchError
from ranvier.sim.simulation import HangError

from ..strategies import core_configs, random_pairs

ROOT = Path(ranvier.hw.core.__file__).parents[1]
CONFIGS = core_configs()


@dataclass(frozen=True)
class Fault:
    """A change of one expression in a file of the gateware."""

    name: str
    file: str
    right: str
    wrong: str
    config: int = 0  # exponential, adaptive, first spike, one bank


FAULTS = (
    Fault("decay doesn't round", "fixed.py", "(value + (1 << (amount - 1))) >> amount",
          "value >> amount"),
    Fault("decay shifts a bit too little", "decay.py", "product, 2 * FRACTION)",
          "product, 2 * FRACTION - 1)"),
    Fault("saturation wraps", "fixed.py",
          "Mux(clipped, Cat(~sign.replicate(width - 1), sign), total[:width])", "total[:width]", 1),
    Fault("fires above the threshold only", "touch.py", "fires.eq(excess >= 0)",
          "fires.eq(excess > 0)"),
    Fault("beta isn't added", "touch.py", "self.i.a + self.beta", "self.i.a + 0"),
    Fault("P is reset to 0, not to Q", "touch.py", "Mux(fires, q, p)", "Mux(fires, 0, p)"),
    Fault("the last touch is a tick late", "neuron.py", "after.last.eq(self.tick)",
          "after.last.eq(self.tick + 1)"),
    Fault("arrivals are a slot late", "ring.py", "tick + buffer.o.p.delay",
          "tick + buffer.o.p.delay + 1"),
    Fault("sums lose their carries", "ring.py", "sums.word + weight", "sums.word ^ weight"),
    Fault("updates aren't forwarded to the next", "updated.py",
          "again.eq((second == third) & self.write)", "again.eq(0)"),
    Fault("updates aren't forwarded to the next but one", "updated.py",
          "skips.eq((second == fourth) & stores)", "skips.eq(0)"),
    Fault("old sums aren't forgotten", "ring.py", "adding[-2] & ~self._marks.present", "0"),
    Fault("states aren't cleared between samples", "cleared.py",
          "m.d.sync += self.clearing.eq(1)", "m.d.sync += self.clearing.eq(0)"),
    Fault("slots aren't cleared between samples", "slots.py", "now.wipe.eq(drain.left.any())",
          "now.wipe.eq(0)"),
    Fault("a group's last tick is passed over", "scheduler.py", "left.eq(busy & ~passed)",
          "left.eq(busy & ~passed & 0x7FFF)"),
    Fault("what was read ahead stays when it changes", "slots.py",
          "ahead.upset.eq(changed | self.start | self.clear)",
          "ahead.upset.eq(self.start | self.clear)"),
    Fault("rows lose their last synapse", "rows.py", "stop.eq(word.start), known",
          "stop.eq(word.start - 1), known"),
    Fault("neurons sleep too long", "sleep.py", "Cat(Const(1), self.tick))[1:]",
          "Cat(Const(1), self.tick) + 2)[1:]"),
    Fault("looks that were replaced are taken", "neuron.py",
          "look.pending & (look.slot == self.tick[: len(look.slot)])", "look.pending"),
    Fault("ties go to the higher class", "readout.py",
          "values.word < best if earlier else values.word > best",
          "values.word <= best if earlier else values.word >= best"),
    Fault("dendritic delays are left out", "delays.py", "event.delay + dendritic.value",
          "event.delay", 14),
    Fault("dendritic delays are another kind's", "rows.py", "first.kind, begin",
          "~first.kind, begin", 16),
    Fault("rows that waited are a tick late", "axons.py", "first.delay.eq(away)",
          "first.delay.eq(away + 1)", 15),
    Fault("integrals lose a bit", "integrator.py", "before + product",
          "before + ((product >> 1) << 1)", 2),
)


def broken_source(fault, package, folder):
    """Return the RTLIL text of the core with a fault, from a copy of the gateware's package."""
    copy = folder / package
    for name in ("hw", "model"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    path = copy / "hw" / fault.file
    text = path.read_text()
    assert text.count(fault.right) == 1, f"{fault.name}: the gateware has changed"
    path.write_text(text.replace(fault.right, fault.wrong))
    core = importlib.import_module(f"{package}.hw.core")
    return cxxrtl.source(core.NeuronCore(CONFIGS[fault.config]))


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """Folder of compiled cores, and RTLIL text by name of the fault."""
    folder = tmp_path_factory.mktemp("sabotage")
    sys.path.insert(0, str(folder))
    try:
        texts = {fault.name: broken_source(fault, f"broken_{n}", folder)
                 for n, fault in enumerate(FAULTS)}
    finally:
        sys.path.remove(str(folder))
    # They run for a moment each.
    with patch.object(cxxrtl, "FLAGS", (*cxxrtl.FLAGS, "-O0")):
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda text: cxxrtl.build(text, folder), texts.values()))
        yield folder, texts


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_broken_gateware_is_caught(broken, monkeypatch, fault):
    folder, texts = broken
    pairs = random_pairs(CONFIGS[fault.config], 10)
    monkeypatch.setattr(cxxrtl, "NeuronCore", lambda config: fault)
    monkeypatch.setattr(cxxrtl, "source", lambda fault: texts[fault.name])
    simulator = cxxrtl.CxxrtlSimulator(pairs[0].parameters, folder)

    def run():
        for pair in pairs:
            simulator.load(pair.parameters)
            simulator.run([pair.events], expected=[pair.result])

    with pytest.raises((MismatchError, HangError)):
        run()
