"""mlGeNN: EventProp on a tick grid with learned delays, one recording at a time; needs g++.

Compiled with -O3, which GeNN leaves out unless told.
"""

import os
import tempfile

import numpy as np
from measure import best
from ml_genn import Connection, Network, Population
from ml_genn.compilers import EventPropCompiler
from ml_genn.compilers.event_prop_compiler import default_params
from ml_genn.connectivity import Dense
from ml_genn.initializers import Normal, Uniform
from ml_genn.losses import RelativeMeanSquareError
from ml_genn.neurons import LeakyIntegrate, LeakyIntegrateFire, SpikeInput
from ml_genn.optimisers import Adam
from ml_genn.synapses import Exponential
from ml_genn.utils.data import preprocess_spikes

PACKAGES = ("pygenn", "ml-genn")
BACKEND = {"backend": "single_threaded_cpu", "optimize_code": True, "batch_size": 1}
SCALE = 0.87  # of the input weights, for about 14 spikes a second
NEURON = {"v_thresh": 1.0, "tau_mem": 20.0, "tau_refrac": None}


def yinyang(task, repeats, threads):
    """Return the CPU seconds of one epoch at a tick of 0.1 ms."""
    times, labels = task.points()
    spikes = [preprocess_spikes(row.astype(np.float32) + 0.2, np.arange(5), 5) for row in times]
    steps = int(task.delay_max / 0.1)
    network = Network(default_params)
    with network:
        source = Population(SpikeInput(max_spikes=10), 5)
        hidden = Population(LeakyIntegrateFire(**NEURON), task.hidden)
        out = Population(LeakyIntegrateFire(**NEURON, readout="first_spike_time"), 3)
        learned = Connection(source, hidden, Dense(Normal(mean=1.5, sd=0.78)), Exponential(5.0),
                             max_delay_steps=steps)  # fmt: skip
        Connection(hidden, out, Dense(Normal(mean=93 / task.hidden, sd=0.1)), Exponential(5.0))
    compiler = EventPropCompiler(
        example_timesteps=int(task.duration / 0.1), losses=RelativeMeanSquareError(1.0), dt=0.1,
        optimiser=Adam(0.003), softmax_temperature=0.5, ttfs_alpha=0.1, max_spikes=200,
        delay_learn_conns=[learned], **BACKEND,
    )  # fmt: skip
    return {"seconds": _epochs(compiler, network, source, out, spikes, labels, repeats)[0]}


def shd(task, repeats, threads):
    """Return CPU milliseconds a recording, forward, backward and step."""
    times, channels, labels = task.recordings()
    spikes = [
        preprocess_spikes(*row, task.inputs)
        for row in zip(times.astype(np.float32), channels, strict=True)
    ]
    steps = int(task.delay_max / task.tick)
    network = Network(default_params)
    with network:
        source = Population(SpikeInput(max_spikes=task.events + 10), task.inputs)
        hidden = Population(LeakyIntegrateFire(**NEURON), task.hidden)
        out = Population(LeakyIntegrate(tau_mem=20.0, readout="avg_var_exp_weight"), task.outputs)
        drawn = [(source, Normal(mean=0.03 * SCALE, sd=0.03 * SCALE))]
        drawn += [(hidden, Normal(mean=0.0, sd=0.02))] if task.recurrent else []
        learned = [
            Connection(pre, hidden, Dense(weights, delay=Uniform(0, steps)), Exponential(5.0),
                       max_delay_steps=steps + 1)
            for pre, weights in drawn
        ]  # fmt: skip
        Connection(hidden, out, Dense(Normal(mean=0.0, sd=0.03)), Exponential(5.0))
    compiler = EventPropCompiler(
        example_timesteps=task.steps, losses="sparse_categorical_crossentropy", dt=task.tick,
        reg_lambda_upper=2.5e-10, reg_lambda_lower=2.5e-10, reg_nu_upper=14, max_spikes=1500,
        optimiser=Adam(1e-6), delay_learn_conns=learned, **BACKEND,
    )  # fmt: skip
    cost = _epochs(compiler, network, source, out, spikes, labels, repeats)
    cpu, wall = (1e3 * seconds / task.samples for seconds in cost)
    return {"milliseconds": cpu, "wall": wall}


def _epochs(compiler, network, source, out, spikes, labels, repeats):
    os.environ["CXX"] = "g++ -march=native"
    os.chdir(tempfile.mkdtemp(prefix="mlgenn"))  # it writes its code into the working folder
    compiled = compiler.compile(network)
    with compiled:
        return best(
            lambda: compiled.train({source: spikes}, {out: labels}, num_epochs=1, callbacks=[]),
            repeats,
        )
