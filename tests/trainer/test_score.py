from pathlib import Path

import pytest
import torch

from ternary_sdk.space import TERNARY_2
from ternary_trainer import checkpoint, report, score, split
from ternary_trainer.model import TernaryVAE, initial

PUBLISHED = Path(__file__).parents[3] / "shared" / "data" / "v5_5_epoch104.pt"
needs_published = pytest.mark.skipif(
    not PUBLISHED.exists(), reason="the published checkpoint is not beside the repository"
)


@pytest.fixture(scope="module")
def published() -> TernaryVAE:
    model = TernaryVAE()
    model.load_state_dict(checkpoint.load(PUBLISHED).state)
    return model


@needs_published
@pytest.mark.parametrize(("path", "coverage", "exact"), [("A", 0.8676, 1.0), ("B", 0.8635, 0.9998)])
def test_the_published_snapshot_scores_what_was_measured_of_it(
    published: TernaryVAE, path: str, coverage: float, exact: float
) -> None:
    prior = score.latents(100_000, 16, torch.Generator().manual_seed(1))
    assert score.coverage(published.decoder(path), prior, TERNARY_2).share == pytest.approx(
        coverage, abs=6e-3
    )
    noise = torch.zeros(19_683, 16)
    rebuilt = score.reconstruct(
        published.encoder(path), published.decoder(path), split.all_operations(), noise
    )
    assert rebuilt.exact == pytest.approx(exact, abs=1e-4)
    assert rebuilt.active == 16


@needs_published
def test_the_older_way_of_counting_reads_higher(published: TernaryVAE) -> None:
    prior = score.latents(195_000, 16, torch.Generator().manual_seed(2))
    assert report.sampling_coverage(published.decoder("A"), prior, TERNARY_2) == pytest.approx(
        0.9963, abs=1e-3
    )


def test_counts_are_those_of_decoding_one_by_one() -> None:
    decoder, prior = initial(1).decoder("B"), torch.randn(5_000, 16)
    classes = decoder(prior).view(-1, 9, 3).argmax(-1)
    expected = torch.bincount((classes * 3 ** torch.arange(9)).sum(1), minlength=19_683)
    assert torch.equal(score.count(decoder, prior, TERNARY_2), expected)


def test_the_elbo_of_a_model_that_says_nothing_is_what_uniform_guessing_costs() -> None:
    model = initial(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    operations = split.validation()
    for path in "AB":
        blind = score.reconstruct(
            model.encoder(path), model.decoder(path), operations, torch.randn(len(operations), 16)
        )
        assert blind.elbo == pytest.approx(9.8875, abs=1e-3)
        assert (blind.active, blind.margin) == (0, 0.0)


def test_kl_is_that_of_two_normals() -> None:
    mean, logvar = torch.tensor([[0.5, 0.0]]), torch.tensor([[0.0, -2.0]])
    normal = torch.distributions.Normal(mean, (logvar / 2).exp())
    expected = torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0))
    torch.testing.assert_close(score.kl_to_prior(mean, logvar), expected)
