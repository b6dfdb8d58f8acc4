"""What the clocked peers on torch share: the same loop around another network.

``build(inputs, hidden, outputs, recurrent, tick)`` returns a module that takes
(steps, batch, inputs) and returns (steps, batch, outputs). They have no delays.
"""

import torch
from measure import Peak, best
from torch.nn.functional import cross_entropy

STEPS = 60
"""Steps of a Yin-Yang sample."""


def make(build, reset=None):
    """Return the three tasks for a peer. ``reset(net)`` clears its state before a batch."""

    def yinyang(task, repeats, threads):
        step = _trainer(build(5, task.hidden, 3, False, task.duration / STEPS), threads)
        x, y = (torch.from_numpy(array) for array in task.raster(STEPS))

        def epoch():
            for rows in torch.randperm(task.samples).split(task.batch):
                step(x[:, rows], y[rows], lambda v: v.amax(0))

        return {"seconds": best(epoch, repeats)[0], "delays": "none", "steps": STEPS}

    def shd(task, repeats, threads):
        step = _trainer(_shaped(build, task), threads)
        x, y = (torch.from_numpy(array) for array in task.raster())
        with Peak() as peak:
            cost = best(lambda: step(x, y, lambda v: v.mean(0)), repeats)
        return _each(cost, task) | {"peak": peak.mebibytes, "delays": "none"}

    def inference(task, repeats, threads):
        torch.set_num_threads(threads)
        net = _shaped(build, task)
        x = torch.from_numpy(task.raster()[0])

        def run():
            with torch.no_grad():
                _clear(net)
                net(x)

        return _each(best(run, repeats), task) | {"delays": "none", "arithmetic": "float32"}

    def _clear(net):
        if reset is not None:
            reset(net)

    def _trainer(net, threads):
        torch.set_num_threads(threads)
        optimiser = torch.optim.Adam(net.parameters(), lr=2e-3)

        def step(x, y, over_time):
            _clear(net)
            optimiser.zero_grad()
            cross_entropy(over_time(net(x)), y).backward()
            optimiser.step()

        return step

    return yinyang, shd, inference


def _shaped(build, task):
    return build(task.inputs, task.hidden, task.outputs, task.recurrent, task.tick)


def _each(cost, task):
    cpu, wall = (1e3 * seconds / task.samples for seconds in cost)
    return {"milliseconds": cpu, "wall": wall}
