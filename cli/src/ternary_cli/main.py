"""
The ``ternary`` command: what it is called, which commands it has, and how it ends (``endings``).

Importing this module loads neither numpy nor anything of the vendor's; commands import what
they need when they run.
"""

import contextlib
import copy
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from ternary_cli import (
    ablating,
    activation,
    atlas,
    coding,
    comparing,
    converting,
    doctor,
    endings,
    gate_libraries,
    inspection,
    key_list,
    keys,
    license_batch,
    licenses,
    listing,
    machine,
    near,
    packaging,
    pinning,
    price_forecast,
    reissuing,
    rotation,
    runs,
    sampling,
    server,
    showing,
    statements,
    streams,
    training,
    trust_update,
    usage,
    validation,
    vendor,
    verification,
    walking,
)
from ternary_cli.endings import Ending
from ternary_cli.refusals import check_no_nul
from ternary_cli.terminal import note, show, show_json
from ternary_sdk.errors import TernaryError

app = typer.Typer(
    name="ternary",
    help="Ternary logic operations from a licensed model, with coverage that you can recompute.",
    epilog=endings.EPILOG,
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
# Signs such as --0++0--0 begin with a hyphen, which must not make them an option.
app.command("show", context_settings={"ignore_unknown_options": True})(showing.show)
app.command("list")(listing.operations)
app.command("properties")(listing.properties)
app.command("encode")(coding.encode)
app.command("decode")(coding.decode)
app.command("convert")(converting.convert)
app.command("library")(gate_libraries.library)
# The signs of a truth table may begin with a hyphen.
app.command("near", context_settings={"ignore_unknown_options": True})(near.near)
app.command("path", context_settings={"ignore_unknown_options": True})(walking.walk)
app.command("verify")(verification.verify)
app.command("info")(inspection.info)
app.command("unpack")(inspection.unpack)
app.command("atlas")(atlas.atlas)
app.command("price")(price_forecast.price)
app.command("use")(pinning.use)
app.command("activate")(activation.activate)
app.command("renew")(activation.renew)
app.command("deactivate")(activation.deactivate)
app.command("carry")(activation.carry)
app.command("doctor")(doctor.doctor)
app.command("machine")(machine.machine)
app.add_typer(_license, name="license")
app.add_typer(_trust, name="trust")
app.add_typer(_keys, name="keys")
app.command("recipes")(runs.recipes)
app.command("train")(training.train)
app.command("disrupt")(runs.disrupt)
app.command("plot")(runs.plot)
app.command("tensorboard")(runs.tensorboard)
app.command("compare")(comparing.compare)
app.command("ablate")(ablating.ablate)
app.command("validate")(validation.validate)
app.command("report")(validation.report)
app.command("export")(vendor.export)
app.command("certify")(vendor.certify)
app.command("package")(packaging.package)
app.command("serve")(server.serve)
app.add_typer(server.app, name="server")
_license.command("show")(licenses.show)
_license.command("issue")(licenses.issue)
_license.command("reissue")(reissuing.reissue)
_license.command("issue-all")(license_batch.issue_all)
_license.command("usage")(usage.usage)
_license.command("statement")(statements.statement)
_license.command("invoice")(statements.invoice)
_license.command("revoke")(rotation.revoke_license)
_trust.command("update")(trust_update.update)
_keys.command("init")(keys.init)
_keys.command("show")(key_list.show)
_keys.command("rotate")(rotation.rotate)
# One thumbprint in 64 begins with a hyphen, which must not make it an option.
_keys.command("revoke", context_settings={"ignore_unknown_options": True})(rotation.revoke_key)
_keys.command("extend")(rotation.extend)
_keys.command("webhook")(keys.webhook)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        show([f"ternary {version('ternary-cli')}"])
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
    words, signalled = sys.argv[1:], False
    command = typer.main.get_command(_narrowed(words))
    try:
        streams.prepare()
        for word in words:
            check_no_nul(word)
        with endings.in_order(), command.make_context("ternary", [*words]) as context:
            command.invoke(context)
    except typer.Exit as wanted:
        status = wanted.exit_code
    except BaseException as error:
        ending = endings.of(error, _doing(command, words))
        if ending is None:
            raise
        _say(ending, as_json=endings.wants_json(words))
        status, signalled = ending.status, isinstance(error, endings.Signalled)
    else:
        status = 0
    finally:
        streams.settle()
    if signalled:
        os._exit(status)  # torch's threads may still run, and abort a Python that ends under them
    sys.exit(status)


def _narrowed(words: Sequence[str]) -> typer.Typer:
    """The app with only the command or group that the first word names; whole if it names none.

    Typer reads the signature of every command that an app has, which takes longer than most commands do.
    """
    first, narrowed = words[0] if words else "", copy.copy(app)
    narrowed.registered_commands = [one for one in app.registered_commands if one.name == first]
    narrowed.registered_groups = [one for one in app.registered_groups if one.name == first]
    return narrowed if narrowed.registered_commands or narrowed.registered_groups else app


def _doing(command: object, words: Sequence[str]) -> str:
    """The command that was typed, without what it was given: ``ternary license show``."""
    typed = "ternary"
    for word in words:
        command = getattr(command, "commands", {}).get(word)
        if command is None:
            break
        typed += f" {word}"
    return typed


def _say(ending: Ending, *, as_json: bool) -> None:
    """Say why a command ends: to people on standard error, to programs on standard output."""
    if ending.show is not None:
        with contextlib.suppress(OSError):
            ending.show(file=sys.stderr)
    elif ending.code:
        note(f"error: {ending.message}")
    if ending.code and as_json:
        with contextlib.suppress(OSError, TernaryError):
            show_json(ending.object)
