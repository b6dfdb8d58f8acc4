"""What is proven of `ClearedMemory` and `UpdatedMemory`."""

from amaranth.hdl import Const, Mux, Signal

from ..cleared import ClearedMemory
from ..updated import UpdatedMemory
from .spec import Spec, before, symbolic

__all__ = ["cleared_words", "updated_words", "word_of"]


def cleared_words(*, bits, depth, rest):
    """A read gives what was written last; after a sweep of ``depth`` cycles, ``rest``."""
    unit = ClearedMemory(shape=bits, depth=depth, rest=rest)
    spec = Spec(unit)
    m = spec.m
    address = symbolic(m, unit.read_address.shape(), "address")
    word, sweep = spec.inside.word("words", address=address), spec.inside.signal("sweep")
    spec.assume(address < depth)
    spec.assume(~unit.clearing | ~(unit.read | unit.write))
    spec.assume(~(unit.read & unit.write) | (unit.read_address != unit.write_address))

    last = Signal(bits)  # what the word has to be, while nothing sweeps
    expected, known = Signal(bits), Signal()  # what was read last, if it was this word
    swept = Signal(range(depth + 1))  # cycles since the sweep began
    m.d.sync += swept.eq(swept + 1)
    with m.If(unit.write & (unit.write_address == address)):
        m.d.sync += last.eq(unit.after)
    with m.If(unit.clearing):
        m.d.sync += last.eq(rest)
    with m.If(~unit.clearing):
        m.d.sync += swept.eq(0)
    with m.If(unit.read):
        m.d.sync += [known.eq(unit.read_address == address), expected.eq(last)]

    spec.claim(~known | (unit.word == expected))
    spec.claim(~unit.clearing | (swept < depth))
    # During a sweep, all is at rest where the sweep has been: another one would change nothing.
    spec.claim(~before(m, unit.clear & ~unit.clearing) | unit.clearing)
    spec.claim(unit.clearing | (word == last))
    spec.claim(~unit.clearing | (sweep == swept))
    spec.claim(unit.clearing | (sweep == 0))
    spec.claim(~(unit.clearing & (sweep > address)) | (word == rest))
    return m


def word_of(inside, *path, address):
    """Return what an `UpdatedMemory` has at an address, once what is to be stored is.

    Parameters
    ----------
    inside : Inside
        Of the unit in which it is.
    path : str
        Names of submodules, its own last.
    address : Value
        Below its depth.
    """
    word = inside.word(*path, "words", address=address)
    if "more" in inside.names(*path):
        top = (inside.depth(*path, "words") - 1).bit_length()
        word = Mux(address[top:].any(), inside.word(*path, "more", address=address), word)
    stores, place, written = (inside.signal(*path, name)
                              for name in ("stores", "fourth", "written"))
    return Mux(stores & (place == address), written, word)


def updated_words(*, bits, depth, more=0):
    """A word is read as the update before left it, however closely one follows another."""
    unit = UpdatedMemory(shape=bits, depth=depth, more=more)
    spec = Spec(unit)
    m = spec.m
    address = symbolic(m, unit.address.shape(), "address")
    stored = word_of(spec.inside, address=address)
    there = before(m, Const(1), unit.latency)  # what is there was asked for after the reset
    mine = before(m, unit.address == address, unit.latency) & there
    value, known = Signal(bits), Signal()  # what the word has to be, once it was seen
    changed = mine & unit.write
    # A word that is blanked counts as 0, unless one of the three updates before has made it.
    made = before(m, changed) | before(m, changed, 2) | before(m, changed, 3)
    empty = before(m, unit.blank) & ~made
    spec.assume((address < depth + more) & (unit.address < depth + more))
    spec.assume(~unit.write | there)
    with m.If(mine & ~empty):
        m.d.sync += [known.eq(1), value.eq(unit.word)]
    with m.If(changed):
        m.d.sync += [known.eq(1), value.eq(unit.after)]
    spec.claim(~mine | ~known | empty | (unit.word == value))
    spec.claim(~mine | ~empty | (unit.word == 0))
    # Of a word that is read while it's written, the memory promises nothing: it isn't used.
    for name in ("second", "third", "fourth"):
        spec.claim(spec.inside.signal(name) < depth + more)
    collided = spec.inside.signal("stores") & (unit.address == spec.inside.signal("fourth"))
    spec.claim(~before(m, collided) | spec.inside.signal("lags"))
    spec.claim(~known | (stored == value))
    return m
