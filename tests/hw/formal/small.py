"""The catalogue at the size of a small core, where every proof takes a second or two."""
from ranvier.hw.formal.catalogue import catalogue

from ..configs import small_config


def small_proofs():
    """Return the proofs by name."""
    config = small_config(trace_bits=18, guard_bits=4, banks=2, neurons=7)
    return {proof.name: proof for proof in catalogue(config)}
