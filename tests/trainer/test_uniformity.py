import torch

from ternary_trainer import score, space
from ternary_trainer.model import initial
from ternary_trainer.uniformity import Draws, Uniformity, decode, push

UNIFORM = torch.ones(19_683)


def test_decoding_agrees_with_argmax_and_the_canonical_index() -> None:
    decoder, latents = initial(1).decoder_A, torch.randn(500, 16)
    draws = decode(decoder, latents)
    classes = decoder(latents).view(-1, 9, 3).argmax(-1)
    assert torch.equal(draws.classes, classes.t())
    assert torch.equal(draws.index, (classes * 3 ** torch.arange(9)).sum(1))


def test_a_tie_goes_to_the_lower_class() -> None:
    draws = decode(torch.nn.Linear(16, 27, bias=False), torch.zeros(2, 16))
    assert draws.index.tolist() == [0, 0]


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
    given = push(Draws(logits=logits.detach(), classes=classes, index=index), potential)
    torch.testing.assert_close(given, logits.grad)


def test_uniform_counts_have_no_potential() -> None:
    assert Uniformity(UNIFORM * 100).potential().abs().max() < 1e-4


def test_noise_of_uniform_draws_is_mostly_filtered_out() -> None:
    draws = torch.randint(19_683, (100_000,), generator=torch.Generator().manual_seed(3))
    counts = torch.bincount(draws, minlength=19_683)
    raw = (counts * 19_683 / 100_000 - 1).square().mean().sqrt()
    assert Uniformity(counts).potential().square().mean().sqrt() < 0.2 * raw


def test_a_real_excess_passes_the_filter_whole() -> None:
    counts = UNIFORM * 100
    digits = torch.arange(19_683) // 3 % 3
    counts[digits == 0] *= 1.5
    potential = Uniformity(counts).potential()
    density = counts / counts.mean()
    torch.testing.assert_close(potential, density.log(), atol=1e-2, rtol=0)


def test_observing_moves_each_order_by_its_own_window() -> None:
    decoder, latents = initial(1).decoder_A, torch.randn(1_000, 16)
    draws = decode(decoder, latents)
    windows = torch.full((space.ORDERS,), 1e12)
    windows[1] = 1_000
    uniformity = Uniformity(UNIFORM * 100)
    uniformity.observe(draws, windows)
    counts = torch.bincount(draws.index, minlength=19_683)
    power = space.power_by_order(uniformity.state()["modes"])
    expected = space.power_by_order(space.to_modes(counts * (19_683 / 1_000) - 1))
    torch.testing.assert_close(power[1], expected[1])
    assert power[2:].max() < 1e-9


def test_following_the_push_makes_draws_more_uniform() -> None:
    decoder = initial(4).decoder_A
    random = torch.Generator().manual_seed(4)
    optimizer = torch.optim.AdamW(decoder.parameters(), lr=3e-3)
    before = space.divergence(score.count(decoder, score.latents(50_000, random)))
    uniformity = Uniformity(score.count(decoder, score.latents(50_000, random)))
    for _ in range(60):
        draws = decode(decoder, score.latents(2_048, random))
        uniformity.observe(draws, torch.full((space.ORDERS,), 40_000.0))
        optimizer.zero_grad()
        draws.logits.backward(push(draws, uniformity.potential()) / 2_048)
        optimizer.step()
    after = space.divergence(score.count(decoder, score.latents(50_000, random)))
    assert after.total < 0.6 * before.total
