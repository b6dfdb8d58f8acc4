"""jaxsnn: EventProp in continuous time on JAX, one fixed delay a layer at most; compiled."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxsnn.event.encode import spatio_temporal_encode, target_temporal_encode
from jaxsnn.event.loss import mse_loss
from jaxsnn.event.modules import LIF, Linear, Source
from jaxsnn.event.modules.lif.lif import LIFParameters
from jaxsnn.event.topology import Topology
from jaxsnn.event.training import update
from jaxsnn.event.types import OptState
from jaxsnn.examples.event.utils import loss_wrapper
from measure import best

PACKAGES = ("jaxsnn", "jax", "jaxlib")
TAU_S, TAU_M = 6e-6, 12e-6
COPIES = 5  # of each input spike, as in its own example


def yinyang(task, repeats, threads):
    """Return the CPU seconds of one epoch of training."""
    times, labels = task.points()
    encode = jax.vmap(
        lambda x: spatio_temporal_encode(
            x, t_late=2 * TAU_S, duplication=COPIES, duplicate_neurons=False
        )
    )
    target = jax.vmap(
        lambda y: target_temporal_encode(
            y, n_classes=3, correct_target_time=0.8 * TAU_S, wrong_target_time=1.2 * TAU_S
        )
    )
    data = {"input": encode(jnp.asarray(times / task.late))}, target(jnp.asarray(labels))
    init, apply = _network(task)
    key = jax.random.PRNGKey(task.seed)
    weights = init(key)
    optimiser = optax.chain(optax.scale(1 / TAU_S), optax.clip(0.01), optax.adam(5e-3))
    batches = task.samples // task.batch

    def loss(weights, batch):
        return loss_wrapper(apply, mse_loss, TAU_M, "lif2", 3, weights, batch)

    def step(state, batch):
        return update(optimiser, loss, state, batch)[0], 0.0

    @jax.jit
    def run(state, order):
        def cut(array):
            return array[order].reshape((batches, task.batch, *array.shape[1:]))

        return jax.lax.scan(step, state, jax.tree_util.tree_map(cut, data))[0]

    state = [OptState(optimiser.init(weights), weights, key)]
    order = np.random.default_rng(task.seed).permutation(task.samples)[: batches * task.batch]

    def epoch():
        state[0] = jax.block_until_ready(run(state[0], order))

    return {"seconds": best(epoch, repeats)[0], "delays": "fixed"}


def _network(task):
    neuron = LIFParameters(v_reset=-1000.0, v_th=1.0, tau_syn=TAU_S, tau_mem=TAU_M)
    net = Topology(t_max=4 * TAU_S, backprop_method="eventprop")
    net.add({
        "input": Source(5),
        "lif1": LIF(task.hidden, task.hidden + 5 * COPIES, neuron),
        "lif2": LIF(3, task.hidden + 3, neuron),
        "syn1": Linear(mean=3.0 / 5, std=1.6 / 5),
        "syn2": Linear(mean=0.5 * 100 / task.hidden, std=0.8),
    })  # fmt: skip
    net.connect([("input", "syn1"), ("syn1", "lif1"), ("lif1", "syn2"), ("syn2", "lif2")])
    return net.done()
