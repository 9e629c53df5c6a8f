"""Adam as torch has it, with a shorter way from the gradients to the update."""

import torch
from torch.optim.adam import adam


class QuickAdam(torch.optim.Adam):
    """`torch.optim.Adam`, without amsgrad, whose `update` goes straight to torch's own function.

    At small batches what `step` does around it costs as much as the update itself. The weights
    come out the same to the bit.
    """

    @torch.no_grad()
    def update(self) -> None:
        """Do what `step` does: update every parameter that has a gradient."""
        batches = [
            (group, [parameter for parameter in group["params"] if parameter.grad is not None])
            for group in self.param_groups
        ]
        if not all(self.state[parameter] for _, learned in batches for parameter in learned):
            self.step()  # The first update of a parameter makes its state.
            return
        for group, learned in batches:
            states = [self.state[parameter] for parameter in learned]
            first, second = group["betas"]
            adam(
                learned,
                [parameter.grad for parameter in learned],
                [state["exp_avg"] for state in states],
                [state["exp_avg_sq"] for state in states],
                [],
                [state["step"] for state in states],
                fused=group["fused"],
                amsgrad=False,
                beta1=first,
                beta2=second,
                lr=group["lr"],
                weight_decay=group["weight_decay"],
                eps=group["eps"],
                maximize=group["maximize"],
            )

    def forget(self) -> None:
        """Do what `zero_grad` does, likewise without its bookkeeping."""
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.grad = None
