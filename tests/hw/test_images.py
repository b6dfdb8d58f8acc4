"""Parameters as memory words, read back the way the gateware reads them."""
import numpy as np
import pytest

from ranvier.hw.images import bank_images, image_text, load_words, synapse_places
from ranvier.hw.payloads import BANKED, Memory, memories, memory_depth
from ranvier.hw.registers import BusMap
from ranvier.model.cursors import cut_rows

from ..designs import random_config, random_parameters

CURSORS = {"buffer": "cursor", "cursors": 8}
DENSE, AXONAL = {"rows": "dense"}, {"delays": "axonal", "segments": 4}
BOTH = {"delays": "axonal+dendritic", "dendrites": 4, "segments": 2}


@pytest.fixture(params=[(1, {}), (2, {}), (3, {}), (1, CURSORS), (2, CURSORS), (2, DENSE),
                        (2, AXONAL), (3, DENSE | AXONAL), (2, CURSORS | AXONAL), (2, BOTH),
                        (3, CURSORS | DENSE | BOTH)])
def parameters(request):
    banks, fixed = request.param
    rng = np.random.default_rng(banks)
    return random_parameters(rng, random_config(rng, neurons=7, banks=banks, **fixed))


def synapses(parameters):
    """Return the synapses that the images of all banks hold, as (source, target, weight, delay)."""
    config = parameters.config
    row = cursor_row if cut_rows(config) else ring_row
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
    start_bits = config.synapses.bit_length()
    for row in range(source * config.segments, (source + 1) * config.segments):
        (common, start), (_, end) = (divmod(int(word), 1 << start_bits)
                                     for word in images[Memory.ROWS][row : row + 2])
        if config.delays != "synaptic":
            common, axonal = divmod(common, 1 << config.delay_bits)
        kind = 0
        if config.dendrites and config.rows == "sparse":
            kind, common = common, 0
        elif config.dendrites:
            kind, common = divmod(common, 1 << config.local_bits)
        for word in range(start, end):
            link = int(images[Memory.LINKS][word]) if Memory.LINKS in images else 0
            target = common + word - start
            if config.rows == "sparse":
                link, target = divmod(link, 1 << config.local_bits)
            elif images[Memory.WEIGHTS][word] == 0:
                continue
            if config.dendrites:
                dendritic = int(images[Memory.DENDRITES][target * config.dendrites + kind])
                yield word, target, axonal + dendritic
            else:
                yield word, target, axonal if config.delays == "axonal" else link


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
    assert len(set(zip(banks, words, strict=True))) == len(got)


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
