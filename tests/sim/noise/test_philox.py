import numpy as np
import pytest

from ranvier.sim.noise.philox import philox, stream_key, words

from . import subjects


@pytest.mark.parametrize(("counter", "key", "expected"), [
    ((0, 0, 0, 0), (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0),
     "d16cfe09 94fdcceb 5001e420 24126ea1"),
])
def test_known_answers(counter, key, expected):
    found = philox(np.array(counter, np.uint32), key)
    assert " ".join(f"{word:08x}" for word in found) == expected


def test_many_counters_equal_one_at_a_time():
    rng = np.random.default_rng(1)
    counters = rng.integers(0, 1 << 32, (20_000, 4), np.uint32)  # more than a chunk
    found = philox(counters, (7, 0xFFFFFFFE))
    for i in (*range(40), 8191, 8192, 19_999):
        assert tuple(found[i]) == subjects.philox(counters[i].tolist(), (7, 0xFFFFFFFE))


def test_words_broadcast_the_counter():
    found = words((3, 4), 9, np.arange(5)[:, None], np.arange(2), 1)
    assert found.shape == (5, 2, 4)
    assert tuple(found[3, 1]) == subjects.philox((9, 3, 1, 1), (3, 4))


def test_keys_differ_by_seed_and_kind():
    seeds = (0, 1, 1 << 32, (1 << 64) - 1)
    assert len({stream_key(seed, number) for seed in seeds for number in range(30)}) == 120


@pytest.mark.parametrize("seed", [-1, 1 << 64])
def test_seeds_out_of_range_are_refused(seed):
    with pytest.raises(ValueError, match=rf"Seed must be from 0 to 2\*\*64 - 1, not {seed}"):
        stream_key(seed, 1)
