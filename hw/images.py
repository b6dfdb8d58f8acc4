"""Parameters as the words of a core's memories, and as the bus writes that load them."""

import numpy as np

from ..model.cursors import bank_order, cut_rows, stretches
from ..model.rows import bank_rows
from .payloads import (
    BANKED,
    BUS_BITS,
    Memory,
    content_shape,
    memories,
    memory_depth,
    memory_shape,
)
from .registers import BusMap

__all__ = ["bank_images", "image_text", "load_words", "synapse_places", "weight_flips"]


def synapse_places(parameters):
    """Return where the synapses of ``parameters`` are: bank and word, each (synapses,) int64."""
    banks = parameters.config.banks
    bank = parameters.target.astype(np.int64) % banks
    word = np.empty_like(bank)
    for k in range(banks):
        mine = _synapses(parameters, k)
        word[mine[mine >= 0]] = np.flatnonzero(mine >= 0)
    return bank, word


def weight_flips(parameters, weight):
    """Return the bits (bank, word, bit) by which the weights (synapses,) differ from the design's.

    That's what `Simulator.run` takes as the ``flips`` of a sample.
    """
    wrong = (np.asarray(weight, np.int64) ^ parameters.weight)[:, None]
    synapse, bit = np.nonzero(wrong >> np.arange(parameters.config.weight_bits) & 1)
    bank, word = synapse_places(parameters)
    return np.stack([bank[synapse], word[synapse], bit], axis=1)


def _synapses(parameters, bank):
    """Return which synapse each word of a bank is, as places in ``parameters``; -1: none."""
    if cut_rows(parameters.config):
        return bank_order(parameters, bank)[1]
    return bank_rows(parameters, bank).place


def _ring_rows(parameters, bank):
    """Return the words of ``rows`` and ``links`` where rows have bounds."""
    config = parameters.config
    start, delay, first, kind, place = bank_rows(parameters, bank)
    words = start.copy()
    fields = [(delay, config.delays != "synaptic", config.delay_bits),
              (first, config.rows == "dense", config.local_bits),
              (kind, config.dendrite_bits > 0, config.dendrite_bits)]
    offset = config.synapses.bit_length()
    for field, there, bits in fields:
        if there:
            words[:-1] |= field << offset
            offset += bits
    links, offset = np.zeros(place.size, np.int64), 0
    if config.rows == "sparse":
        links |= parameters.target[place].astype(np.int64) // config.banks
        offset = config.local_bits
    if config.delays == "synaptic":
        links |= parameters.delay[place].astype(np.int64) << offset
    return words, links


def _cursor_rows(parameters, bank):
    """Return the words of ``rows`` and ``links`` where rows are cut into stretches."""
    config = parameters.config
    source, mine = bank_order(parameters, bank)
    delay = parameters.delay[mine].astype(np.int64)
    gap, end = stretches(source, delay)
    links = parameters.target[mine].astype(np.int64) // config.banks
    links |= (gap | end.astype(np.int64) << config.gap_bits) << config.local_bits
    sources, first = np.unique(source, return_index=True)
    rows = np.zeros(config.sources, np.int64)
    rows[sources] = first | delay[first] << config.pointer_bits
    return rows, links


def bank_images(parameters, bank):
    """Return the memories of a bank.

    Returns
    -------
    dict of Memory to (memory_depth(config, memory),) int64
        With their check bits, if they have any. Weights that have none are signed, all other words
        are not. Words without use are 0.
    """
    config, tables = parameters.config, parameters.tables
    mine = _synapses(parameters, bank)
    rows, links = (_cursor_rows if cut_rows(config) else _ring_rows)(parameters, bank)
    words = {
        Memory.ROWS: rows,
        Memory.WEIGHTS: np.where(mine >= 0, parameters.weight[mine], 0),
        Memory.LINKS: links,
        Memory.THETA0: parameters.theta0[bank :: config.banks],
        Memory.BETA: parameters.beta[bank :: config.banks],
    }
    if config.dendrites:
        words[Memory.DENDRITES] = parameters.dendritic[bank :: config.banks].ravel()
    images = {}
    for memory in memories(config):
        image = words[memory] if memory in words else getattr(tables, memory.name.lower())
        images[memory] = np.zeros(memory_depth(config, memory), np.int64)
        images[memory][: len(image)] = image
        if config.protection != "none" and memory in BANKED:
            code = config.code(content_shape(config, memory).width)
            images[memory] = code.encode(images[memory])
    return images


def load_words(parameters):
    """Return the bus writes that load a core: addresses and data, each (writes,) uint32."""
    config = parameters.config
    bus = BusMap(config)
    addresses, words = [], []
    for bank in range(config.banks):
        for memory, image in bank_images(parameters, bank).items():
            if memory in BANKED or bank == 0:
                addresses.append(bus.address(memory, np.arange(image.size), bank))
                words.append(image)
    data = np.concatenate(words) & ((1 << BUS_BITS) - 1)
    return np.concatenate(addresses).astype(np.uint32), data.astype(np.uint32)


def image_text(config, memory, image):
    """Return a memory as hexadecimal text, a word per line, for ``$readmemh``."""
    width = memory_shape(config, memory).width
    digits = -(-width // 4)
    return "".join(f"{int(word) & ((1 << width) - 1):0{digits}x}\n" for word in image)
