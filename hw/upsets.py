"""Where the words stand that `model.upsets` names, in the memories of a core."""

from ..model.upsets import Site
from .state import state

__all__ = ["upset_memories", "upset_places"]

STATES = ("neurons", "memory", "states", "words")
SUMS = ("ring", "sums", "words")


def upset_memories(config):
    """Return the paths below the top of all memories that upsets may strike."""
    return [(f"bank_{bank}", *path) for bank in range(config.banks)
            for path in (STATES, SUMS) if path is SUMS or bank < config.spiking]


def upset_places(config, upsets):
    """Return the bits of a core that upsets flip, in their order.

    Parameters
    ----------
    config : CoreConfig
    upsets : (upsets,) array of `ranvier.model.upsets.UPSET`

    Returns
    -------
    list of (int, int, int, int)
        Tick, number of the memory among `upset_memories`, word, bit.
    """
    memories, layout = upset_memories(config), state(config)
    places = []
    for tick, site, neuron, mask in upsets.tolist():
        local, bank = divmod(neuron, config.banks)
        if site == Site.SUM:
            path, word, first = SUMS, local * config.slots + tick % config.slots, 0
        else:
            path, word, first = STATES, local, layout[Site(site).name.lower()].offset
        memory = memories.index((f"bank_{bank}", *path))
        places += [(tick, memory, word, first + bit)
                   for bit in range(mask.bit_length()) if mask >> bit & 1]
    return places
