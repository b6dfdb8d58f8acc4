"""Tests of threads need two of them, on a machine with one core as well."""

import os

os.environ.setdefault("NUMBA_NUM_THREADS", str(max(2, os.cpu_count() or 1)))
