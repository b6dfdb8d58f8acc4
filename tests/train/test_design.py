import pytest

from ranvier.train.design import DesignConfig


@pytest.mark.parametrize(("values", "message"), [
    ({"tick": 0.0005}, "Core tick must be a whole number of microseconds"),
    ({"weight_bits": 1}, "Core weight_bits must be from 2 to 12, not 1"),
    ({"trace_bits": 30}, "Core trace_bits must be from 18 to 24, not 30"),
    ({"protection": "ecc"}, "Design protection must be one of none, parity, secded, not 'ecc'"),
    ({"banks": 0}, "Design banks must be at least 1, not 0"),
])
def test_bad_designs_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        DesignConfig(**values)
