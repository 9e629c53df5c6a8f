"""Adam as torch has it, with a shorter way from the gradients to the update."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor
from torch.optim.adam import adam

MOMENTS = ("exp_avg", "exp_avg_sq")


class Adam:
    """`torch.optim.Adam`, without amsgrad and weight decay, on torch's own function.

    The weights come out the same to the bit. torch's class imports a compiler, which costs the
    first training of a process a second; and at small batches what its `step` does around the
    update costs as much as the update itself.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-3,
        eps: float = 1e-8,
        fused: bool = False,
    ) -> None:
        self.lr = lr
        self.eps = eps
        self.fused = fused
        self._parameters = list(parameters)
        self._states: dict[int, dict[str, Tensor]] = {}

    @torch.no_grad()
    def update(self) -> None:
        """Update every parameter that has a gradient."""
        learned = [
            (parameter, parameter.grad, self._states.setdefault(index, {}))
            for index, parameter in enumerate(self._parameters)
            if parameter.grad is not None
        ]
        for parameter, _, state in learned:
            if not state:
                state.update(self._start(parameter))
        states = [state for _, _, state in learned]
        adam(
            [parameter for parameter, _, _ in learned],
            [gradient for _, gradient, _ in learned],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            fused=self.fused,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=self.lr,
            weight_decay=0.0,
            eps=self.eps,
            maximize=False,
        )

    def forget(self) -> None:
        """Drop every gradient."""
        for parameter in self._parameters:
            parameter.grad = None

    def state(self) -> dict[int, dict[str, Tensor]]:
        """Return step and moments by the place of their parameter, named as torch names them."""
        return self._states

    def restore(self, state: Mapping[int, Mapping[str, Tensor]]) -> None:
        """Go on from these, which `state` returned here or on another device."""
        self._states = {
            index: {
                "step": values["step"].float().to(self._place_of_step(self._parameters[index])),
                **{name: values[name].to(self._parameters[index]) for name in MOMENTS},
            }
            for index, values in state.items()
        }

    def _start(self, parameter: Tensor) -> dict[str, Tensor]:
        moments = {name: torch.zeros_like(parameter) for name in MOMENTS}
        return {"step": torch.zeros((), device=self._place_of_step(parameter)), **moments}

    def _place_of_step(self, parameter: Tensor) -> torch.device:
        return parameter.device if self.fused else torch.device("cpu")
