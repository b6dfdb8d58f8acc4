"""spikingjelly: ATan surrogate through dense time; delays at most one a layer, here none."""

from spikingjelly.activation_based import functional, layer, neuron, surrogate
from torch import nn

from . import _torch

PACKAGES = ("spikingjelly", "torch")


class _Net(nn.Module):
    """Step by step: its loop over many steps has a backward pass quadratic in them."""

    def __init__(self, inputs, hidden, outputs, recurrent, tick):
        super().__init__()
        how = {
            "tau": 20.0 / tick, "decay_input": False, "surrogate_function": surrogate.ATan(),
            "detach_reset": True,
        }  # fmt: skip
        self.first = nn.Linear(inputs, hidden, bias=False)
        self.loop = nn.Linear(hidden, hidden, bias=False) if recurrent else None
        self.synapses = layer.SynapseFilter(tau=5.0 / tick)
        self.hidden = neuron.LIFNode(**how)
        self.second = nn.Linear(hidden, outputs, bias=False)
        self.out = neuron.LIFNode(**how, v_threshold=1e9)

    def weights(self):
        found = {"input": self.first, "recurrent": self.loop, "output": self.second}
        return {name: linear.weight.data.T for name, linear in found.items() if linear}

    def forward(self, x):
        spikes = _torch.through(self._spike, self.first(x))
        return _torch.through(self._readout, self.second(spikes))

    def _spike(self, current, before):
        if self.loop and before is not None:
            current = current + self.loop(before)
        spikes = self.hidden(self.synapses(current))
        return spikes, spikes

    def _readout(self, current, state):
        self.out(current)
        return self.out.v, None


yinyang, shd, inference = _torch.make(_Net, functional.reset_net)
