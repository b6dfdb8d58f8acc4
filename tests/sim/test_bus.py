import numpy as np
import pytest

from ranvier.hw.images import bank_images
from ranvier.hw.payloads import Memory
from ranvier.hw.registers import BusMap
from ranvier.sim.bus import READ_BACK, decode, flip_program, load_program, read_program

from ..designs import random_config, random_parameters


@pytest.fixture
def parameters():
    rng = np.random.default_rng(0)
    return random_parameters(rng, random_config(rng, neurons=7, outputs=3, banks=2))


def test_loading_writes_every_word_of_every_bank_once(parameters):
    program = load_program(parameters)
    assert np.all(program[:, 0] == 1)
    assert np.unique(program[:, 1]).size == len(program)
    bus = BusMap(parameters.config)
    words = dict(program[:, 1:].tolist())
    for bank in range(2):
        weights = bank_images(parameters, bank)[Memory.WEIGHTS]
        for address, weight in enumerate(weights.tolist()):
            assert words[bus.address(Memory.WEIGHTS, address, bank)] == weight % 2**32


def test_decoding_undoes_what_a_core_answers(parameters):
    config = parameters.config
    scores = [5, -3, (1 << 40) + 7]
    answers = list(range(len(READ_BACK)))
    for label, score in enumerate(scores):
        answers += [label, 0, score % 2**32, (score >> 32) % 2**32]
    data = np.array(answers, np.uint32)
    assert len(data) == len(read_program(config))
    counters, found = decode(config, data)
    assert counters == {name: n for n, name in enumerate(READ_BACK)}
    assert found.tolist() == scores


def test_flips_change_the_bits_named_and_come_back(parameters):
    there, back = flip_program(parameters, [(1, 4, 0), (0, 2, 7), (1, 4, 3)])
    bus = BusMap(parameters.config)
    words = [int(bank_images(parameters, bank)[Memory.WEIGHTS][address]) % 256
             for bank, address in ((1, 4), (0, 2))]
    places = [bus.address(Memory.WEIGHTS, address, bank) for bank, address in ((1, 4), (0, 2))]
    assert there.tolist() == [[1, places[0], words[0] ^ 0b1001], [1, places[1], words[1] ^ 128]]
    assert back.tolist() == [[1, places[0], words[0]], [1, places[1], words[1]]]


def test_no_flips_are_no_traffic(parameters):
    there, back = flip_program(parameters, ())
    assert there.shape == back.shape == (0, 3)


@pytest.mark.parametrize("flip", [(2, 0, 0), (0, 400, 0), (0, 0, 8), (-1, 0, 0)])
def test_flips_outside_the_memory_are_refused(parameters, flip):
    message = (r"^A flip must be in banks 0 to 1, words 0 to 399 and bits 0 to 7, not at bank "
               rf"{flip[0]}, word {flip[1]}, bit {flip[2]}$")
    with pytest.raises(ValueError, match=message):
        flip_program(parameters, [flip])
