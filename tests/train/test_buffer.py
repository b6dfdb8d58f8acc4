"""The delay buffer of a design: as asked for, or the one that takes fewer bits."""

from dataclasses import replace

import numpy as np
import pytest

from ranvier.model.flight import needed_cursors
from ranvier.model.memory import buffer_memory, fetch_memories
from ranvier.model.parameters import Parameters
from ranvier.train.buffer import choose_buffer, memory_lines
from ranvier.train.design import DesignConfig
from ranvier.train.quantise import quantise

from ..designs import random_config, random_events, random_parameters
from .nets import TANGLE, random_net

PLAIN = {"rows": "sparse", "delays": "synaptic", "segments": 1, "dendrites": 0, "dendritic_max": 0}


def draw(delay_max):
    rng = np.random.default_rng(4)
    config = random_config(rng, delay_max=delay_max, neurons=10, ticks=100)
    return random_parameters(rng, config), [random_events(rng, config, rate=0.02)] * 2


@pytest.mark.parametrize(("delay_max", "chosen"), [(3, "ring"), (4000, "cursor")])
def test_auto_takes_the_buffer_of_fewest_bits(delay_max, chosen):
    parameters, samples = draw(delay_max)
    found, report = choose_buffer(parameters, DesignConfig(buffer="auto"), samples)
    needed = needed_cursors(found, samples)
    assert report["stored"].split(",")[0] == found.config.buffer == chosen
    assert report["needed"] == needed
    assert report["memory"][report["stored"]] == buffer_memory(found.config)
    assert report["memory"][report["stored"]]["bits"] == min(
        memory["bits"] for memory in report["memory"].values())
    assert sum(line.endswith("taken") for line in memory_lines(report)) == 1
    if chosen == "cursor":
        assert 2 * needed <= found.config.cursors < 4 * needed


def test_a_buffer_that_is_asked_for_is_taken():
    parameters, samples = draw(3)
    found, report = choose_buffer(parameters, DesignConfig(), None)
    assert found is parameters
    assert report["memory"] == {"ring": buffer_memory(parameters.config)}
    found, _ = choose_buffer(parameters, DesignConfig(buffer="cursor", cursors=512), samples)
    assert (found.config.buffer, found.config.cursors) == ("cursor", 512)


@pytest.mark.parametrize("buffer", ["ring", "cursor"])
@pytest.mark.parametrize("delays", ["synaptic", "axonal", "axonal+dendritic"])
@pytest.mark.parametrize("rows", ["sparse", "dense"])
def test_rows_are_stored_as_asked_for_in_just_enough_room(rows, delays, buffer):
    if (rows, delays, buffer) == ("dense", "synaptic", "cursor"):
        return
    rng = np.random.default_rng(5)
    fixed = {"rows": rows, "delays": delays, "segments": 1 if delays == "synaptic" else 2}
    able = random_parameters(rng, random_config(rng, delay_max=9, **fixed))
    plain = Parameters(**{**vars(able), "config": replace(able.config, **PLAIN)})
    samples = [random_events(rng, able.config, rate=0.02)]
    design = DesignConfig(rows=rows, delays=delays, buffer=buffer)
    found, report = choose_buffer(plain, design, samples)
    config = found.config
    assert (config.rows, config.delays, config.segments) == tuple(fixed.values())
    assert (config.buffer, config.dendrites) == (buffer, able.config.dendrites)
    assert list(report["memory"]) == [report["stored"]]
    assert needed_cursors(found, samples) <= max(2, config.cursors) or buffer == "ring"
    if (rows, delays) != ("sparse", "synaptic"):
        with pytest.raises(ValueError, match=f"must have at most {config.synapses - 1} synapses"):
            Parameters(**{**vars(found), "config": replace(config, synapses=config.synapses - 1)})


def test_too_few_cursors_are_refused_with_the_number_that_is_needed():
    parameters, samples = draw(4000)
    needed = needed_cursors(parameters, samples)
    with pytest.raises(ValueError, match=f"^Design cursors must be at least {needed}, which the "
                                         "samples need, not 2$"):
        choose_buffer(parameters, DesignConfig(buffer="cursor", cursors=2), samples)


@pytest.mark.parametrize(("values", "message"), [
    ({"buffer": "fifo"}, "Design buffer must be one of ring, cursor, auto, not 'fifo'"),
    ({"rows": "full"}, "Design rows must be one of sparse, dense, not 'full'"),
    ({"delays": "axonal", "buffer": "auto"},
     "Design delays must be left out with auto, not 'axonal'"),
    ({"cursors": 8}, "Design cursors must be left out with the ring, not 8"),
])
def test_what_makes_no_sense_is_refused(values, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        DesignConfig(**values)


def test_delays_that_are_no_sums_are_not_stored_as_such():
    parameters, _ = draw(3)
    with pytest.raises(ValueError, match=r"^Delays must be trained as axonal\+dendritic to be "
                                         "stored so, not in another mode: store them as"):
        choose_buffer(parameters, DesignConfig(delays="axonal+dendritic"), None)


@pytest.mark.parametrize("connections", [None, TANGLE])
def test_a_network_whose_delays_are_sums_is_stored_without_any_per_synapse(connections):
    network = random_net(3, delays="axonal+dendritic", connections=connections, duration=20.0,
                         hidden=(40, 30))
    parameters, _ = quantise(network, DesignConfig(tick=0.1))
    config = parameters.config
    samples = [random_events(np.random.default_rng(1), config, rate=0.02)]
    _, report = choose_buffer(parameters, DesignConfig(buffer="auto"), samples)
    memory = report["memory"]
    assert len(memory) == 7  # a source has too many delays for axonal ones alone
    assert memory["ring, axonal+dendritic"]["bits"] < memory["ring"]["bits"]
    for buffer in ("ring", "cursor"):
        design = DesignConfig(buffer=buffer, delays="axonal+dendritic")
        found, _ = choose_buffer(parameters, design, samples)
        config = found.config
        assert (config.delays, config.dendrites) == (design.delays, 1 if connections is None else 4)
        assert buffer_memory(config) == memory[f"{buffer}, axonal+dendritic"]
        assert found.delay is parameters.delay
        assert fetch_memories(config)["fetch.links.tile_0"][0] == config.local_bits
