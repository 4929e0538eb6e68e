import pytest
import torch

from ternary_sdk.signature import STANDARD, Signature
from ternary_sdk.space import Space
from ternary_trainer.architecture import NETWORKS, V55, Architecture, Network, Residual
from ternary_trainer.model import TernaryVAE, expected_shapes, initial, restored
from ternary_trainer.recognition import recognised

ARCHITECTURES = [
    V55,
    Architecture(signature=STANDARD, networks=NETWORKS, state_net=False),
    Architecture.of(Signature(Space(2, 3), 8, ("A", "B")), NETWORKS),
    Architecture.of(Signature(Space(5, 1), 8, ("A",)), {"A": Network(encoder=(7,), decoder=())}),
    Architecture.of(
        Signature(Space(2, 4), 24, ("B", "D", "Z")),
        {
            "B": Network(encoder=(8, 9, 10, 11), decoder=Residual(width=5, blocks=3)),
            "D": Network(encoder=(6, 6), decoder=(4,)),
            "Z": Network(encoder=(3,), decoder=Residual(width=1, blocks=1)),
        },
    ),
    Architecture.of(
        Signature(Space(4, 2), 16, ("A", "B", "C")),
        {
            "A": Network(encoder=(7,), decoder=(), skip=True),
            "B": Network(encoder=(7,), decoder=(5, 6), skip=True),
            "C": Network(encoder=(7,), decoder=Residual(width=5, blocks=2), skip=True),
        },
    ),
]


def parameters(*modules: torch.nn.Module) -> int:
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


def test_the_paths_and_state_net_have_the_published_numbers_of_parameters() -> None:
    model = TernaryVAE()
    assert parameters(model.encoder("A"), model.decoder("A")) == 50_203
    assert parameters(model.encoder("B"), model.decoder("B")) == 117_499
    assert parameters(model.state_net) == 1_068


def test_state_names_of_v5_5_are_those_of_existing_checkpoints() -> None:
    layers = [f"encoder_{path}.encoder.{n}" for path in "AB" for n in (0, 2, 4)]
    layers += [f"encoder_{path}.{head}" for path in "AB" for head in ("fc_mu", "fc_logvar")]
    layers += [f"decoder_A.decoder.{n}" for n in (0, 2, 4)] + ["decoder_B.fc_in", "decoder_B.fc_out"]
    layers += [f"decoder_B.residual{r}.block.{n}" for r in (1, 2) for n in (0, 2)]
    layers += ["state_net.encoder.0", "state_net.encoder.1", "state_net.encoder.3"]
    layers += ["state_net.decoder.0", "state_net.decoder.2"]
    names = {f"{layer}.{kind}" for layer in layers for kind in ("weight", "bias")}
    assert set(expected_shapes(V55)) == names | {"grad_norm_A_ema", "grad_norm_B_ema"}


def test_initial_weights_of_v5_5_are_those_that_earlier_versions_drew() -> None:
    state = initial(1).state_dict()
    assert float(state["encoder_A.encoder.0.weight"][0, 0]) == pytest.approx(0.1717544049, abs=1e-9)
    assert float(state["decoder_B.fc_out.bias"][0]) == pytest.approx(0.0540003963, abs=1e-9)


def test_decoder_b_adds_each_block_to_its_input_with_a_relu_between_the_blocks_only() -> None:
    decoder = TernaryVAE().decoder("B")
    latents = torch.randn(5, 16)
    layer = decoder.get_submodule
    hidden = torch.relu(layer("fc_in")(latents))
    hidden = torch.relu(hidden + layer("residual1.block")(hidden))
    hidden = hidden + layer("residual2.block")(hidden)
    torch.testing.assert_close(decoder(latents), layer("fc_out")(hidden))


def test_initial_weights_follow_from_the_seed_and_leave_the_callers_stream_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, same, other = initial(1).state_dict(), initial(1).state_dict(), initial(2).state_dict()
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["decoder_B.fc_in.weight"], other["decoder_B.fc_in.weight"])


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=lambda each: str(each.signature))
def test_a_path_trains_its_own_parameters_only(architecture: Architecture) -> None:
    model = initial(1, architecture)
    of_paths = [id(p) for path in architecture.signature.paths for p in model.parameters_of(path)]
    of_state_net = parameters(model.state_net) if architecture.state_net else 0
    assert len(set(of_paths)) == len(of_paths)
    paths = architecture.signature.paths
    weights = sum(parameters(model.encoder(path), model.decoder(path)) for path in paths)
    assert weights + of_state_net == parameters(model)


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=lambda each: str(each.signature))
def test_a_models_graphs_go_from_tables_to_latents_to_logits(architecture: Architecture) -> None:
    signature, model = architecture.signature, initial(2, architecture)
    cells, radix = signature.space.cells, signature.space.radix
    for path in signature.paths:
        mean, log_variance = model.encoder(path)(torch.zeros(3, cells))
        assert mean.shape == log_variance.shape == (3, signature.latent_size)
        assert model.decoder(path)(mean).shape == (3, cells * radix)


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=lambda each: str(each.signature))
def test_the_tensors_of_a_model_show_its_architecture(architecture: Architecture) -> None:
    assert recognised(expected_shapes(architecture), "a.pt") == architecture
    state = initial(3, architecture).state_dict()
    again = restored(state).state_dict()
    assert list(again) == list(state) == list(expected_shapes(architecture))
    assert all(torch.equal(again[name], state[name]) for name in state)
