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
        self.recurrent = recurrent
        if recurrent:
            self.first, self.hidden = None, snn.LIFRecurrentCell(inputs, hidden, **how)
        else:
            self.first = torch.nn.Linear(inputs, hidden, bias=False)
            self.hidden = snn.LIFCell(**how)
        self.second = torch.nn.Linear(hidden, outputs, bias=False)
        self.out = snn.LICell(dt=tick * 1e-3)

    def weights(self):
        found = {"output": self.second.weight.data.T}
        if not self.recurrent:
            return found | {"input": self.first.weight.data.T}
        return found | {
            "input": self.hidden.input_weights.data.T,
            "recurrent": self.hidden.recurrent_weights.data.T,
        }

    def forward(self, x):
        spikes = _torch.through(self.hidden, x if self.recurrent else self.first(x))
        return _torch.through(self.out, self.second(spikes))


yinyang, shd, inference = _torch.make(_Net)
