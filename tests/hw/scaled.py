"""A unit that multiplies together with its multiplier, for its tests."""

from amaranth.hdl import Module
from amaranth.lib import wiring

from ranvier.hw.payloads import Memory
from ranvier.hw.scale import ScaleUnit

TABLES = ("low_m", "low_s", "low_a", "high_m", "high_s", "high_a", "sleep")


def table_images(tables):
    """Return images of the decay and sleep tables from the model's `Tables`."""
    return {Memory[name.upper()]: getattr(tables, name) for name in TABLES}


class Scaled(wiring.Component):
    """``unit``, whose ``scale`` port goes to a `ScaleUnit`."""

    def __init__(self, unit, *, config, images):
        self.unit = unit
        self.scale = ScaleUnit(config=config, images=images)
        super().__init__({})

    def elaborate(self, platform):
        m = Module()
        m.submodules.unit = self.unit
        m.submodules.scale = self.scale
        wiring.connect(m, self.unit.scale, self.scale.user)
        return m
