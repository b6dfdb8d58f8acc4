"""What is proven of `RegisterFile`."""

from amaranth.hdl import Signal, Value

from ..payloads import Memory
from ..registers import ERRORS, REGISTERS, BusMap, RegisterFile
from .spec import Spec, before

__all__ = ["errors_stick", "writes_refused"]


def writes_refused(*, config):
    """A write while a sample runs reaches no memory; one that does is unchanged."""
    unit = RegisterFile(config=config, value_shape=config.readout_bits)
    spec = Spec(unit)
    m, bus = spec.m, unit.bus
    offset, memory, _ = BusMap(config).split(bus.address)
    asked = before(m, bus.w_en & ~unit.running & (memory != Memory.REGISTERS.value))
    for load in unit.load:
        spec.claim(~load.en | asked)
        spec.claim(~load.en | ((load.address == before(m, offset))
                               & (load.data == before(m, bus.w_data))
                               & (Value.cast(load.memory) == before(m, memory))))
    return m


def errors_stick(*, config):
    """A refused write or a bad end is flagged, and read until a 1 is written to its bit."""
    unit = RegisterFile(config=config, value_shape=config.readout_bits)
    spec = Spec(unit)
    m, bus = spec.m, unit.bus
    offset, memory, _ = BusMap(config).split(bus.address)
    selected = (memory == Memory.REGISTERS.value) & (offset == REGISTERS["errors"])
    spec.assume(~(bus.r_en & bus.w_en))
    occurred = {
        "refused": bus.w_en & unit.running & (memory != Memory.REGISTERS.value),
        "bad_end": unit.bad_end,
    }
    for name, happens in occurred.items():
        bit = ERRORS.index(name)
        flagged = Signal(name=f"{name}_flagged")
        m.d.sync += flagged.eq(happens | (flagged & ~(bus.w_en & selected & bus.w_data[bit])))
        spec.claim(~before(m, bus.r_en & selected & flagged) | bus.r_data[bit])
        spec.claim(~flagged | spec.inside.signal("errors")[bit])
    return m
