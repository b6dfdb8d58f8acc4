"""The catalogue at the size of a small core, where every proof takes a second or two."""
from dataclasses import asdict, replace

from ranvier.hw.formal.catalogue import catalogue
from ranvier.model.config import CoreConfig

from ..configs import small_config


def small_proofs():
    """Return the proofs by name."""
    config = small_config(trace_bits=18, guard_bits=4, banks=2, neurons=7)
    return {proof.name: _shorter(proof) for proof in catalogue(config)}


class _ShortConfig(CoreConfig):
    """Wheels of looks aren't as short in any core."""

    @property
    def wheel_sizes(self):
        return (self.slots, 2)


class _ShortRound(CoreConfig):
    """Nor do tick numbers of streams wrap so soon."""

    @property
    def tick_bits(self):
        return 7


def _shorter(proof):
    """Return the proof at a size at which faults show soon after a reset: wheels of 2 slots."""
    if proof.name.startswith("rows-"):
        config = proof.size["config"]
        return replace(proof, size={"config": replace(
            config, inputs=1, neurons=1, outputs=1, banks=1, synapses=4, weight_bits=2,
            delay_max=2, dendritic_max=min(config.dendritic_max, 1))})
    if proof.name == "schedule-stream":
        return replace(proof, size={"config": _ShortRound(
            **asdict(replace(proof.size["config"], ticks=40)))})
    if proof.name == "cursors":
        return replace(proof, size={"config": replace(proof.size["config"], cursors=2)})
    if proof.name == "sums":
        values = asdict(replace(proof.size["config"], delay_max=1, neurons=2, outputs=1, banks=1,
                                ticks=3, weight_bits=2, fan_in=2))
        return replace(proof, size={"config": _ShortConfig(**values)})
    if proof.name == "cursors-fetched":
        return replace(proof, size={"config": replace(
            proof.size["config"], inputs=1, neurons=1, outputs=1, banks=1, synapses=4,
            weight_bits=2, delay_max=64, cursors=2)})
    if "sizes" not in proof.size:
        return proof
    return replace(proof, size=proof.size | {"sizes": (2,) * len(proof.size["sizes"])})
