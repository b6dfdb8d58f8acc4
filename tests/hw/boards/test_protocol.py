import numpy as np
import pytest

from ranvier.hw.boards.protocol import decode, encode, fingerprint

from ...designs import random_config

BODIES = [b"", b"\x7e", b"\x7d\x7e\x5d\x5e", bytes(range(256)), b"\x00" * 40]


@pytest.mark.parametrize("body", BODIES)
def test_a_frame_holds_its_bytes_between_two_flags(body):
    frame = encode(body)
    assert frame[0] == frame[-1] == 0x7E
    assert 0x7E not in frame[1:-1]
    assert decode(frame[1:-1]) == body


def test_the_check_is_that_of_ppp():
    # The published check value of CRC-16/X-25, whose other name is CRC-16/IBM-SDLC.
    assert encode(b"123456789") == b"\x7e123456789" + (0x906E).to_bytes(2, "little") + b"\x7e"


@pytest.mark.parametrize("body", BODIES)
def test_no_single_wrong_bit_or_lost_byte_is_believed(body):
    inside = encode(body)[1:-1]
    for place in range(len(inside)):
        assert decode(inside[:place] + inside[place + 1 :]) is None
        for bit in range(8):
            wrong = bytearray(inside)
            wrong[place] ^= 1 << bit
            assert decode(bytes(wrong)) is None


def test_configs_have_their_own_fingerprints():
    rng = np.random.default_rng(1)
    configs = [random_config(rng) for _ in range(20)]
    assert len({fingerprint(config) for config in configs}) == 20
