"""
A StateNet that learns, by the hypergradient of the learning rate.

As published, StateNet's corrections pass through plain numbers, so it has no gradient. Of its four
corrections only the rate's can have a useful one: AdamW divides each path's gradient by its own size, so l1
and l2 cancel, and the term under l3 has no gradient. The derivative of the loss after a step with respect to
that step's rate is minus the product of the next gradient and the direction of the step (Baydin et al.,
"Online learning rate adaptation with hypergradient descent", 2018). It is averaged over an epoch as a cosine,
which is in [-1, 1] at any scale.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class LearningStateNet:
    """StateNet with an optimizer of its own: one step at each epoch's end.

    Args:
        net: From state, shape (1, 9), to corrections, shape (1, 4), the rate's first.
        rate: Of its optimizer, Adam.
    """

    def __init__(self, net: nn.Module, rate: float) -> None:
        self._net = net
        self._optimizer = torch.optim.Adam(net.parameters(), lr=rate)
        self._state: Tensor | None = None
        self._before: list[Tensor] = []
        self._cosines: list[float] = []

    def corrected(self, state: Tensor) -> None:
        """Note the state that the epoch's corrections are of, shape (1, 9)."""
        self._state = state

    def stepping(self, parameters: Sequence[Tensor]) -> None:
        """Before a step of the paths: compare its gradient with the step before, if there was one."""
        now = [parameter.detach().clone() for parameter in parameters]
        if self._before:
            moved = torch.cat([one - other for one, other in zip(now, self._before, strict=True)])
            gradient = torch.cat([parameter.grad for parameter in parameters if parameter.grad is not None])
            self._cosines.append(float(torch.cosine_similarity(moved, -gradient, dim=0)))
        self._before = now

    def learn(self) -> None:
        """At an epoch's end: move the rate's correction towards what the epoch's steps showed."""
        if self._state is not None and self._cosines:
            self._optimizer.zero_grad()
            correction = self._net(self._state)[0, 0]
            (-correction * (sum(self._cosines) / len(self._cosines))).backward()
            self._optimizer.step()
        self._state, self._before, self._cosines = None, [], []

    def state(self) -> dict[str, object]:
        """What a resumed training needs besides the weights; epochs are whole."""
        return self._optimizer.state_dict()

    def restore(self, state: dict[str, object]) -> None:
        """Go on from `state`."""
        self._optimizer.load_state_dict(state)
