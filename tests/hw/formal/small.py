"""The catalogue at the size of a small core, where every proof takes a second or two."""
from dataclasses import replace

from ranvier.hw.formal.catalogue import catalogue

from ..configs import small_config


def small_proofs():
    """Return the proofs by name."""
    config = small_config(trace_bits=18, guard_bits=4, banks=2, neurons=7)
    return {proof.name: _shorter(proof) for proof in catalogue(config)}


def _shorter(proof):
    """Return the proof with wheels of 2 slots, which are swept soon after a reset."""
    if "sizes" not in proof.size:
        return proof
    return replace(proof, size=proof.size | {"sizes": (2,) * len(proof.size["sizes"])})
