"""The exponential function without a branch or a call, so that loops over it become SIMD code."""

import numpy as np

from ...model.jit import kernel

LOG2_E = 1.4426950408889634
LN2_HIGH = 6.93147180369123816490e-01  # 21 bits short, so that its product with n is exact
LN2_LOW = 1.90821492927058770002e-10
ROUNDER = 1.5 * 2.0**52  # a sum with it has an integer in its last bits
ONE = 0x3FF0 << 48  # the bits of 1.0


@kernel
def exponential(x):
    """Return exp(x) to a relative 4e-16, for x up to 708; below -708 it stays 3e-308.

    exp(x) = 2**n exp(r) with n the integer next to x/ln 2. The series of exp(r), |r| < 0.347, ends
    where its terms are below 2e-17.
    """
    x = max(x, -708.0)
    shifted = x * LOG2_E + ROUNDER
    n = shifted - ROUNDER
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    square = r * r
    top = 1.0 / 479001600.0 + r * (1.0 / 6227020800.0)
    top = 1.0 / 3628800.0 + r * (1.0 / 39916800.0) + square * top
    top = 1.0 / 40320.0 + r * (1.0 / 362880.0) + square * top
    top = 1.0 / 720.0 + r * (1.0 / 5040.0) + square * top
    top = 1.0 / 24.0 + r * (1.0 / 120.0) + square * top
    top = 0.5 + r * (1.0 / 6.0) + square * top
    power = np.int64((np.float64(shifted).view(np.int64) << 52) + ONE).view(np.float64)
    return (1.0 + r + square * top) * power
