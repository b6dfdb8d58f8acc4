import numpy as np

from ranvier.sim.fields import Field, unpack


def test_unpacking_equals_the_fields_of_the_whole_number():
    rng = np.random.default_rng(0)
    for _ in range(50):
        widths = rng.integers(1, 61, rng.integers(1, 9)).tolist()
        offsets = np.cumsum([0, *widths]).tolist()
        fields = [Field(f"f{n}", offset, width, bool(rng.integers(2)))
                  for n, (offset, width) in enumerate(zip(offsets, widths, strict=False))]
        chunks = rng.integers(0, 1 << 32, (20, -(-offsets[-1] // 32)), np.uint32)
        values = unpack(chunks, fields)
        for n, row in enumerate(chunks):
            word = int.from_bytes(row.astype("<u4").tobytes(), "little")
            assert [values[f.name][n] for f in fields] == [f.of(word) for f in fields]


def test_a_field_is_signed_where_it_says_so():
    assert Field("p", 4, 3, True).of(0b1110000) == -1
    assert Field("p", 4, 3, False).of(0b1110000) == 7
