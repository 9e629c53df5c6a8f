"""Adam as torch has it, to the bit, but by the shortest way from the gradients to the update.

`torch.optim` imports torch's compiler when it is first used: a second before the first picture of a
training, and 75 MB for as long as the process lives.
"""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

MOMENTUM, DECAY = 0.9, 0.999
"""β₁ and β₂ of the running means of gradients and of their squares."""
FUSED_DEVICES = ("cpu", "cuda")
"""Where torch has one kernel for the whole update."""
STATE = ("exp_avg", "exp_avg_sq", "step")
"""What is kept of each parameter, as `torch.optim.Adam` calls it."""
SMALLEST_MEAN = 1e-30
"""A mean of gradients that is less moves no weight, over any epsilon that may be asked for."""
SMALLEST_ROOT = 1e-9
"""The root of a mean of squares that is a smaller part of epsilon is lost when epsilon is added."""
CLEARED_EVERY = 64
"""Updates in which `SMALLEST_MEAN`, decaying by .9 each, does not come near 1e-38."""


class Adam:
    """Adam (Kingma and Ba 2015, Alg. 1) on `parameters`; its rate `lr` may change at any time.

    A parameter without a gradient rests: its own step count stays where it is.
    """

    def __init__(self, parameters: Iterable[Tensor], lr: float, eps: float = 1e-8) -> None:
        self.parameters = list(parameters)
        self.lr = lr
        self.eps = eps
        self._states = [
            {
                "exp_avg": torch.zeros_like(parameter.detach()),
                "exp_avg_sq": torch.zeros_like(parameter.detach()),
                "step": torch.zeros((), device=parameter.device),
            }
            for parameter in self.parameters
        ]
        self._updates = 0

    @torch.no_grad()
    def update(self) -> None:
        """Change every parameter that has a gradient."""
        learned = [
            (parameter, parameter.grad, state)
            for parameter, state in zip(self.parameters, self._states, strict=True)
            if parameter.grad is not None
        ]
        if not learned:
            return
        parameters, gradients, states = zip(*learned, strict=True)
        means, squares, steps = ([state[name] for state in states] for name in STATE)
        torch._foreach_add_(steps, 1)
        is_fused = parameters[0].device.type in FUSED_DEVICES
        (torch._fused_adam_ if is_fused else update_in_turn)(
            parameters,
            # The kernel takes it for granted that gradients lie in memory as weights do.
            [gradient.contiguous() for gradient in gradients],
            means,
            squares,
            [],
            steps,
            lr=self.lr,
            beta1=MOMENTUM,
            beta2=DECAY,
            eps=self.eps,
            weight_decay=0.0,
            amsgrad=False,
            maximize=False,
        )
        self._updates += 1
        if self._updates % CLEARED_EVERY == 0:
            clear_smallest(means, SMALLEST_MEAN)
            clear_smallest(squares, (SMALLEST_ROOT * self.eps) ** 2)

    def forget(self) -> None:
        """Drop every gradient."""
        for parameter in self.parameters:
            parameter.grad = None

    def state(self) -> dict[int, dict[str, Tensor]]:
        """Return `STATE` of each parameter that has been updated, by its place."""
        return {index: state for index, state in enumerate(self._states) if state["step"]}

    def restore(self, states: Mapping[int, Mapping[str, Tensor]]) -> None:
        """Go on from what `state` returned; KeyError or ValueError where it does not fit."""
        if not set(states) <= set(range(len(self._states))):
            raise KeyError("There are states of parameters that are not here.")
        for index, own in enumerate(self._states):
            for name, value in own.items():
                found = states[index][name] if index in states else torch.zeros_like(value)
                if found.shape != value.shape:
                    raise ValueError(f"The {name} of parameter {index} has another shape.")
                value.copy_(found)
        self._updates = max((int(state["step"]) for state in self._states), default=0)


def clear_smallest(tensors: Iterable[Tensor], limit: float) -> None:
    """Set what is nearer to 0 than `limit` to 0.

    The mean of a gradient that has become 0, as that of a pixel at the border, decays to a number
    below 1e-38 and stays there by rounding: processors take many times as long for each of these.
    """
    for tensor in tensors:
        tensor.mul_(tensor.abs() >= limit)


def update_in_turn(
    parameters: Sequence[Tensor],
    gradients: Sequence[Tensor],
    means: Sequence[Tensor],
    squares: Sequence[Tensor],
    _: Sequence[Tensor],
    steps: Sequence[Tensor],
    *,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    **unused: float,
) -> None:
    """Do what the fused kernel does, parameter by parameter."""
    lists = zip(parameters, gradients, means, squares, steps, strict=True)
    for parameter, gradient, mean, square, step in lists:
        count = step.item()
        mean.lerp_(gradient, 1 - beta1)
        square.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        scale = square.sqrt().div_((1 - beta2**count) ** 0.5).add_(eps)
        parameter.addcdiv_(mean, scale, value=-lr / (1 - beta1**count))
