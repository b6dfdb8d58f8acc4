"""snnTorch: surrogate gradient through dense time, no delays."""

import snntorch as snn
import torch
from snntorch import surrogate

from . import _torch

PACKAGES = ("snntorch", "torch")


class _Net(torch.nn.Module):
    def __init__(self, inputs, hidden, outputs, recurrent, tick):
        super().__init__()
        slope = surrogate.fast_sigmoid(slope=10)
        slow, fast = (torch.exp(torch.tensor(-tick / tau)).item() for tau in (20.0, 5.0))
        how = {"alpha": fast, "beta": slow, "spike_grad": slope, "reset_mechanism": "zero"}
        self.first = torch.nn.Linear(inputs, hidden, bias=False)
        self.recurrent = recurrent
        if recurrent:
            self.hidden = snn.RSynaptic(linear_features=hidden, all_to_all=True, **how)
            torch.nn.init.zeros_(self.hidden.recurrent.bias)
        else:
            self.hidden = snn.Synaptic(**how)
        self.second = torch.nn.Linear(hidden, outputs, bias=False)
        self.out = snn.Leaky(beta=slow, reset_mechanism="none", spike_grad=slope)

    def weights(self):
        found = {"input": self.first.weight.data.T, "output": self.second.weight.data.T}
        return found | (
            {"recurrent": self.hidden.recurrent.weight.data.T} if self.recurrent else {}
        )

    def forward(self, x):
        state, value = self.hidden.reset_mem(), self.out.reset_mem()
        values = []
        for current in self.first(x).unbind(0):  # indexing would be slower: see _torch.through
            state = self.hidden(current, *state)
            _, value = self.out(self.second(state[0]), value)
            values.append(value)
            state = state if self.recurrent else state[1:]
        return torch.stack(values)


yinyang, shd, inference = _torch.make(_Net)
