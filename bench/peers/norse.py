"""norse: SuperSpike surrogate through dense time, no delays."""

import norse.torch as snn
import torch

from . import _torch

PACKAGES = ("norse", "torch")


class _Net(torch.nn.Module):
    def __init__(self, inputs, hidden, outputs, recurrent, tick):
        super().__init__()
        how = {
            "p": snn.LIFParameters(
                tau_mem_inv=torch.as_tensor(1 / 20e-3), tau_syn_inv=torch.as_tensor(1 / 5e-3),
                v_th=torch.as_tensor(0.5), method="super", alpha=torch.as_tensor(100.0),
            ),
            "dt": tick * 1e-3,
        }  # fmt: skip
        self.first = torch.nn.Identity() if recurrent else torch.nn.Linear(inputs, hidden)
        self.hidden = snn.LIFRecurrent(inputs, hidden, **how) if recurrent else snn.LIF(**how)
        self.second = torch.nn.Linear(hidden, outputs)
        self.out = snn.LI(dt=tick * 1e-3)

    def forward(self, x):
        spikes, _ = self.hidden(self.first(x))
        return self.out(self.second(spikes))[0]


yinyang, shd, inference = _torch.make(_Net)
