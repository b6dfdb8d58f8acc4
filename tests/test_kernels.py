"""Kernels that Numba caches are closed: a cache knows only the file that a kernel is in."""

import importlib
import pkgutil

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
                if isinstance(value, CPUDispatcher) and value.__module__ == info.name:
                    yield pytest.param(value, id=f"{info.name}.{value.__name__}")


@pytest.mark.parametrize("kernel", list(kernels()))
def test_cached_kernel_calls_only_its_own_file(kernel):
    code = kernel.py_func.__code__
    used = (kernel.py_func.__globals__.get(name) for name in code.co_names)
    foreign = [
        other.__name__ for other in used
        if isinstance(other, CPUDispatcher) and other.__module__ != kernel.__module__
    ]
    assert kernel.stats.cache_path is None or not foreign


@pytest.mark.parametrize("kernel", list(kernels()))
def test_kernel_keeps_the_order_of_its_sums(kernel):
    assert not kernel.targetoptions.get("fastmath", False)


def test_there_are_kernels_to_look_at():
    assert {"ranvier.model._kernels", "ranvier.train._forward"} <= {
        parameter.values[0].__module__ for parameter in kernels()
    }
