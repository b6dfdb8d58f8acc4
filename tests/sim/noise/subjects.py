"""Random small subjects of a noise study, and what noise does to them in plain Python."""

from dataclasses import replace

import numpy as np

from ranvier.model.emulator import Emulator
from ranvier.sim.noise import NoiseConfig
from ranvier.sim.noise.subject import Subject
from ranvier.train.samples import Dataset

from ...designs import random_config, random_parameters

MASK = 0xFFFFFFFF


class Other(Emulator):
    """A model that scores the last class one point higher."""

    def run_batch(self, samples, **options):
        result = super().run_batch(samples, **options)
        return replace(result, scores=result.scores + np.eye(result.scores.shape[1], dtype=int)[-1])


def settings(levels, **others):
    """Return the settings of a study of the kinds that have levels."""
    return NoiseConfig(kinds=tuple(levels), levels=levels, **others)


def weight(row, subject):
    """Return the weights under a row of a plan."""
    return np.array(flipped_weights(subject, row.kind.flips(row.change).tolist()), np.int32)


def random_dataset(rng, config, samples):
    """Return samples with crowded, repeated and late events, and an empty one."""
    counts = rng.integers(0, 40, samples)
    counts[0] = 0
    late = config.ticks * config.tick_us * 21 // 20
    times = [np.sort(rng.integers(0, late, n)) for n in counts]
    for t in times[1:]:
        t[: t.size // 4] = t[t.size // 4 - 1] if t.size >= 4 else t[:0]
    return Dataset(times=np.concatenate(times),
                   channels=rng.integers(0, config.inputs, counts.sum()),
                   offsets=np.cumsum([0, *counts]),
                   labels=rng.integers(0, config.outputs, samples),
                   n_channels=config.inputs, n_classes=config.outputs)


def random_subject(seed, *, samples=6, **fixed):
    """Return a `Subject`; ``fixed`` fields of its config are kept."""
    rng = np.random.default_rng(seed)
    config = random_config(rng, **fixed)
    parameters = random_parameters(rng, config)
    return Subject(parameters, random_dataset(rng, config, samples), random_map(rng, parameters))


def random_map(rng, parameters):
    """Return a fault map: a tenth of the bits of the weights, from one of three levels on."""
    stored = parameters.config.code(parameters.config.weight_bits).bits
    bits = np.argwhere(rng.random((parameters.weight.size, stored)) < 0.1)
    values = rng.integers([0, 1], [2, 4], (len(bits), 2))
    return np.concatenate([bits, values], axis=1)


def philox(counter, key):
    """Philox4x32-10 in plain integers."""
    a, b, c, d = counter
    left, right = key
    for _ in range(10):
        first, second = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = ((second >> 32) ^ b ^ left, second & MASK,
                      (first >> 32) ^ d ^ right, first & MASK)
        left, right = (left + 0x9E3779B9) & MASK, (right + 0xBB67AE85) & MASK
    return a, b, c, d


def word(seed, number, *counter, draw=0):
    """The word of one name."""
    key = philox((seed & MASK, seed >> 32, number, 0), (0, 0))[:2]
    return philox(counter, key)[draw]


def input_words(subject, seed, number, sample):
    """The words of the events of a sample that aren't late."""
    config = subject.parameters.config
    seen, words = {}, []
    for time, channel in zip(*(a.tolist() for a in subject.dataset.sample(sample)), strict=True):
        if -(-time // config.tick_us) < config.ticks:
            words.append(word(seed, number, 0, sample, channel, seen.get(channel, 0)))
            seen[channel] = seen.get(channel, 0) + 1
    return words


def flipped(subject, seed, number, instance, level):
    """Synapse and bit of every flip."""
    bits = subject.parameters.config.weight_bits
    return [[s, b] for s in range(subject.parameters.weight.size) for b in range(bits)
            if word(seed, number, instance, s, b // 4, 0, draw=b % 4) < int(level * 2**32)]


def ticks_and_channels(subject, sample, change, kind):
    """Events of a sample on the tick grid, sorted, under a change of an input kind or of none."""
    config = subject.parameters.config
    events = [(time, channel) for time, channel
              in zip(*(a.tolist() for a in subject.dataset.sample(sample)), strict=True)
              if -(-time // config.tick_us) < config.ticks]
    if kind == "event_loss":
        events = [event for i, event in enumerate(events) if i not in change]
    if kind == "input_jitter":
        last = (config.ticks - 1) * config.tick_us
        events = [(min(max(time + shift, 0), last), channel)
                  for (time, channel), shift in zip(events, change, strict=True)]
    return sorted({(-(-time // config.tick_us), channel) for time, channel in events})


def flipped_weights(subject, flips):
    """Weights after flips, a bit at a time."""
    bits = subject.parameters.config.weight_bits
    weights = subject.parameters.weight.tolist()
    for synapse, bit in flips:
        word = (weights[synapse] % 2**bits) ^ (1 << bit)
        weights[synapse] = word - 2**bits if word >= 2 ** (bits - 1) else word
    return weights
