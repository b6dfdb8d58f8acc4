"""A kernel's cache knows the other files of its folder."""

import os
import subprocess
import sys

import numpy as np
import pytest

from ranvier.model.jit import kernel

CALLER = """\
from numba import prange
from ranvier.model.jit import kernel, parallel_kernel
from pair.callee import FACTOR, amount

@kernel
def total(x):
    return amount(x) * FACTOR

@parallel_kernel
def fill(out):
    for k in prange(out.shape[0]):
        out[k] = total(k)
"""
CALLEE = """\
from ranvier.model.jit import kernel

FACTOR = {factor}

@kernel
def amount(x):
    return x + {step}
"""
RUN = """\
import numpy as np
from pair.caller import fill, total
out = np.zeros(3, np.int64)
fill(out)
print(out.tolist(), total(5), sum(sum(k.stats.cache_hits.values()) for k in (*fill.builds, total)))
"""


@pytest.fixture
def run(tmp_path):
    """Return a function that writes a package of two files and runs it in a process of its own."""
    package = tmp_path / "pair"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "caller.py").write_text(CALLER)

    def run(threads=1, **callee):
        (package / "callee.py").write_text(CALLEE.format(**callee))
        # No bytecode is kept: it tells its source's age in seconds, and runs may be quicker.
        result = subprocess.run(
            [sys.executable, "-P", "-B", "-c", RUN],
            env=os.environ | {"PYTHONPATH": str(tmp_path), "NUMBA_NUM_THREADS": str(threads)},
            stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        return result.stdout.strip()

    run.package = package
    return run


@pytest.mark.parametrize("threads", [1, 2])
def test_a_change_in_another_file_is_seen_and_nothing_else_compiled_twice(run, threads):
    assert run(threads, step=1, factor=10) == "[10, 20, 30] 60 0"
    assert run(threads, step=1, factor=10) == "[10, 20, 30] 60 2"
    files = len(list(run.package.rglob("*.nbc")))
    assert run(threads, step=2, factor=10) == "[20, 30, 40] 70 0"
    assert run(threads, step=2, factor=10) == "[20, 30, 40] 70 2"
    assert run(threads, step=2, factor=100) == "[200, 300, 400] 700 0"
    assert len(list(run.package.rglob("*.nbc"))) == files  # old ones were written over


def test_both_builds_of_a_parallel_kernel_have_files_of_their_own(run):
    assert run(1, step=1, factor=10) == "[10, 20, 30] 60 0"
    assert run(2, step=1, factor=10) == "[10, 20, 30] 60 1"  # of `total`; `fill` is compiled
    for threads in (1, 2):
        assert run(threads, step=1, factor=10) == "[10, 20, 30] 60 2"


@kernel
def behind_first(values):
    return values[1:], 1


def test_kernels_must_not_return_arrays():
    """Nor tuples with arrays, which Numba lets pass, and memory would be freed twice."""
    with pytest.raises(TypeError, match="Kernel behind_first must return no arrays"):
        behind_first(np.arange(3.0))
