import torch

from ternary_trainer.model import EXPECTED_SHAPES, PATHS, TernaryVAE, initial


def parameters(*modules: torch.nn.Module) -> int:
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


def test_the_paths_and_state_net_have_the_published_numbers_of_parameters() -> None:
    model = TernaryVAE()
    assert parameters(model.encoder_A, model.decoder_A) == 50_203
    assert parameters(model.encoder_B, model.decoder_B) == 117_499
    assert parameters(model.state_net) == 1_068


def test_state_names_are_those_of_existing_checkpoints() -> None:
    layers = [f"encoder_{path}.encoder.{n}" for path in "AB" for n in (0, 2, 4)]
    layers += [f"encoder_{path}.{head}" for path in "AB" for head in ("fc_mu", "fc_logvar")]
    layers += [f"decoder_A.decoder.{n}" for n in (0, 2, 4)] + ["decoder_B.fc_in", "decoder_B.fc_out"]
    layers += [f"decoder_B.residual{r}.block.{n}" for r in (1, 2) for n in (0, 2)]
    layers += ["state_net.encoder.0", "state_net.encoder.1", "state_net.encoder.3"]
    layers += ["state_net.decoder.0", "state_net.decoder.2"]
    names = {f"{layer}.{kind}" for layer in layers for kind in ("weight", "bias")}
    assert set(EXPECTED_SHAPES) == names | {"grad_norm_A_ema", "grad_norm_B_ema"}


def test_decoder_b_adds_each_block_to_its_input_with_a_relu_between_the_blocks_only() -> None:
    decoder = TernaryVAE().decoder_B
    latents = torch.randn(5, 16)
    hidden = torch.relu(decoder.fc_in(latents))
    hidden = torch.relu(hidden + decoder.residual1.block(hidden))
    hidden = hidden + decoder.residual2.block(hidden)
    torch.testing.assert_close(decoder(latents), decoder.fc_out(hidden))


def test_initial_weights_follow_from_the_seed_and_leave_the_callers_stream_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, same, other = initial(1).state_dict(), initial(1).state_dict(), initial(2).state_dict()
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["decoder_B.fc_in.weight"], other["decoder_B.fc_in.weight"])


def test_a_path_trains_its_own_parameters_only() -> None:
    model = TernaryVAE()
    shared = {id(p) for p in model.parameters_of("A")} & {id(p) for p in model.parameters_of("B")}
    assert not shared
    assert sum(len(model.parameters_of(path)) for path in PATHS) == len(list(model.parameters())) - 10
