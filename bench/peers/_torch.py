"""What the clocked peers on torch share: the same loop around another network.

``build(inputs, hidden, outputs, recurrent, tick)`` returns a module that takes
(steps, batch, inputs) and returns (steps, batch, outputs). Its ``hidden`` is the module that gives
hidden spikes, its ``weights()`` the connections by name, as (sources, targets). No peer has delays.
"""

import torch
from measure import Peak, best
from torch.nn.functional import cross_entropy

STEPS = 60
"""Steps of a Yin-Yang sample."""

STILL = 1e-9
"""A step size at which training costs what it costs, and activity stays as it was scaled."""


def through(cell, x):
    """Return what ``cell(x, state)``, which returns (out, state), gives for each step of ``x``.

    Indexing ``x`` step by step, as most peers' own loops do, would make its backward pass quadratic
    in the steps.
    """
    outs, state = [], None
    for now in x.unbind(0):
        out, state = cell(now, state)
        outs.append(out)
    return torch.stack(outs)


def make(build, reset=None):
    """Return the three tasks for a peer. ``reset(net)`` clears its state before a batch."""

    def yinyang(task, repeats, threads):
        torch.set_num_threads(threads)
        torch.manual_seed(task.seed)
        x, y = (torch.from_numpy(array) for array in task.raster(STEPS))
        net = build(5, task.hidden, 3, False, task.duration / STEPS)
        _draw(net, dict(zip(("input", "output"), task.parameters()["weights"], strict=True)))
        _calibrate(net, task, x[:, : task.batch])
        step = _trainer(net, 2e-3)

        def epoch():
            for rows in torch.randperm(task.samples).split(task.batch):
                step(x[:, rows], y[rows], lambda v: v.amax(0))

        found = {"seconds": best(epoch, repeats)[0], "delays": "none", "steps": STEPS}
        return found | {"hidden spikes": _spikes(net, x[:, : task.batch])}

    def shd(task, repeats, threads):
        net, x, y = _shaped(task, threads)
        step = _trainer(net, STILL)
        with Peak() as peak:
            cost = best(lambda: step(x, y, lambda v: v.mean(0)), repeats)
        return _each(cost, task) | {
            "peak": peak.mebibytes, "hidden spikes": _spikes(net, x), "delays": "none",
        }  # fmt: skip

    def inference(task, repeats, threads):
        net, x, _ = _shaped(task, threads)
        net.eval()

        def run():
            with torch.no_grad():
                _clear(net)
                net(x)

        return _each(best(run, repeats), task) | {
            "hidden spikes": _spikes(net, x), "delays": "none", "arithmetic": "float32",
        }  # fmt: skip

    def _shaped(task, threads):
        torch.set_num_threads(threads)
        torch.manual_seed(task.seed)
        x, y = (torch.from_numpy(array) for array in task.raster())
        net = build(task.inputs, task.hidden, task.outputs, task.recurrent, task.tick)
        _draw(net, task.parameters()["weights"])
        _calibrate(net, task, x[:, :1])
        return net, x, y

    def _calibrate(net, task, x):
        """Scale what drives hidden neurons; a recurrence keeps its share."""
        weights = [values for name, values in net.weights().items() if name != "output"]
        first = [values.clone() for values in weights]

        def spikes(scale):
            for values, unscaled in zip(weights, first, strict=True):
                values.copy_(unscaled * scale)
            return _spikes(net, x)

        # Some add a current in every step, others a share of it: scales differ widely.
        found = spikes(task.calibrate(spikes, 1e-4, 1e4))
        if not 0.5 * task.aim < found < 2 * task.aim:
            raise RuntimeError(f"Hidden spikes must be about {task.aim}, not {found}")

    def _spikes(net, x):
        """Return the hidden spikes of a sample, the mean of a batch."""
        found = []

        def count(module, given, out):
            found.append(float((out[0] if isinstance(out, tuple) else out).sum()))

        hook = net.hidden.register_forward_hook(count)
        with torch.no_grad():
            _clear(net)
            net(x)
        hook.remove()
        return sum(found) / x.shape[1]

    def _clear(net):
        if reset is not None:
            reset(net)

    def _trainer(net, rate):
        optimiser = torch.optim.Adam(net.parameters(), lr=rate)

        def step(x, y, over_time):
            _clear(net)
            optimiser.zero_grad()
            cross_entropy(over_time(net(x)), y).backward()
            optimiser.step()

        return step

    return yinyang, shd, inference


def _draw(net, weights):
    """Give a network the task's weights."""
    for name, values in net.weights().items():
        values.copy_(torch.from_numpy(weights[name]))


def _each(cost, task):
    cpu, wall = (1e3 * seconds / task.samples for seconds in cost)
    return {"milliseconds": cpu, "wall": wall}
