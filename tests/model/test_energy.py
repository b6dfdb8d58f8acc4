import dataclasses

import numpy as np
import pytest

from ranvier.model.bank import COUNTED
from ranvier.model.energy import SOURCE, access_pj, energy, multiplication_pj, traffic

from ..designs import random_config


@pytest.fixture
def config():
    return random_config(
        np.random.default_rng(0), neurons=12, banks=1, synapse="exponential", adaptive=True,
        readout="leaky", delay_max=20, ticks=128, trace_bits=20, guard_bits=7)


def only(**given):
    """Return counts of one sample that are 0 but for those given."""
    return {name: np.array([given.get(name, 0)]) for name in COUNTED}


def used(config, **given):
    """Return reads and writes of each memory that is used."""
    return {name: (int(use.reads[0]), int(use.writes[0]))
            for name, use in traffic(config, only(**given)).items() if use.reads[0]}


def test_each_act_has_its_accesses(config):
    assert used(config, rows=3) == {"fetch.rows": (6, 0)}
    assert used(config, synaptic_events=5, words=6, marks=5) == {
        "fetch.weights": (6, 0), "fetch.links": (6, 0), "ring.sums": (5, 5),
        "ring.marks.bits": (5, 5), "ring.marks.chunks": (5, 5), "ring.marks.groups": (5, 5)}
    thresholds = {"neurons.memory.theta0_words": (2, 0), "neurons.memory.beta_words": (2, 0)}
    assert used(config, arrivals=2, searches=2) == {
        "ring.sums": (2, 0), "neurons.memory.states": (2, 2),
        "neurons.scale.tables": (12 + 2 + 6, 0), **thresholds}
    assert used(config, looks=1, ignored=1) == {
        "neurons.memory.states": (2, 1), "neurons.scale.tables": (7, 0), **thresholds}
    assert used(config, integrations=4) == {
        "ring.sums": (4, 0), "outputs.integrals": (4, 4), "outputs.readout": (4, 0)}
    assert used(config, takes=2, chunks=3, groups=1, aims=4, early=1) == {
        "ring.marks.bits": (4, 3), "ring.marks.chunks": (6, 5), "ring.marks.groups": (3, 2)}


@pytest.mark.parametrize("delays", ["synaptic", "axonal"])
def test_each_act_of_cursors_has_its_accesses(config, delays):
    config = dataclasses.replace(config, buffer="cursor", cursors=64, delays=delays)
    part = "fetch.walk" if delays == "synaptic" else "fetch"
    assert used(config, rows=3) == {"fetch.rows": (3 if delays == "synaptic" else 6, 0)}
    assert used(config, words=4) == {f"{part}.weights": (4, 0), f"{part}.links": (4, 0)}
    assert used(config, puts=4, freed=3, handed=5, turns=2, lost=1) == {
        "fetch.wheel.heads": (6, 4), "fetch.wheel.marks": (6, 6), "fetch.wheel.pool": (5, 7)}
    assert used(config, groups=1)["fetch.wheel.marks"] == (1, 0)


def test_memories_have_the_sizes_of_the_core(config):
    uses = traffic(config, only())
    assert uses["ring.sums"][:2] == (config.sum_bits, 32 * 12)
    assert uses["neurons.scale.tables"][:2] == (17, 3 * (64 + 2) + 4)


def test_the_estimate_is_the_tables(config):
    assert SOURCE.endswith("ISSCC 2014: 45 nm, 0.9 V")
    assert access_pj(64, 8 << 7) == 10
    assert access_pj(64, (8 << 7) + 1) == 20
    assert access_pj(8, 32 << 10) == 20 / 8
    assert access_pj(32, 1 << 30) == 50
    assert multiplication_pj(32, 32) == 3.1
    found = energy(config, only(synaptic_events=1))
    assert found.arithmetic[0] == pytest.approx(0.1 * config.sum_bits / 32)
    assert found.memories[0] == 2 * access_pj(config.sum_bits, 32 * 12)  # read and written
    assert found.total[0] == found.memories[0] + found.arithmetic[0]
