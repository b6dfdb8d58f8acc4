"""A unit with its inside in reach, for invariants that its ports can't tell."""

import re
from linecache import getline

from amaranth.asserts import AnySeq
from amaranth.hdl import Const, Elaboratable, Fragment, MemoryInstance, Signal, Value
from amaranth.lib.wiring import In, Out

__all__ = ["Inside", "Part"]


class Part:
    """A unit, or one inside it, whose registers and memory words can be read by name.

    Parameters
    ----------
    unit : wiring.Component
    fragment : Fragment
        What it was elaborated to.
    """

    def __init__(self, unit, fragment):
        self._unit = unit
        self._fragment = fragment

    @property
    def unit(self):
        return self._unit

    def part(self, *path):
        """Return a unit inside this one: names of submodules, its own last."""
        fragment = self._child(path)
        return Part(fragment.origins[0], fragment)

    def loosen(self):
        """Let the unit's outputs do anything, in place of what it does."""
        self._fragment.statements.clear()
        self._fragment.subfragments.clear()
        for value in _ports(self._unit, Out):
            self._fragment.add_statements("comb", value.eq(AnySeq(value.shape())))

    def _child(self, path):
        fragment = self._fragment
        for name in path:
            found = [child for child, child_name, _ in fragment.subfragments if child_name == name]
            if len(found) != 1:
                raise LookupError(f"Path in {type(self._unit).__name__} must be that of a "
                                  f"submodule, not {'.'.join(path)!r}")
            fragment = found[0]
        return fragment

    def signal(self, *path):
        """Return the signal that is driven inside: names of submodules, then its own.

        Raises
        ------
        LookupError
            If there is none, or more than one.
        """
        *place, name = path
        found = {id(signal): signal for statements in self._child(place).statements.values()
                 for signal in statements._lhs_signals() if signal.name == name}
        if len(found) != 1:
            raise LookupError(f"Name in {type(self._unit).__name__} must be that of one signal, "
                              f"not {'.'.join(path)!r}, which {len(found)} have")
        return next(iter(found.values()))

    def state(self, *path):
        """Return whether the unit's state machine is in a state: submodules, then its name."""
        *place, name = path
        machine = self._child(place).generated["fsm"]
        return machine.state == machine.encoding[name]

    def names(self, *path):
        """Return the names of what is in a submodule."""
        return [name for _, name, _ in self._child(path).subfragments]

    def depth(self, *path):
        """Return how many words a memory has: names of submodules, the memory's last."""
        return self._memory(path)._data.depth

    def _memory(self, path):
        memory = self._child(path)
        if not isinstance(memory, MemoryInstance):
            raise LookupError(f"Path in {type(self._unit).__name__} must be that of a memory, "
                              f"not {'.'.join(path)!r}")
        return memory

    def word(self, *path, address):
        """Return what a memory holds now at an address: names of submodules, the memory's last."""
        memory = self._memory(path)
        index = Signal((memory._data.depth - 1).bit_length(), name=f"{path[-1]}_index")
        word = Signal(memory._data.shape, name=f"{path[-1]}_word")
        memory.read_port(domain="comb", addr=index, data=word, en=Const(1), transparent_for=())
        self._fragment.add_statements("comb", index.eq(address))
        return word


class Inside(Part, Elaboratable):
    """Stands for a unit in a proof.

    Parameters
    ----------
    unit : wiring.Component
        Is elaborated here, once. Its inputs may do anything at any cycle, unless they're driven
        by the proof: see `drive`.
    """

    def __init__(self, unit):
        super().__init__(unit, Fragment.get(unit, None))
        _name(self._fragment)
        self._driven = []

    def drive(self, *ports):
        """Leave inputs of the unit to the proof, which has to drive them."""
        self._driven += [Value.cast(port) for port in ports]

    def elaborate(self, platform):
        for value in _ports(self._unit, In):
            if not any(value is driven for driven in self._driven):
                self._fragment.add_statements("comb", value.eq(AnySeq(value.shape())))
        return self._fragment


def _ports(unit, flow):
    """Return the inputs of a unit, or its outputs."""
    return [Value.cast(port) for _, member, port in unit.signature.flatten(unit)
            if member.flow is flow]


def _name(fragment):
    """Name the signals that were made in one line, as ``one, other = Signal(), Signal()`` says.

    Amaranth has the last one's name only.
    """
    lines = {}
    for statements in fragment.statements.values():
        for signal in (*statements._lhs_signals(), *statements._rhs_signals()):
            lines.setdefault(signal.src_loc, {})[signal.duid] = signal
    for place, signals in lines.items():
        found = re.match(r"\s*(\w+(, \w+)+) = ", getline(*place))
        names = found[1].split(", ") if found else []
        if len(names) == len(signals):
            for name, duid in zip(names, sorted(signals), strict=True):
                signals[duid].name = name
    for child, _, _ in fragment.subfragments:
        _name(child)
