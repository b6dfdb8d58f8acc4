"""Units that are broken on purpose."""
import importlib
import inspect
from types import ModuleType


def broken(name, right, wrong):
    """Return a copy of a module of the gateware, one expression of which is changed."""
    module = importlib.import_module(f"ranvier.hw.{name}")
    text = inspect.getsource(module)
    assert text.count(right) == 1, f"{name} must have {right!r} once, not {text.count(right)} times"
    copy = ModuleType(module.__name__)
    copy.__package__ = module.__package__
    copy.__file__ = module.__file__
    exec(compile(text.replace(right, wrong), module.__file__, "exec"), copy.__dict__)
    return copy
