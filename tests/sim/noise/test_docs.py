"""Runs the examples of docs/noise.md."""

import doctest
from pathlib import Path

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_examples_give_what_they_say():
    result = doctest.testfile(str(DOCS / "noise.md"), module_relative=False)
    assert result.attempted > 0
    assert result.failed == 0
