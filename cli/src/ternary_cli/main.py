"""
The ``ternary`` command: what it is called, which commands it has, and how it ends.

Exit status 0: done. 1: refused, with one ``error: …`` line on standard error. 2: the command line itself
is wrong. Importing this module loads neither numpy nor anything of the vendor's; commands import what
they need when they run.
"""

import io
import sys
from typing import Annotated

import typer

from ternary_cli import (
    activation,
    atlas,
    coding,
    health,
    inspection,
    key_list,
    keys,
    licenses,
    pinning,
    rotation,
    runs,
    sampling,
    server,
    training,
    validation,
    vendor,
)
from ternary_sdk.errors import TernaryError

app = typer.Typer(
    name="ternary",
    help="Ternary logic operations from a licensed model, with coverage that you can recompute.",
    epilog="Exit status: 0 done, 1 refused (one 'error: …' line), 2 wrong command line.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
)
_license = typer.Typer(help="Licenses: look at one; the vendor issues them.", no_args_is_help=True)
_trust = typer.Typer(help="The vendor's trust file.", no_args_is_help=True)
_keys = typer.Typer(help="The vendor's signing keys.", no_args_is_help=True)

app.command("sample")(sampling.sample)
app.command("encode")(coding.encode)
app.command("decode")(coding.decode)
app.command("verify")(inspection.verify)
app.command("info")(inspection.info)
app.command("unpack")(inspection.unpack)
app.command("atlas")(atlas.atlas)
app.command("use")(pinning.use)
app.command("activate")(activation.activate)
app.command("renew")(activation.renew)
app.command("deactivate")(activation.deactivate)
app.command("carry")(activation.carry)
app.command("doctor")(health.doctor)
app.command("machine")(health.machine)
app.add_typer(_license, name="license")
app.add_typer(_trust, name="trust")
app.add_typer(_keys, name="keys")
app.command("recipes")(runs.recipes)
app.command("train")(training.train)
app.command("disrupt")(runs.disrupt)
app.command("plot")(runs.plot)
app.command("validate")(validation.validate)
app.command("report")(validation.report)
app.command("export")(vendor.export)
app.command("certify")(vendor.certify)
app.command("package")(vendor.package)
app.command("serve")(server.serve)
app.add_typer(server.app, name="server")
_license.command("show")(licenses.show)
_license.command("issue")(licenses.issue)
_license.command("usage")(health.usage)
_license.command("revoke")(rotation.revoke_license)
_trust.command("update")(health.update_trust)
_keys.command("init")(keys.init)
_keys.command("show")(key_list.show)
_keys.command("rotate")(rotation.rotate)
# One thumbprint in 64 begins with a hyphen, which must not make it an option.
_keys.command("revoke", context_settings={"ignore_unknown_options": True})(rotation.revoke_key)
_keys.command("extend")(rotation.extend)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"ternary {version('ternary-cli')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Ternary logic operations from a licensed model, with coverage that you can recompute."""


def main() -> None:
    """Run the command line; the entry point of the ``ternary`` script."""
    _reopen_closed_streams()
    try:
        app(prog_name="ternary")
    except TernaryError as refusal:
        _end(str(refusal))
    except MemoryError:
        _end("not enough memory for a request of this size")
    except OSError as error:
        _end(f"{error.filename or 'standard output'}: {(error.strerror or str(error)).lower()}")


def _reopen_closed_streams() -> None:
    """Where a caller closed a standard stream (``>&-``) Python has None; reading or writing it then fails."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, io.TextIOWrapper(io.BytesIO()))


def _end(sentence: str) -> None:
    from ternary_cli.terminal import note

    note(f"error: {sentence}")
    sys.exit(1)
