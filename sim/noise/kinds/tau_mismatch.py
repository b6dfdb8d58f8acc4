"""Time constants are off, on each chip in another way."""

from dataclasses import replace

import numpy as np

from ....model.tables import make_tables
from ..kind import limited
from ..normal import largest
from ..values import ANALOG, MILLION, ValueKind

NAMES = ("tau_m", "tau_s", "tau_a")
LEAST = MILLION // 10
CLOSEST = 1.01  # tau_m over tau_s, at the least: the core needs the first to be the longer one


class TauMismatch(ValueKind):
    """Multiplies tau_m, tau_s and tau_a by 1 + a normal number: neurons of a core share them.

    Decay tables, the readout's and the sleep rule's are those of the changed constants. They stay
    in order, and tau_s as long as the words of the sleep rule can tell.
    """

    name = "tau_mismatch"
    number = 10
    array = "tables"
    origin = ANALOG + "mismatch of the leaks of an analog chip"
    levels = (0.02, 0.05, 0.1, 0.2)
    meaning = "millionths added to tau_m, tau_s and tau_a"

    def values(self, subject):
        return np.full(len(NAMES), MILLION, np.int64)

    def check(self, change, amount, subject, sample):
        most = self.change(np.full(len(NAMES), largest() * MILLION), amount) + 1
        limited(change, len(NAMES), -most, most, "time constants")

    def parameters(self, change, subject):
        parameters = subject.parameters
        config = replace(parameters.config, **self._constants(change, parameters.config))
        return replace(parameters, tables=make_tables(config))

    def counts(self, change, subject, sample):
        config = subject.parameters.config
        found = self._constants(change, config)
        moved = [abs(found[name] / getattr(config, name) - 1 - added / MILLION) > 1e-9
                 for name, added in zip(NAMES, change.tolist(), strict=True)]
        return {"values": len(NAMES), "clamped": sum(moved)}

    @staticmethod
    def _constants(change, config):
        """Return the time constants of a chip by name, in ms, as near as the core can have them."""
        wanted = {name: getattr(config, name) * max(LEAST, MILLION + added) / MILLION
                  for name, added in zip(NAMES, change.tolist(), strict=True)}
        # The sleep rule has a word for what Q loses in a tick: at most 1 / 2^slope_bits.
        share = 1 - 2.0 ** -config.slope_bits
        shortest = 0.0 if config.slope_bits == 0 else -config.tick / np.log(share)
        tau_s = max(wanted["tau_s"], float(shortest))
        tau_m = max(wanted["tau_m"], CLOSEST * tau_s)
        return {"tau_m": tau_m, "tau_s": tau_s, "tau_a": max(wanted["tau_a"], tau_m)}
