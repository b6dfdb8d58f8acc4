"""exact-snn-nn: exact gradients of first spikes on torch, event mode; no delays."""

import torch
from exact_snn.event import ExactEventLinear
from measure import best

PACKAGES = ("exact-snn-nn", "torch")


def yinyang(task, repeats, threads):
    """Return the CPU seconds of one epoch of training."""
    torch.set_num_threads(threads)
    torch.manual_seed(task.seed)
    times, labels = (torch.from_numpy(array) for array in task.points())
    times = times.T.float().contiguous() + 1.0  # a spike at 0 would be its bias
    how = {"tm": 20.0, "ts": 5.0, "t_max": task.duration}
    layers = [
        ExactEventLinear(5, task.hidden, seed=0, **how),
        ExactEventLinear(task.hidden, 3, seed=1, **how),
    ]
    with torch.no_grad():
        for layer, (mean, sd) in zip(layers, ((1.0, 0.8), (3.0, task.hidden**0.5)), strict=True):
            scale = 1.0 if layer is layers[0] else task.hidden
            layer.weight[:, :-1].normal_(mean / scale, sd / scale)
            layer.weight[:, -1] = 0.0  # its bias, which would fire all neurons at once
    parameters = [p for layer in layers for p in layer.parameters()]
    # Larger steps cost the same, but leave the outputs silent, without gradients, in three epochs.
    optimiser = torch.optim.Adam(parameters, lr=1e-9)

    def epoch():
        for rows in torch.randperm(task.samples).split(task.batch):
            spikes = layers[1](layers[0](times[:, rows]))
            spikes = torch.where(torch.isfinite(spikes), spikes, task.duration)
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(-spikes.T / 2.0, labels[rows]).backward()
            for parameter in parameters:
                parameter.grad.nan_to_num_(0.0, 0.0, 0.0)
            optimiser.step()

    seconds = best(epoch, repeats)[0]
    with torch.no_grad():
        fired = torch.isfinite(layers[0](times)).sum(0)
    return {
        "seconds": seconds, "delays": "none", "hidden spikes": float(fired.double().mean()),
    }  # fmt: skip
