"""
A plain VAE of two-input ternary operations, in torch alone, shipped like one of ours.

Usage: own_decoder.py FOLDER [STEPS]. Trains for seconds, writes decoder.onnx and encoder.onnx to a new folder
and types the commands that make a certified, signed package of them, and a license.
"""

import itertools
import subprocess
import sys
import warnings
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

LATENTS, WIDTH, CELLS, VALUES = 16, 128, 9, 3
TABLES = torch.tensor(list(itertools.product((-1.0, 0.0, 1.0), repeat=CELLS)))

COMMANDS = """\
ternary export --onnx decoder.onnx --encoder encoder.onnx --space 3,2 --out build
ternary keys init keys --vendor Own
ternary package build --name own --version 1.0.0 --keys keys --out own-1.0.0.ternary
ternary license issue --package own-1.0.0.ternary --to Initech --expires never --keys keys --out own.license
ternary verify own-1.0.0.ternary --trust keys/vendor.trust
ternary sample own-1.0.0.ternary --license own.license --trust keys/vendor.trust -n 1000 --out rows.csv
"""


class Decoder(nn.Module):
    """Latents (n, 16) to logits (n, 9, 3): cells, and in each of them -1, 0, +1."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(LATENTS, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.last = nn.Linear(WIDTH + LATENTS, CELLS * VALUES)

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        hidden = functional.silu(self.first(latents))
        hidden = hidden + functional.silu(self.second(hidden))
        return self.last(torch.cat([hidden, latents], 1)).view(-1, CELLS, VALUES)


class Encoder(nn.Module):
    """Tables (n, 9), each cell -1, 0 or +1, to mean and log-variance (n, 16)."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(CELLS, WIDTH),
            nn.SiLU(),
            nn.Linear(WIDTH, WIDTH),
            nn.SiLU(),
            nn.Linear(WIDTH, 2 * LATENTS),
        )

    def forward(self, tables: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mean, log_variance = self.layers(tables).split(LATENTS, 1)
        return mean, log_variance


def train(steps: int) -> tuple[Encoder, Decoder]:
    torch.manual_seed(1)
    torch.set_num_threads(1)  # layers this small lose more by being shared than they gain
    encoder, decoder = Encoder(), Decoder()
    parameters = [*encoder.parameters(), *decoder.parameters()]
    optimizer = torch.optim.AdamW(parameters, weight_decay=0)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    for _ in range(steps):
        tables = TABLES[torch.randint(len(TABLES), (512,))]
        mean, log_variance = encoder(tables)
        latents = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        digits = (tables + 1).long()
        wrong = functional.cross_entropy(decoder(latents).transpose(1, 2), digits, reduction="sum") / len(
            tables
        )
        divergence = (mean**2 + log_variance.exp() - log_variance - 1).sum(1).mean() / 2
        optimizer.zero_grad()
        (wrong + 0.5 * divergence).backward()
        optimizer.step()
        rate.step()
    return encoder, decoder


def write(model: nn.Module, row: torch.Tensor, file: Path) -> None:
    with warnings.catch_warnings():  # torch's newer exporter needs a further package, onnxscript
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            model.eval(), (row,), file, input_names=["rows"], dynamic_axes={"rows": {0: "n"}}, dynamo=False
        )


def main(folder: Path, steps: int) -> None:
    if folder.exists():
        raise SystemExit(f"error: {folder}: exists already, name a folder that does not")
    folder.mkdir(parents=True)
    encoder, decoder = train(steps)
    write(decoder, torch.zeros(1, LATENTS), folder / "decoder.onnx")
    write(encoder, TABLES[:1], folder / "encoder.onnx")
    for line in COMMANDS.splitlines():
        print(f"$ {line}", flush=True)
        program, *words = line.split()
        subprocess.run([Path(sys.executable).parent / program, *words], cwd=folder, check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1500)
