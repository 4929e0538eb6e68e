"""The push of vast spaces: from running tables of single digits and of pairs."""

import pytest
import torch

from ternary_sdk.signature import Signature
from ternary_sdk.space import Space
from ternary_trainer import evenness, score
from ternary_trainer.architecture import Architecture, Network
from ternary_trainer.decoding import Decoded, decode, one_hot
from ternary_trainer.model import initial
from ternary_trainer.moments import Moments

SPACE = Space(4, 2)
LONG = torch.full((2,), 1e9)


def random_digits(draws: int, space: Space = SPACE, seed: int = 1) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randint(space.radix, (space.cells, draws), generator=random)


def test_uniform_draws_have_hardly_any_potential() -> None:
    classes = random_digits(100_000)
    rows = one_hot(classes[:, :500], SPACE)
    assert Moments(classes, SPACE).potential(rows).square().mean().sqrt() < 0.02


def test_a_digit_that_comes_too_often_has_a_potential_in_every_draw() -> None:
    classes = random_digits(100_000)
    classes[5, :25_000] = 2  # a quarter is made the digit 2: its share is 7/16, that of the others 3/16
    rows = one_hot(classes[:, -500:], SPACE)
    potential = Moments(classes, SPACE).potential(rows).view(16, 4, -1)
    expected = torch.tensor([3 / 4, 3 / 4, 7 / 4, 3 / 4]).log()
    torch.testing.assert_close(potential[5].mean(1), expected, atol=0.03, rtol=0)
    assert potential[4].mean(1).abs().max() < 0.03


def test_a_pair_that_comes_too_often_has_a_potential_beside_the_other_digit_alone() -> None:
    classes = random_digits(100_000)
    classes[9, :20_000] = classes[3, :20_000]  # equal in 0.2 + 0.8/4 of the draws, where 1/4 is even
    rows = one_hot(classes[:, -500:], SPACE)
    potential = Moments(classes, SPACE).potential(rows).view(16, 4, -1)
    beside = classes[3, -500:]
    same = potential[9].gather(0, beside[None])
    assert float(same.mean()) == pytest.approx(float(torch.tensor(0.4 * 4).log()), abs=0.05)
    others = (potential[9].sum(0) - same) / 3
    assert float(others.mean()) == pytest.approx(float(torch.tensor(0.2 * 4).log()), abs=0.05)


def test_the_push_is_the_gradient_of_the_expected_potential_of_each_cell() -> None:
    classes = random_digits(5_000)
    logits = torch.randn(16, 4, 6, generator=torch.Generator().manual_seed(2)).requires_grad_()
    draws = Decoded(logits=logits.detach(), classes=logits.detach().argmax(1), index=torch.zeros(6))
    counted, other = Moments(classes, SPACE), Moments(classes, SPACE)
    rows = one_hot(draws.classes, SPACE)
    other.add(rows, LONG)
    (logits.softmax(1) * other.potential(rows).view(16, 4, 6)).sum().backward()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(counted.gradient(draws, LONG), logits.grad)


def test_single_digits_and_pairs_forget_by_their_own_windows() -> None:
    classes, new = random_digits(10_000), torch.zeros(16, 1_000, dtype=torch.int64)
    counted = Moments(classes, SPACE)
    before = counted.state()
    counted.add(one_hot(new, SPACE), torch.tensor([1_000.0, 1e12]))
    after = counted.state()
    assert after["single"].tolist() == [1.0, 0.0, 0.0, 0.0] * 16
    torch.testing.assert_close(after["pairs"], before["pairs"])
    assert after["seen"] == pytest.approx(10_000)


def test_restored_tables_go_on_as_if_never_left() -> None:
    one, other = Moments(random_digits(10_000), SPACE), Moments(random_digits(10, seed=5), SPACE)
    other.restore(one.state())
    rows = one_hot(random_digits(500, seed=3), SPACE)
    for counted in (one, other):
        counted.add(rows, torch.full((2,), 5_000.0))
    assert torch.equal(one.potential(rows), other.potential(rows))


def test_following_the_push_makes_draws_more_uniform() -> None:
    signature = Signature(SPACE, 16, ("A",))
    decoder = initial(
        4, Architecture.of(signature, {"A": Network(encoder=(8,), decoder=(48,), skip=True)})
    ).decoder("A")
    random = torch.Generator().manual_seed(4)
    optimizer = torch.optim.AdamW(decoder.parameters(), lr=1e-3)
    windows = torch.tensor([2_000.0, 10_000.0])

    def latents(draws: int) -> torch.Tensor:
        return score.latents(draws, 16, random)

    before = evenness.divergence(decoder, latents(10_000), SPACE)
    counted = Moments(evenness.digits(decoder, latents(10_000), SPACE), SPACE)
    for _ in range(150):
        draws = decode(decoder, latents(512), SPACE)
        optimizer.zero_grad()
        draws.logits.backward(counted.gradient(draws, windows) / 512)
        optimizer.step()
    after = evenness.divergence(decoder, latents(10_000), SPACE)
    assert after.single + after.pairs < 0.3 * (before.single + before.pairs)
