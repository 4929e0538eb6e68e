import torch

from ternary_sdk.space import TERNARY_2
from ternary_trainer import orders, score
from ternary_trainer.decoding import Decoded, decode
from ternary_trainer.model import Decoder, initial
from ternary_trainer.uniformity import Uniformity, push

UNIFORM = torch.ones(19_683)


def test_the_push_is_the_gradient_of_the_expected_potential_of_single_trits() -> None:
    potential = torch.randn(19_683, generator=torch.Generator().manual_seed(1))
    logits = torch.randn(9, 3, 4, generator=torch.Generator().manual_seed(2)).requires_grad_()
    classes = logits.detach().argmax(1)
    places = 3 ** torch.arange(9)[:, None]
    index = (classes * places).sum(0)
    chances = logits.softmax(1)
    expected = sum(
        chances[k, c] * potential[index + (c - classes[k]) * places[k]] for k in range(9) for c in range(3)
    )
    assert isinstance(expected, torch.Tensor)
    expected.sum().backward()  # type: ignore[no-untyped-call]
    given = push(Decoded(logits=logits.detach(), classes=classes, index=index), potential, TERNARY_2)
    torch.testing.assert_close(given, logits.grad)


def test_uniform_counts_have_no_potential() -> None:
    assert Uniformity(UNIFORM * 100, TERNARY_2).potential().abs().max() < 1e-4


def test_noise_of_uniform_draws_is_mostly_filtered_out() -> None:
    draws = torch.randint(19_683, (100_000,), generator=torch.Generator().manual_seed(3))
    counts = torch.bincount(draws, minlength=19_683)
    raw = (counts * 19_683 / 100_000 - 1).square().mean().sqrt()
    assert Uniformity(counts, TERNARY_2).potential().square().mean().sqrt() < 0.2 * raw


def test_a_real_excess_passes_the_filter_whole() -> None:
    counts = UNIFORM * 100
    digits = torch.arange(19_683) // 3 % 3
    counts[digits == 0] *= 1.5
    potential = Uniformity(counts, TERNARY_2).potential()
    density = counts / counts.mean()
    torch.testing.assert_close(potential, density.log(), atol=1e-2, rtol=0)


def test_observing_moves_each_order_by_its_own_window() -> None:
    decoder, latents = initial(1).decoder("A"), torch.randn(1_000, 16)
    draws = decode(decoder, latents, TERNARY_2)
    windows = torch.full((orders.orders(TERNARY_2),), 1e12)
    windows[1] = 1_000
    uniformity = Uniformity(UNIFORM * 100, TERNARY_2)
    uniformity.observe(draws, windows)
    counts = torch.bincount(draws.index, minlength=19_683)
    power = orders.power_by_order(uniformity.state()["modes"], TERNARY_2)
    expected = orders.power_by_order(orders.to_modes(counts * (19_683 / 1_000) - 1, TERNARY_2), TERNARY_2)
    torch.testing.assert_close(power[1], expected[1])
    assert power[2:].max() < 1e-9


def drawn(decoder: Decoder, random: torch.Generator) -> orders.Divergence:
    return orders.divergence(score.count(decoder, score.latents(50_000, 16, random), TERNARY_2), TERNARY_2)


def test_following_the_push_makes_draws_more_uniform() -> None:
    decoder = initial(4).decoder("A")
    random = torch.Generator().manual_seed(4)
    optimizer = torch.optim.AdamW(decoder.parameters(), lr=3e-3)
    before = drawn(decoder, random)
    uniformity = Uniformity(score.count(decoder, score.latents(50_000, 16, random), TERNARY_2), TERNARY_2)
    for _ in range(60):
        draws = decode(decoder, score.latents(2_048, 16, random), TERNARY_2)
        uniformity.observe(draws, torch.full((orders.orders(TERNARY_2),), 40_000.0))
        optimizer.zero_grad()
        draws.logits.backward(push(draws, uniformity.potential(), TERNARY_2) / 2_048)
        optimizer.step()
    after = drawn(decoder, random)
    assert after.total < 0.6 * before.total
