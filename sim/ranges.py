"""What a search may change: the table ``[search]`` of an experiment."""

import json
from dataclasses import dataclass, fields
from difflib import get_close_matches

from pydantic import TypeAdapter, ValidationError

__all__ = ["SearchRange", "check_ranges"]

Value = bool | int | float | str | tuple[int, ...] | tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class SearchRange:
    """The values that one setting may take: a range of numbers, or a list of choices.

    Parameters
    ----------
    low, high : int or float
        The range, ends included; whole numbers if both are.
    log : bool
        Whether to draw the logarithm evenly, not the number.
    choices : tuple
        The values, at least two; then there's no range.
    """

    low: int | float | None = None
    high: int | float | None = None
    log: bool = False
    choices: tuple[Value, ...] = ()

    def __post_init__(self):
        if bool(self.choices) == (self.low is not None or self.high is not None or self.log):
            raise ValueError("A range must have either low and high, or choices, not "
                             f"{'both' if self.choices else 'neither'}")
        if self.choices:
            if len(self.choices) < 2:
                raise ValueError(f"choices must be two or more, not {list(self.choices)}")
            return
        if self.low is None or self.high is None or not self.low < self.high < float("inf"):
            raise ValueError(f"low must be below high, not {self.low} and {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"low must be above 0 for a logarithm, not {self.low}")

    @property
    def ends(self) -> tuple:
        """Values that must fit the setting for all to fit."""
        return self.choices or (self.low, self.high)


def check_ranges(ranges, tables):
    """Check that each range is of a setting that there is, and of its type.

    Parameters
    ----------
    ranges : dict of str to SearchRange
        By ``table.setting``.
    tables : dict of str to type
        The dataclass of each table in which a search may change settings.

    Raises
    ------
    ValueError
        If one isn't.
    """
    known = {f"{table}.{f.name}": f.type for table, part in tables.items() for f in fields(part)}
    for name, values in ranges.items():
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"tables are {', '.join(tables)}"
            raise ValueError(f"{name!r} must be a setting of the experiment, and isn't one: {hint}")
        for value in values.ends:
            try:
                TypeAdapter(known[name]).validate_json(json.dumps(value), strict=True)
            except ValidationError:
                raise ValueError(f"{name!r} must not become {value!r}, which is of another type "
                                 "than the setting") from None
