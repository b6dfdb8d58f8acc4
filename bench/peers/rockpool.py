"""rockpool on torch: piecewise linear surrogate through dense time, no delays.

Its own loop over steps, which can't be replaced, indexes tensors that need gradients: the backward
pass is quadratic in the steps.
"""

from rockpool.nn.combinators import Sequential
from rockpool.nn.modules import ExpSynTorch, LIFTorch, LinearTorch
from rockpool.parameters import Constant
from torch import nn

from . import _torch

PACKAGES = ("rockpool", "torch")


class _Net(nn.Module):
    def __init__(self, inputs, hidden, outputs, recurrent, tick):
        super().__init__()
        dt = tick * 1e-3
        self.first = LinearTorch((inputs, hidden), has_bias=False)
        self.hidden = LIFTorch(
            (hidden, hidden), has_rec=recurrent, tau_mem=Constant(20e-3), dt=dt,
            tau_syn=Constant(5e-3), threshold=Constant(1.0), bias=Constant(0.0),
        )  # fmt: skip
        self.second = LinearTorch((hidden, outputs), has_bias=False)
        self.net = Sequential(
            self.first, self.hidden, self.second, ExpSynTorch(outputs, tau=Constant(20e-3), dt=dt)
        )
        self.recurrent = recurrent

    def weights(self):
        found = {"input": self.first.weight.data, "output": self.second.weight.data}
        return found | ({"recurrent": self.hidden.w_rec.data} if self.recurrent else {})

    def forward(self, x):
        return self.net(x.transpose(0, 1))[0].transpose(0, 1)


yinyang, shd, inference = _torch.make(_Net, lambda net: net.net.reset_state())
