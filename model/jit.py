"""Decorators that compile kernels, with caches that know all kernels of a folder.

Numba's cache of a kernel knows only the file that the kernel is in: if a kernel that it calls
stands in another file and changes, the old result stays. Here a cache's stamp covers every Python
file in the folder of the kernel's own. So kernels may call kernels and read constants of their own
folder; those of another folder they may not, which tests/test_kernels.py checks.
"""

import functools
import hashlib
import inspect
import types
from pathlib import Path

import numba as nb
from numba.core.caching import FunctionCache
from numba.core.dispatcher import Dispatcher

__all__ = [
    "allocating_kernel", "called_kernel", "kernel", "parallel_kernel", "spliced_kernel",
]  # fmt: skip


@functools.cache
def folder_stamp(folder: Path) -> str:
    """Return a hash over all Python files in a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        text = path.read_bytes()
        digest.update(f"{path.name} {len(text)} ".encode() + text)
    return digest.hexdigest()


class _FolderImpl(FunctionCache._impl_class):
    """Numba's cache of a function, whose stamp is Numba's own and that of the folder.

    If the stamp has changed, Numba writes new files over the old ones. It decides where they are.
    """

    def __init__(self, function):
        super().__init__(function)
        own, folder = self.locator.get_source_stamp(), Path(inspect.getfile(function)).parent
        stamp = (own, folder_stamp(folder))
        self.locator.get_source_stamp = lambda: stamp


class _FolderCache(FunctionCache):
    _impl_class = _FolderImpl


def compiled(**options):
    """Return a decorator as ``numba.njit(cache=True, **options)``, but for the cache.

    There's no ``fastmath``: sums keep their order.
    """

    def decorate(function):
        dispatcher = nb.njit(error_model="numpy", **options)(function)
        if isinstance(dispatcher, Dispatcher):  # NUMBA_DISABLE_JIT leaves functions as they are
            dispatcher._cache = _FolderCache(function)
        return dispatcher

    return decorate


def _has_arrays(kind):
    """Whether values of a Numba type are arrays or hold some."""
    parts = getattr(kind, "types", ()) if isinstance(kind, nb.types.BaseTuple) else ()
    return isinstance(kind, nb.types.Array) or any(map(_has_arrays, parts))


def kernel(function):
    """Compile a kernel that neither makes arrays nor returns any.

    Counting references to arrays costs more than most kernels do, so that these don't count. A
    kernel that makes arrays, or calls one that does, is an `allocating_kernel`: another says when
    it's compiled that it needs Numba's NRT. One that returns arrays is a `spliced_kernel`, a part
    of whoever calls it, who counts or doesn't.

    Raises
    ------
    TypeError
        When it's compiled, if it returns arrays: who counts would free them too early.
    """
    dispatcher = compiled(nogil=True, forceinline=True, _nrt=False)(function)
    if not isinstance(dispatcher, Dispatcher):
        return dispatcher
    compile_one = dispatcher.compile

    def compile_checked(signature):
        entry = compile_one(signature)
        for result in dispatcher.overloads.values():
            if _has_arrays(result.signature.return_type):
                raise TypeError(f"Kernel {function.__name__} must return no arrays")
        return entry

    dispatcher.compile = compile_checked
    return dispatcher


# Inlined too, because around calls Numba counts references to every array that is handed on.
allocating_kernel = compiled(nogil=True, forceinline=True, _nrt=True)
spliced_kernel = compiled(nogil=True, inline="always")
called_kernel = compiled(nogil=True)


def parallel_kernel(function):
    """Compile a kernel whose ``prange`` runs on Numba's threads, or as a plain loop if that's one.

    A thread, even the only one, may run on another core than its caller: small batches of a small
    network then took a third longer. Both builds do the same arithmetic in the same order.
    """
    many, one = compiled(parallel=True)(function), compiled(nogil=True)(_renamed(function))

    @functools.wraps(function)
    def call(*arguments):
        return (one if nb.get_num_threads() == 1 else many)(*arguments)

    call.builds = (many, one)
    return call


def _renamed(function):
    """Return a copy of a function under a name, and thus a file in the cache, of its own."""
    name = f"{function.__name__}_alone"
    copy = types.FunctionType(function.__code__.replace(co_name=name), function.__globals__, name)
    copy.__module__, copy.__qualname__, copy.__doc__ = function.__module__, name, function.__doc__
    return copy
