"""Parameters as memory words, read back the way the gateware reads them."""
import numpy as np
import pytest

from ranvier.hw.images import bank_images, image_text, load_words, synapse_places
from ranvier.hw.payloads import BANKED, Memory, memories, memory_depth
from ranvier.hw.registers import BusMap

from ..designs import random_config, random_parameters


@pytest.fixture(params=[(1, "ring"), (2, "ring"), (3, "ring"), (1, "cursor"), (2, "cursor")])
def parameters(request):
    banks, buffer = request.param
    rng = np.random.default_rng(banks)
    config = random_config(rng, neurons=7, banks=banks, buffer=buffer,
                           cursors=8 if buffer == "cursor" else 0)
    return random_parameters(rng, config)


def synapses(parameters):
    """Return the synapses that the images of all banks hold, as (source, target, weight, delay)."""
    config = parameters.config
    row = cursor_row if config.buffer == "cursor" else ring_row
    found = []
    for bank in range(config.banks):
        images = bank_images(parameters, bank)
        for source in range(config.sources):
            for word, target, delay in row(config, images, source):
                found.append((source, target * config.banks + bank,
                              int(images[Memory.WEIGHTS][word]), delay))
    return found


def ring_row(config, images, source):
    """Return word, local target and delay of each synapse of a source."""
    rows = images[Memory.ROWS]
    for word in range(rows[source], rows[source + 1]):
        delay, target = divmod(int(images[Memory.LINKS][word]), 1 << config.local_bits)
        yield word, target, delay


def cursor_row(config, images, source):
    delay, word = divmod(int(images[Memory.ROWS][source]), 1 << config.pointer_bits)
    ended = delay == 0
    while not ended:
        rest, target = divmod(int(images[Memory.LINKS][word]), 1 << config.local_bits)
        end, gap = divmod(rest, 1 << config.gap_bits)
        yield word, target, delay
        word, delay, ended = word + 1, delay + gap, end and gap == 0


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
