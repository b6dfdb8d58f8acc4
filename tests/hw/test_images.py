"""Parameters as memory words, read back the way the gateware reads them."""
import numpy as np
import pytest

from ranvier.hw.images import bank_images, image_text, load_words, synapse_places
from ranvier.hw.payloads import BANKED, Memory, memories, memory_depth
from ranvier.hw.registers import BusMap

from ..designs import random_config, random_parameters


@pytest.fixture(params=[1, 2, 3])
def parameters(request):
    rng = np.random.default_rng(request.param)
    return random_parameters(rng, random_config(rng, neurons=7, banks=request.param))


def synapses(parameters):
    """Return the synapses that the images of all banks hold, as (source, target, weight, delay)."""
    config = parameters.config
    found = []
    for bank in range(config.banks):
        images = bank_images(parameters, bank)
        rows = images[Memory.ROWS]
        for source in range(config.sources):
            for word in range(rows[source], rows[source + 1]):
                link = int(images[Memory.LINKS][word])
                local = link & ((1 << config.local_bits) - 1)
                found.append((source, local * config.banks + bank,
                              int(images[Memory.WEIGHTS][word]), link >> config.local_bits))
    return found


def test_every_synapse_is_in_the_row_of_its_source(parameters):
    source = np.repeat(np.arange(parameters.config.sources), np.diff(parameters.row_start))
    want = zip(source.tolist(), parameters.target.tolist(), parameters.weight.tolist(),
               parameters.delay.tolist(), strict=True)
    assert sorted(synapses(parameters)) == sorted(want)


def test_places_lead_to_the_weights(parameters):
    banks, words = synapse_places(parameters)
    images = [bank_images(parameters, bank) for bank in range(parameters.config.banks)]
    got = [images[bank][Memory.WEIGHTS][word] for bank, word in zip(banks, words, strict=True)]
    assert got == parameters.weight.tolist()


def test_thresholds_and_tables_are_copied(parameters):
    config = parameters.config
    for bank in range(config.banks):
        images = bank_images(parameters, bank)
        assert list(images) == memories(config)
        theta0 = parameters.theta0[bank :: config.banks]
        assert images[Memory.THETA0][: theta0.size].tolist() == theta0.tolist()
        high = parameters.tables.high_m
        assert images[Memory.HIGH_M][: high.size].tolist() == high.tolist()
        assert not images[Memory.HIGH_M][high.size :].any()
        assert all(image.size == memory_depth(config, memory)
                   for memory, image in images.items())


def test_load_words_write_every_word_once(parameters):
    config, bus = parameters.config, BusMap(parameters.config)
    addresses, data = load_words(parameters)
    assert addresses.dtype == data.dtype == np.uint32
    written = dict(zip(addresses.tolist(), data.tolist(), strict=True))
    assert len(written) == addresses.size
    for bank in range(config.banks):
        for memory, image in bank_images(parameters, bank).items():
            first = bus.address(memory, bank=bank if memory in BANKED else 0)
            got = [written[first + offset] for offset in range(image.size)]
            assert got == [int(word) & 0xFFFFFFFF for word in image]


def test_image_text_has_a_word_per_line(parameters):
    assert image_text(parameters.config, Memory.WEIGHTS, [-1, 127, 0]) == "ff\n7f\n00\n"
