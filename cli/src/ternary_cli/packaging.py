"""
``ternary package``: from a certified build to a signed package.
"""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from ternary_cli.options import JsonOption, KeysOption, NewFileOption, option
from ternary_cli.vendor import BuildFolder
from ternary_cli.vendor_extra import vendor_extra

if TYPE_CHECKING:
    from ternary_sdk._internal.packages.validation import Validation

Name = Annotated[str, option("--name", metavar="N", text="Lowercase letters, digits and hyphens.")]
Version = Annotated[str, option("--version", metavar="V", text="MAJOR.MINOR.PATCH, such as 1.0.0.")]
Terms = Annotated[
    Path | None, option("--terms", metavar="FILE.md", text="License terms; default: the standard ones.")
]
ContentKey = Annotated[
    Path | None,
    option("--content-key", metavar="F", text="Encrypt the graphs under this release's key; made if new."),
]
ValidationFile = Annotated[
    Path | None,
    option(
        "--validation", metavar="F.json", text="Carry what 'ternary validate' found of the same snapshot."
    ),
]

Required = Annotated[
    list[str] | None,
    option(
        "--require",
        metavar="R",
        text="Refuse what falls short: sound, coverage=0.91, reachable=1, effective=0.9; repeatable.",
    ),
]


def package(
    build: BuildFolder,
    name: Name,
    version: Version,
    keys: KeysOption,
    out: NewFileOption,
    terms: Terms = None,
    content_key: ContentKey = None,
    validation: ValidationFile = None,
    require: Required = None,
    as_json: JsonOption = False,
) -> None:
    """Vendor: prove a build's certificate again, sign it, make one .ternary file of both."""
    from ternary_cli.facts import package_facts, package_words
    from ternary_cli.files import read_text, write_new
    from ternary_cli.progress_line import progress_line
    from ternary_cli.terminal import note, pairs, show, show_json
    from ternary_sdk._internal.identity import format_version, parse_version
    from ternary_sdk._internal.packages import requirement
    from ternary_sdk._internal.packages.members import TERMS, cap
    from ternary_sdk._internal.packages.package import Package
    from ternary_sdk._internal.trust.trust import Role

    with vendor_extra("ternary package"):
        from ternary_export import packaging
        from ternary_export.build import Build
        from ternary_license_server.keys import content_key as content_keys
        from ternary_license_server.keys import keyring
    required = [requirement.parse(text) for text in require or []]
    found = _validation(validation) if validation else None
    ring, release = keyring.load(keys), f"{name}-{format_version(parse_version(version))}"
    with content_keys.of(content_key, release) if content_key else nullcontext() as secret:
        with progress_line() as watch:
            data = packaging.package(
                Build.read(build),
                name=name,
                version=parse_version(version),
                signer=ring.signer(Role.PACKAGE),
                terms=read_text(terms, most=cap(TERMS)) if terms else None,
                content_key=secret,
                validation=found,
                required=required,
                tell=note,
                watch=watch,
            )
        facts = package_facts(Package.read(data, ring.trust), ring.trust, len(data))
        write_new(data, out)
    told = facts | {"file": str(out), "required": [each.text for each in required]}
    show_json(told) if as_json else show(pairs({"file": str(out)} | package_words(facts)))
    if unchecked := requirement.unchecked(required, found):
        note(unchecked)


def _validation(file: Path) -> "Validation":
    from ternary_cli.files import read
    from ternary_sdk._internal.documents import outer
    from ternary_sdk._internal.packages.members import VALIDATION, cap
    from ternary_sdk._internal.packages.validation import Validation

    data, name = read(file, most=cap(VALIDATION))
    return Validation.read(outer.bare(data, name), name)
