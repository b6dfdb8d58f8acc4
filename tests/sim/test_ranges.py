"""Ranges of a search fit the settings that they are for."""

import re
from dataclasses import dataclass

import pytest

from ranvier.sim.ranges import SearchRange, check_ranges


@dataclass
class Table:
    rate: float = 0.1
    size: int = 3
    name: str = "a"
    sizes: tuple[int, ...] = ()
    loud: bool = False


TABLES = {"table": Table}


@pytest.mark.parametrize(("fields", "message"), [
    ({}, "A range must have either low and high, or choices, not neither"),
    ({"low": 1, "high": 2, "choices": (1, 2)},
     "A range must have either low and high, or choices, not both"),
    ({"choices": (1, 2), "log": True},
     "A range must have either low and high, or choices, not both"),
    ({"choices": (1,)}, r"choices must be two or more, not \[1\]"),
    ({"low": 1}, "low must be below high, not 1 and None"),
    ({"low": 2, "high": 2}, "low must be below high, not 2 and 2"),
    ({"low": 0.0, "high": float("inf")}, "low must be below high, not 0.0 and inf"),
    ({"low": float("nan"), "high": 1.0}, "low must be below high, not nan and 1.0"),
    ({"low": 0.0, "high": 1.0, "log": True}, "low must be above 0 for a logarithm, not 0.0"),
])
def test_what_is_no_range_is_refused(fields, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        SearchRange(**fields)


@pytest.mark.parametrize(("name", "values"), [
    ("table.rate", {"low": 0, "high": 1.5}),
    ("table.size", {"low": 1, "high": 9, "log": True}),
    ("table.name", {"choices": ("a", "b")}),
    ("table.sizes", {"choices": ((1,), (2, 3))}),
    ("table.loud", {"choices": (True, False)}),
])
def test_ranges_of_the_settings_type_are_taken(name, values):
    check_ranges({name: SearchRange(**values)}, TABLES)


@pytest.mark.parametrize(("name", "values", "message"), [
    ("table.raet", {"low": 0, "high": 1}, "'table.raet' must be a setting of the experiment, and "
     "isn't one: did you mean table.rate?"),
    ("chair.legs", {"low": 0, "high": 1}, "'chair.legs' must be a setting of the experiment, and "
     "isn't one: tables are table"),
    ("rate", {"low": 0, "high": 1}, "'rate' must be a setting of the experiment, and isn't one: "
     "tables are table"),
    ("table.size", {"low": 1.5, "high": 3},
     "'table.size' must not become 1.5, which is of another type than the setting"),
    ("table.name", {"choices": ("a", 3)},
     "'table.name' must not become 3, which is of another type than the setting"),
])
def test_ranges_of_nothing_or_of_another_type_are_refused(name, values, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        check_ranges({name: SearchRange(**values)}, TABLES)
