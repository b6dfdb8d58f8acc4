"""rockpool on torch: piecewise linear surrogate through dense time, no delays."""

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
        self.net = Sequential(
            LinearTorch((inputs, hidden), has_bias=False),
            LIFTorch(
                (hidden, hidden), has_rec=recurrent, tau_mem=Constant(20e-3), dt=dt,
                tau_syn=Constant(5e-3), threshold=Constant(1.0), bias=Constant(0.0),
            ),
            LinearTorch((hidden, outputs), has_bias=False),
            ExpSynTorch(outputs, tau=Constant(20e-3), dt=dt),
        )  # fmt: skip

    def forward(self, x):
        return self.net(x.transpose(0, 1))[0].transpose(0, 1)


yinyang, shd, inference = _torch.make(_Net)
