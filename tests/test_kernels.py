"""Kernels call what their caches know: kernels of their own folder, see `model.jit`."""

import importlib
import pkgutil
from pathlib import Path

import pytest
from numba.core.registry import CPUDispatcher

PACKAGES = ("ranvier.model", "ranvier.train", "ranvier.sim")


def kernels():
    for name in PACKAGES:
        package = importlib.import_module(name)
        for info in pkgutil.walk_packages(package.__path__, f"{name}."):
            if info.name.endswith(".tb_core"):  # only a simulator can import it
                continue
            module = importlib.import_module(info.name)
            for value in vars(module).values():
                for build in getattr(value, "builds", (value,)):  # of a parallel kernel
                    if isinstance(build, CPUDispatcher) and build.__module__ == info.name:
                        yield pytest.param(build, id=f"{info.name}.{build.__name__}")


def folder(kernel):
    return Path(kernel.py_func.__code__.co_filename).parent


@pytest.mark.parametrize("kernel", list(kernels()))
def test_kernel_calls_only_its_own_folder(kernel):
    code = kernel.py_func.__code__
    used = (kernel.py_func.__globals__.get(name) for name in code.co_names)
    called = [other for other in used if isinstance(other, CPUDispatcher)]
    assert [other for other in called if folder(other) != folder(kernel)] == []


@pytest.mark.parametrize("kernel", list(kernels()))
def test_kernel_has_the_cache_that_knows_its_folder(kernel):
    assert type(kernel._cache).__module__ == "ranvier.model.jit"


@pytest.mark.parametrize("kernel", list(kernels()))
def test_kernel_keeps_the_order_of_its_sums(kernel):
    assert not kernel.targetoptions.get("fastmath", False)


def test_there_are_kernels_to_look_at():
    found = {parameter.values[0].__module__.rpartition(".")[0] for parameter in kernels()}
    assert {"ranvier.model", "ranvier.train.exact", "ranvier.train.ticks"} <= found
