import torch

from ternary_trainer.flat import flattened
from ternary_trainer.model import initial


def test_a_step_on_the_flat_parameter_is_a_step_on_all() -> None:
    one, other = initial(1).encoder_A, initial(1).encoder_A
    flat = flattened(list(other.parameters()))
    optimizers = [torch.optim.AdamW(one.parameters(), lr=1e-2), torch.optim.AdamW([flat], lr=1e-2)]
    for step in range(3):
        batch = torch.randn(8, 9, generator=torch.Generator().manual_seed(step))
        for encoder, optimizer in zip((one, other), optimizers, strict=True):
            optimizer.zero_grad(set_to_none=False)
            sum(output.square().sum() for output in encoder(batch)).backward()
            optimizer.step()
    for expected, given in zip(one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(given, expected)


def test_loading_a_state_keeps_the_link() -> None:
    encoder = initial(1).encoder_A
    flat = flattened(list(encoder.parameters()))
    encoder.load_state_dict(initial(2).encoder_A.state_dict())
    assert torch.equal(flat[: 256 * 9], encoder.encoder[0].weight.detach().flatten())
