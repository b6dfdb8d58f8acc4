"""Synthesises a spread of cores, and fits to them what `hw.synthesis.predict` predicts with.

    .venv/bin/python bench/luts.py             # all of it takes an hour or two
    .venv/bin/python bench/luts.py up5k hx8k   # the other devices stay as they are
    .venv/bin/python bench/luts.py --known     # fits to the cores that are in bench/results/luts;
                                               # devices of which there are none stay as they are

Writes hw/synthesis/coefficients.json, and prints the errors for cores that were left out of the
fit one by one. It can be stopped at any time: what was synthesised stays in bench/results/luts.
"""

import argparse
import copy
import json
import re

import numpy as np
from registry import ROOT, code_hash
from scipy.optimize import nnls

from ranvier.hw.core import NeuronCore
from ranvier.hw.synthesis.cells import core_cells, unit_cells, write_design
from ranvier.hw.synthesis.devices import DEVICES, FAMILIES, PINS
from ranvier.hw.synthesis.predict import (
    FITTED,
    FITTED_ON,
    LIKE,
    LOGIC,
    features,
    multipliers,
    product_bits,
    unit_of,
)
from ranvier.hw.synthesis.tools import run
from ranvier.model.config import CoreConfig

PACKED = {"ecp5": ("TRELLIS_COMB",), "ice40": ("ICESTORM_LC",), "gowin": ("LUT4", "ALU")}
"""What nextpnr calls the places of LUTs that are in use, by family."""
TARGET = ROOT / "hw" / "synthesis" / "coefficients.json"
RESULTS = ROOT / "bench" / "results" / "luts"
SOURCES = ("hw/*.py", "model/config.py", "model/sizes.py", "model/tables.py",
           "hw/synthesis/cells.py", "hw/synthesis/devices.py", "hw/synthesis/harness.py")
CORES = 20
FEW = (9, 10, 12)  # of them, for devices that are like others
SEED = 6
WAYS = (
    {}, {"buffer": "cursor"}, {}, {"rows": "dense"}, {"buffer": "cursor"}, {"delays": "axonal"},
    {}, {"buffer": "cursor"}, {"rows": "dense", "delays": "axonal"},
)  # fmt: skip
READOUTS = ("leaky", "first-spike", "spike-count", "leaky")


def spread(count=CORES):
    """Return configs from small to large in every respect, the same each time."""
    rng = np.random.default_rng(SEED)
    found = []
    for k in range(count):
        way = dict(WAYS[k % len(WAYS)])
        neurons = int(rng.choice([8, 20, 33, 64, 133, 256, 400]))
        outputs = int(rng.integers(2, min(20, neurons)))
        inputs = int(rng.choice([4, 10, 26, 70, 256, 700]))
        trace, weight = int(rng.choice([18, 20, 22, 24])), int(rng.choice([3, 4, 6, 8, 10, 12]))
        ticks = int(rng.choice([60, 300, 1500, 3000, 10_000]))
        banks = int(rng.choice([1, 1, 1, 2, 2, 3]))
        longest = int(rng.choice([3, 15, 60, 120, 255, 800]))
        if "buffer" in way:
            way["cursors"] = int(rng.choice([32, 128, 512, 2048]))
            longest = int(rng.choice([100, 400, 800, 4000]))
        if "delays" in way:
            way["segments"] = int(rng.choice([1, 2, 4]))
        fan_in = int(min(neurons + inputs, rng.choice([10, 40, 150, 400])))
        found.append(CoreConfig(
            inputs=inputs, neurons=neurons, outputs=outputs, readout=READOUTS[k % 4],
            synapse="jump" if rng.random() < 0.2 else "exponential",
            adaptive=bool(rng.random() < 0.6), tick=1.0,
            ticks=ticks, tau_m=20.0, tau_s=5.0, tau_a=float(rng.choice([20.0, 100.0])),
            delay_max=longest, fan_in=fan_in,
            synapses=int(min(45_000, max(8, fan_in * neurons // banks))),
            weight_bits=weight, trace_bits=trace, guard_bits=int(max(4, trace - weight - 8)),
            banks=banks, **way))
    return found


def synthesised(number, config, name, known=False):
    """Return the cells of a core, of its units, and of the device after packing.

    With ``known``, None if they aren't known yet, of whatever code.
    """
    folder = RESULTS / f"{number}-{name}"
    path = folder / "cells.json"
    key = {"config": config.to_json(), "code": code_hash(SOURCES)}
    old = json.loads(path.read_text()) if path.exists() else None
    if known:
        return old if old and old["key"]["config"] == key["config"] else None
    if old and old["key"] == key:
        return old
    folder.mkdir(parents=True, exist_ok=True)
    device = DEVICES[name]
    write_design(NeuronCore(config), folder)
    found = {"key": key, "cells": core_cells(device, folder), "packed": packed(device, folder),
             "units": {} if name in LIKE else unit_cells(device, folder)}
    path.write_text(json.dumps(found))
    for rest in folder.glob("*"):
        if rest != path:
            rest.unlink()
    return found


def packed(device, folder):
    """Return what nextpnr says that a netlist takes, by its own kinds."""
    family = FAMILIES[device.family]
    if device.pins:
        (folder / PINS).write_text(
            "".join(f'IO_LOC "{port}" {pin};\n' for port, pin in device.pins.items()))
    said = run(family.program, [*device.options, *family.fixed, "--json", "netlist.json",
                                "--pack-only"], folder)
    (folder / "pack.log").write_text(said)
    lines = re.findall(r"Info:\s+(\w+):\s+(\d+)/\s*\d+", said)
    return {kind: int(count) for kind, count in lines}


class Fit:
    """Coefficients for a device, of cores: pairs of a config and its cells.

    With ``like``, what the file says of another device, those are taken times a factor.
    """

    def __init__(self, name, cores, like=None):
        self._name, self._family = name, DEVICES[name].family
        self._kinds = [kind for kind in FITTED if kind in FAMILIES[self._family].cells]
        self.products = {}
        self.units = copy.deepcopy(like["units"]) if like else self._fit_units(cores)
        for kind in self._kinds:
            # Flattened, a core is somewhat smaller than its units.
            counts = np.array([found["cells"][kind] for _, found in cores], float)
            columns = [np.array([self._sum(config, kind) for config, _ in cores]) / counts]
            if like:  # a factor of 1 counts as a core
                columns.append(np.array([product_bits(config) for config, _ in cores]) / counts)
                columns = [np.append(column, one)
                           for column, one in zip(columns, (1.0, 0.0), strict=True)]
            matrix = np.array(columns).T
            factor, *product = nnls(matrix, np.ones(len(matrix)))[0]
            if like:
                self.products[kind] = float(product[0])
            for part in self.units.values():
                for coefficients in part.values():
                    coefficients[kind] *= float(factor)
        self.packed = self._fit_packed(cores)

    def _fit_units(self, cores):
        """Return the coefficients of each unit: by unit, feature and kind of cell."""
        units = {}
        for name in {unit for config, _ in cores for unit in features(config, self._family)}:
            rows, counts = [], []
            for config, found in cores:
                widths = features(config, self._family)
                if name in widths:
                    rows.append(list(widths[name].values()))
                    counts.append([sum(cells[kind] for path, cells in found["units"].items()
                                       if path != "harness" and unit_of(path, config) == name)
                                   for kind in self._kinds])
                    order = list(widths[name])
            matrix, counts = np.array(rows, float), np.array(counts, float)
            weight = 1 / np.sqrt(np.maximum(counts[:, 0], 20.0))  # small units count as well
            fitted = [nnls(matrix * weight[:, None], counts[:, k] * weight)[0]
                      for k in range(len(self._kinds))]
            units[name] = {feature: {kind: float(fitted[k][n])
                                     for k, kind in enumerate(self._kinds)}
                           for n, feature in enumerate(order)}
        return units

    def _sum(self, config, kind):
        products = self.products.get(kind, 0.0) * product_bits(config)
        return products + sum(value * self.units[unit][feature][kind]
                              for unit, part in features(config, self._family).items()
                              for feature, value in part.items())

    def _fit_packed(self, cores):
        kinds = [*self._kinds, *(["LUT RAM"] if "LUT RAM" in FAMILIES[self._family].cells else [])]
        matrix = np.array([[found["cells"][kind] for kind in kinds] for _, found in cores], float)
        taken = np.array([self.taken(found) for _, found in cores], float)
        fitted = nnls(matrix / taken[:, None], np.ones(len(cores)))[0]
        return dict(zip(kinds, map(float, fitted), strict=True))

    def taken(self, found):
        return sum(found["packed"][kind] for kind in PACKED[self._family])

    def predicted(self, config, found):
        """Return the prediction for a core; its LUT RAM is predicted exactly elsewhere."""
        cells = {kind: self._sum(config, kind) for kind in self._kinds}
        cells["LUT RAM"] = found["cells"].get("LUT RAM", 0)
        return cells | {LOGIC: sum(value * cells[kind] for kind, value in self.packed.items())}

    def errors(self, config, found):
        """Return the relative error for a core, by kind."""
        told = self.predicted(config, found)
        real = found["cells"] | {LOGIC: self.taken(found)}
        return {kind: told[kind] / real[kind] - 1 for kind in ("LUT4", "flip-flop", LOGIC)}


def fitted(name, known, like):
    """Fit a device; prints the errors of each core, and returns what the file says of it.

    ``like`` : that of the device that it's like, or None.
    """
    numbers = FEW if name in LIKE else range(CORES)
    configs = spread()
    cores = [(configs[k], synthesised(k, configs[k], name, known)) for k in numbers]
    cores = [(config, found) for config, found in cores if found is not None]
    if len(cores) < 2:
        raise SystemExit(f"Cores of {name} must be 2 or more to be fitted to, not {len(cores)}")
    print(f"{name}: {len(cores)} cores" + (f", like {LIKE[name]}" if like else ""))
    worst = {}
    for k, (config, found) in enumerate(cores):
        errors = Fit(name, cores[:k] + cores[k + 1:], like).errors(config, found)
        print(f"  {found['cells']['LUT4']:>6} LUT4 in {config.banks} banks, {config.buffer}: "
              + ", ".join(f"{kind} {error:+.1%}" for kind, error in errors.items())
              + f", multipliers {multipliers(config, name)} of {found['cells']['multiplier']}")
        for kind, error in errors.items():
            worst.setdefault(kind, []).append(abs(error))
    for kind, errors in worst.items():
        print(f"  {kind}: largest error {max(errors):.1%}, mean {np.mean(errors):.1%}")
    fit = Fit(name, cores, like)
    # A few cores say less than those of the device that it's like.
    fit.error = {kind: max(float(np.ceil(1000 * max(errors)) / 1000),
                           like["error"][kind] if like else 0.0) for kind, errors in worst.items()}
    return {"cores": len(cores), "units": _rounded(fit.units), "packed": _rounded(fit.packed),
            "products": _rounded(fit.products),
            "error": fit.error}


def _rounded(values):
    if isinstance(values, dict):
        return {key: _rounded(value) for key, value in sorted(values.items())}
    return round(values, 4)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--known", action="store_true", help="synthesise nothing")
    parser.add_argument("devices", nargs="*", choices=FITTED_ON, default=FITTED_ON,
                        metavar="DEVICE", help=f"devices to fit, of {', '.join(FITTED_ON)}; all")
    asked = parser.parse_args()
    found = json.loads(TARGET.read_text())["devices"]
    for name in FITTED_ON:
        few = asked.known and len(list(RESULTS.glob(f"*-{name}/cells.json"))) < 2
        if few or name not in asked.devices:
            print(f"{name}: as it was")
        else:
            found[name] = fitted(name, asked.known, found.get(LIKE.get(name)))
    TARGET.write_text(json.dumps({"command": "bench/luts.py", "devices": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
