"""One proof: a specification, its size, and how it's proven."""

from collections.abc import Callable
from dataclasses import dataclass, field
from inspect import getdoc

from .solver import solve

__all__ = ["Proof"]


@dataclass(frozen=True)
class Proof:
    """A property of a unit at one size.

    Parameters
    ----------
    name : str
        Names the property, at any size.
    specify : callable
        Returns the specification, a Module with assertions. The first line of its docstring is
        the property.
    size : dict
        Keyword arguments of ``specify``.
    depth : int
        Cycles of the induction, or of the search if it's bounded.
    induction : bool
    whole : bool
        As of `solve`.
    """

    name: str
    specify: Callable
    size: dict = field(default_factory=dict)
    depth: int = 1
    induction: bool = True
    whole: bool = False

    @property
    def claim(self):
        """The property in words."""
        return getdoc(self.specify).splitlines()[0]

    @property
    def shape(self):
        """The size in words."""
        return ", ".join(f"{value.trace_bits}-bit traces, {value.ticks} ticks" if name == "config"
                         else f"{name} {value}" for name, value in self.size.items())

    def prove(self, folder):
        """Prove it; see `solve`. ``folder`` is made.

        Returns
        -------
        dict
            Ready for JSON: ``name``, ``property``, ``size``, ``mode`` (``"induction"`` or
            ``"bounded"``), ``depth``, ``holds``, ``seconds``; ``where`` and ``trace`` of a failure,
            and ``reached``: it happens from the start on, and isn't only a step of the induction.
        """
        folder.mkdir(parents=True, exist_ok=True)
        verdict = solve(self.specify(**self.size), folder, depth=self.depth,
                        induction=self.induction, whole=self.whole)
        return {
            "name": self.name,
            "property": self.claim,
            "size": self.shape,
            "mode": "induction" if self.induction else "bounded",
            "depth": self.depth,
            "holds": verdict.holds,
            "seconds": round(verdict.seconds, 1),
            "where": verdict.where,
            "trace": str(verdict.trace) if verdict.trace else "",
            "reached": verdict.holds or verdict.by == "bounded",
        }
