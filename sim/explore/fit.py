"""Which devices a run's design fits, by prediction, and which changes would make it fit others."""

from functools import cached_property
from itertools import product

from ...hw.synthesis.devices import DEVICES, find_device
from ...hw.synthesis.predict import LOGIC, error_of, predict
from ...model.config import BUFFERS, DELAYS, ROWS
from ...model.parameters import Parameters
from ..designs import Subject, changed, storages

__all__ = ["LIMITS", "fit"]

LIMITS = {LOGIC: "LUT4", "block RAM": "block RAM", "multiplier": "multiplier"}
"""Kinds of cells that a core can lack, and what a device has of each."""
SUGGESTED = 3  # changes that are told for a device
BANKS = (1, 2, 4)
KEPT = ("banks", "buffer", "rows", "delays")  # results don't depend on them


def fit(run, names=None):
    """Say what a run's design needs of devices, and what would make it fit.

    Parameters
    ----------
    run : RunFolder
        With a design and the network that it was rounded from.
    names : list of str, optional
        Of `DEVICES`; all by default.

    Returns
    -------
    dict
        What ``fit.json`` holds: docs/explore.md explains its keys.

    Raises
    ------
    ValueError
        If a file of the run is missing, or there's no such device.
    """
    parameters = Parameters.load(run.need("design.safetensors"))
    designs = _Changes(run, parameters.config)
    devices = []
    for name in names or DEVICES:
        report = _verdict(parameters.config, name)
        if not report["fits"]:
            report["changes"] = designs.that_fit(name)
            report["larger"] = _larger(parameters.config, name)
        devices.append(report)
    return {"design": parameters.hash, "devices": devices}


def _verdict(config, name):
    """Return what a core needs of a device, and whether it's there."""
    device, error = find_device(name), error_of(name)
    cells = predict(config, name)
    needs = {kind: {"needed": cells[kind], "has": device.has[of]} for kind, of in LIMITS.items()
             if cells[kind] or device.has[of]}
    lacking = [kind for kind, need in needs.items() if need["needed"] > need["has"]]
    near = abs(cells[LOGIC] - device.has["LUT4"]) <= error[LOGIC] * cells[LOGIC]
    return {
        "device": name, "part": device.part, "needs": needs, "lut4": cells["LUT4"],
        "flip_flops": cells["flip-flop"],
        "fits": not lacking,
        # So near to what there is that the prediction can't tell; the rest is exact.
        "close": near and not set(lacking) - {LOGIC}, "error": error[LOGIC],
        "changes": [], "larger": None,
    }


def _larger(config, name):
    """Return the smallest device that a core fits, of the same family if there's one; or None."""
    family = find_device(name).family
    fitting = [other for other in DEVICES if _verdict(config, other)["fits"]]
    return min(fitting, default=None, key=lambda other: (
        DEVICES[other].family != family, DEVICES[other].has["LUT4"]))


class _Changes:
    """Designs beside a run's own: those that change nothing of the results first."""

    def __init__(self, run, config):
        self._run, self._config = run, config
        self._known = {}

    def that_fit(self, name):
        """Return the first changes that make the core fit a device."""
        found = []
        for change in self._candidates():
            # What holds more changes than one that does isn't told.
            if any(one["change"].items() <= change.items() for one in found):
                continue
            config = self._configured(change)
            if config is None:
                continue
            verdict = _verdict(config, name)
            if verdict["fits"]:
                results = not set(change) <= set(KEPT)
                found.append({"change": change, "results_change": results,
                              "needs": verdict["needs"], "close": verdict["close"]})
            if len(found) == SUGGESTED:
                break
        return found

    def _candidates(self):
        """Return dicts of changed fields: first by what changes, then by how many of them."""
        own = self._config
        ways = storages(BUFFERS, ROWS, DELAYS)
        widths = {"trace_bits": [own.trace_bits, *(b for b in (20, 18) if b < own.trace_bits)],
                  "weight_bits": [own.weight_bits, *(b for b in (8, 6, 4)
                                                     if b < own.weight_bits)]}
        banks = [own.banks, *(b for b in BANKS if b != own.banks and b <= own.neurons)]
        changes = []
        for way, count, trace, weight in product(ways, banks, *widths.values()):
            values = way | {"banks": count, "trace_bits": trace, "weight_bits": weight}
            changes.append({key: value for key, value in values.items()
                            if value != getattr(own, key)})
        lost = {name: bits.index for name, bits in widths.items()}
        return sorted(filter(None, changes), key=lambda change: (
            sum(lost[name](change[name]) for name in widths if name in change), len(change)))

    def _configured(self, change):
        """Return the `CoreConfig` of a change, None if there's no such design."""
        key = tuple(sorted(change.items()))
        if key not in self._known:
            self._known[key] = self._quantised(change)
        return self._known[key]

    def _quantised(self, change):
        own = self._config
        values = {"buffer": own.buffer, "rows": own.rows, "delays": own.delays,
                  "banks": own.banks} | change
        try:
            design = changed(self._run.experiment.design, values)
            return self._subject.parameters(design).config
        except ValueError:  # the network doesn't fit it
            return None

    @cached_property
    def _subject(self):
        return Subject(self._run)
