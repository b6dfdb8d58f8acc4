"""Rows on noise-aware training: chips with thresholds of their own, and DelGrad's noise.

A chip is a drawn device. Each runs the whole test set on the integer model. All samples of a chip
share its faults, so intervals are over chips, not over samples.
"""

from dataclasses import asdict, dataclass, replace

import numpy as np
from registry import ENGINE, row

from ranvier.model.emulator import Emulator
from ranvier.sim.experiment import load_experiment
from ranvier.sim.noise.instances import compare_instances, spread
from ranvier.sim.noise.normal import STEPS, normal
from ranvier.sim.noise.philox import stream_key, words
from ranvier.sim.noise.values import with_values
from ranvier.sim.workers import in_order, open_pool
from ranvier.train.datasets import load_dataset
from ranvier.train.quantise import encode_dataset, quantise

from .accuracy import example, run_seeds, trained, variant_changes

VARIANTS = ("weights", "all")
"""Those of the ablation that are compared: without delays and adaptation, and with both."""
SEEDS = 3
"""Networks of each variant and training."""
CHIPS = 59
"""Of 59 chips the worst bounds 95 % of all chips, with a confidence of 95 %."""
TRIAL = 10
"""Samples that share what is drawn anew from trial to trial."""

SEED = 0  # of all random words
WHOLE = 10_000  # thresholds differ by whole ten thousandths
PATTERN, AGAIN, LATE = 101, 102, 103
"""Numbers of the streams of random words: fixed patterns, thresholds of a trial, jitter."""


@dataclass(frozen=True, kw_only=True)
class Noise:
    """By how much devices differ from their design.

    Parameters
    ----------
    mean, pattern : int
        Mean and standard deviation of a chip's thresholds, of each neuron its own, in ten
        thousandths of ``theta0``.
    trial : int
        Standard deviation of what is added to these in each trial, in the same unit.
    jitter : int
        Standard deviation of what is added to each synapse's delay in a trial, us. Where a source
        fires once in a sample, that's a jitter of each synaptic event.
    """

    mean: int = 0
    pattern: int = 0
    trial: int = 0
    jitter: int = 0

    @property
    def lasts(self):
        """Whether all of a chip's trials are alike."""
        return not (self.trial or self.jitter)


DELGRAD = Noise(mean=500, pattern=310, trial=150, jitter=50)
"""What DelGrad's simulation of its hardware has: 0.01 tau_s of 5 ms are 50 us."""
DELGRAD_BITS = 7
"""A sign and 6 bits, as DelGrad's have: 63 steps of either sign."""
COARSE = 6
"""With the sign among them."""
LEVELS = {"1 %": Noise(pattern=100), "3 %": Noise(pattern=300), "10 %": Noise(pattern=1000)}

ALONE = {"weight_noise": 0.0, "delay_noise": 0.0, "loss_scale": 0.15, "beta": 3.0}
TRAININGS = {
    "plain": ("yinyang", {}),
    "1 %": ("yinyang_noise", {"theta_noise": 0.01, **ALONE}),
    "3 %": ("yinyang_noise", {"theta_noise": 0.03, **ALONE}),
    "10 %": ("yinyang_noise", {"theta_noise": 0.1, **ALONE}),
    "aware": ("yinyang_noise", {}),
}
"""Example, and what changes in its training. Those of a level have noise on thresholds alone, loss
and adaptation of plain training, and larger first weights. Plain training has 1 %, too."""


def disturbed(parameters, noise, chip, trial):
    """Return the `Parameters` of one chip in one trial; ``theta0`` and delays keep their bounds."""
    theta0, delay = parameters.theta0, parameters.delay
    moved = (
        noise.mean * STEPS + noise.pattern * drawn(PATTERN, chip, 0, theta0.size)
        + noise.trial * drawn(AGAIN, chip, trial, theta0.size)
    )  # fmt: skip
    late = noise.jitter * drawn(LATE, chip, trial, delay.size)
    theta0 = theta0 + _nearest(theta0 * moved, WHOLE * STEPS)
    delay = delay + _nearest(late, parameters.config.tick_us * STEPS)
    return with_values(with_values(parameters, "theta0", theta0), "delay", delay)


def drawn(number, chip, trial, size):
    """Return (size,) int64 normal numbers, in `STEPS` per standard deviation."""
    return normal(words(stream_key(SEED, number), chip, trial, np.arange(size), 0)[:, 0])


def _nearest(value, unit):
    return (value + unit // 2) // unit


def on_chips(parameters, dataset, noise, chips=CHIPS):
    """Return whether each chip is right on each sample: (chips, samples) bool."""
    events = encode_dataset(dataset, parameters.config)
    size = len(events) if noise.lasts else TRIAL
    right = np.zeros((chips, len(events)), bool)
    for chip in range(chips):
        for trial, start in enumerate(range(0, len(events), size)):
            part = slice(start, start + size)
            device = Emulator(disturbed(parameters, noise, chip, trial))
            found = device.run_batch(events[part], threads=1, counters=False)
            right[chip, part] = found.decisions == dataset.labels[part]
    return right


def summary(found):
    """Return the `Spread` of networks on chips in percent, ready for JSON.

    A chip's accuracy is the mean of the networks on it, and intervals are over chips, for these
    networks; ``worst`` is that of one network on one chip.

    Parameters
    ----------
    found : (networks, chips, samples) bool
    """
    figures = asdict(spread(np.concatenate(found, axis=1), SEED)) | {
        "worst": found.mean(axis=2).min(), "by network": found.mean(axis=(1, 2))}
    return {name: _percent(value) for name, value in figures.items()}


def gain(first, second):
    """Return by how many points the ``second`` networks are better than the ``first``."""
    both = (np.concatenate(found, axis=1) for found in (first, second))
    mean, interval = compare_instances(*both, SEED)
    return {"mean": _percent(mean), "interval": _percent(interval)}


def _percent(share):
    return None if share is None else (100 * np.array(share)).tolist()


def networks(context, training, variant):
    """Return the `SEEDS` networks of a training and a variant; plain ones are the ablation's."""
    source, changes = TRAININGS[training]
    place = "ablation/yinyang" if training == "plain" else f"robust/{training.split(' ')[0]}"
    folder = f"{place}/{variant.replace(', ', '-')}-30"
    tables = variant_changes(variant)
    tables["train"] = changes | tables["train"]
    tables["network"] = tables["network"] | {"hidden": [30]}
    run_seeds(context, folder, example(source), tables, SEEDS)
    return trained(context, folder)[:SEEDS]


def compare(context, trainings, noises, bits, whole=()):
    """Judge every variant after some trainings under some noises, on the same chips.

    Parameters
    ----------
    trainings : (names, ...)
        Of `TRAININGS`.
    noises : dict of str to Noise
    bits : int
        Of a weight.
    whole : (names, ...)
        Trainings that the variant "all" has beside these.

    Returns
    -------
    dict
        By variant, noise and training, what `summary` gives; and, as ``"aware - plain"``, what
        a training has more than the first: what `gain` gives.
    """
    experiment = load_experiment(example("yinyang_noise"))
    sizes = {"train_size": 200, "validation_size": 100, "test_size": 100} if context.quick else {}
    test = load_dataset(replace(experiment.data, **sizes))["test"]
    design = replace(experiment.design, weight_bits=bits)
    chips = 2 if context.quick else CHIPS
    result = {}
    with open_pool(1 if context.quick else SEEDS) as pool:
        for variant in VARIANTS:
            rounded = {
                training: [quantise(net, design)[0] for net in networks(context, training, variant)]
                for training in (*trainings, *(whole if variant == "all" else ()))
            }
            for name, noise in {"none": Noise(), **noises}.items():
                found = {
                    training: np.array(list(in_order(pool, on_chips, (
                        (one, test, noise, chips if noise != Noise() else 2) for one in nets))))
                    for training, nets in rounded.items()
                }  # fmt: skip
                figures = {training: summary(values) for training, values in found.items()}
                first, *others = found
                figures |= {
                    f"{other} - {first}": gain(found[first], found[other]) for other in others
                }
                result.setdefault(variant, {})[name] = figures
    return result


def chosen(found, which):
    """Return mean, and detail with interval, of some (variant, noise, training) of `compare`."""
    figures = [found[variant][noise][training] for variant, noise, training in which]
    return [one["mean"] for one in figures], found | {
        "interval": [one["interval"] for one in figures]}


SOURCES = (
    *ENGINE, "bench/rows/robust.py",
    *(f"sim/noise/{name}.py" for name in ("instances", "normal", "philox", "values")),
    "examples/yinyang.toml", "examples/yinyang_noise.toml",
)  # fmt: skip


@row(
    "delgrad", f"Yin-Yang 5-30-3 under DelGrad's noise, {CHIPS} chips, {SEEDS} seeds, weights of "
    "6 bits and a sign: without delays, noise-aware / with delays, not noise-aware / with "
    "delays, noise-aware, mean", "%", SOURCES,
)  # fmt: skip
def delgrad(context):
    """Without delays there's no adaptation either, as in DelGrad; not noise-aware is 1 %.

    The detail has the same with a bit less as well.
    """
    found, coarse = (
        compare(context, ("plain", "aware"), {"delgrad": DELGRAD}, bits, whole=("1 %",))
        for bits in (DELGRAD_BITS, COARSE)
    )
    which = (("weights", "aware"), ("all", "1 %"), ("all", "aware"))
    values, detail = chosen(found, [(variant, "delgrad", training) for variant, training in which])
    return values, detail | {f"{COARSE} bits with the sign": coarse}


@row(
    "threshold", f"Yin-Yang 5-30-3, thresholds off by {' / '.join(LEVELS)} (sd) for good, {CHIPS} "
    f"chips, {SEEDS} seeds, trained for as much, mean", "%", SOURCES,
)  # fmt: skip
def threshold(context):
    """Each training at every level, and without delays and adaptation, is in the detail."""
    found = compare(context, ("plain", "3 %"), LEVELS, 8, whole=("1 %", "10 %"))
    return chosen(found, [("all", level, level) for level in LEVELS])
