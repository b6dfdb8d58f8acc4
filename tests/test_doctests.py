"""Runs the examples in docstrings."""

import doctest
import importlib
import pkgutil

import pytest

PACKAGES = ("ranvier.hw", "ranvier.model", "ranvier.sim", "ranvier.train")


def modules():
    for name in PACKAGES:
        package = importlib.import_module(name)
        yield name
        for info in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not info.name.endswith(".tb_core"):  # only a simulator can import it
                yield info.name


@pytest.mark.parametrize("name", list(modules()))
def test_examples_give_what_they_say(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
