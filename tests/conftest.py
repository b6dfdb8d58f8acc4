"""Tests of threads need two of them, on a machine with one core as well."""

import os

os.environ.setdefault("NUMBA_NUM_THREADS", str(max(2, os.cpu_count() or 1)))

# Files that take minutes and no kernel: at first, so that one process compiles the kernels while
# another runs these, and that none is left for the end.
FIRST = ("hw/formal/test_proofs.py", "hw/synthesis/test_flow.py")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: not item.nodeid.split("::")[0].endswith(FIRST))
