"""
What is told about packages, certificates and licenses: one set of facts, printed as lines or as JSON.

A coverage figure never stands without its number of draws and what perfect draws cover with as many.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from ternary_cli.certified import coverage_facts
from ternary_sdk._internal.licensing.license import ACTIONS, License
from ternary_sdk._internal.packages.package import Package
from ternary_sdk._internal.packages.validation import Validation
from ternary_sdk._internal.trust.trust import Trust
from ternary_sdk.coverage import percent, perfect_percent, quoted_draws
from ternary_sdk.signature import Signature
from ternary_sdk.space import Space


def package_facts(package: Package, trust: Trust, size: int) -> dict[str, Any]:
    """What a verified package is, who vouches for it and what is certified of each path."""
    certified = {claim.path: claim for claim in package.certificate.paths}
    return {
        "name": package.manifest.label,
        "digest": package.identity.digest,
        "bytes": size,
        "released": moment(package.manifest.released),
        "vendor": trust.vendor,
        "root": trust.root.kid,
        **signature_facts(package.signature),
        "default_path": package.manifest.default_path,
        "paths": {
            path.path: {
                "encoder_parameters": path.encoder.parameters if path.encoder is not None else None,
                "decoder_parameters": path.decoder.parameters,
                **coverage_facts(certified[path.path]),
            }
            for path in package.manifest.paths
        },
        "validation": validation_facts(package.validation) if package.validation else None,
    }


def signature_facts(signature: Signature) -> dict[str, Any]:
    """What a model is of, but for its paths, which are told with what is known of each."""
    space = signature.space
    return {
        "space": {"radix": space.radix, "inputs": space.inputs, "label": space.label},
        "latent_size": signature.latent_size,
    }


def signature_words(facts: Mapping[str, Any], paths: Iterable[str]) -> str:
    """The same in plain words, with the letters of its paths."""
    space, letters = space_of(facts), list(paths)
    return (
        f"{space.title} operations ({space.label}), {facts['latent_size']} latent dimensions, "
        f"{'path' if len(letters) == 1 else 'paths'} {', '.join(letters)}"
    )


def space_of(facts: Mapping[str, Any]) -> Space:
    """The space of which ``signature_facts`` tells."""
    return Space(facts["space"]["radix"], facts["space"]["inputs"])


def validation_facts(validation: Validation) -> dict[str, Any]:
    """What the vendor's own validation found: its word, signed with the package and not proved again."""
    return {
        "sound": validation.sound,
        "sentence": validation.sentence,
        "made": moment(validation.made),
        "report": validation.report,
        "checks": {
            check.name: {
                "ending": str(check.ending),
                "reason": check.reason,
                "figures": [asdict(figure) for figure in check.figures],
            }
            for check in validation.checks
        },
    }


def package_words(facts: Mapping[str, Any]) -> dict[str, str]:
    """The same in plain words, but for the coverage."""
    sizes = (f"{path}: {_sizes(about)}" for path, about in facts["paths"].items())
    margins = (f"{path}: {_margins(about)}" for path, about in facts["paths"].items())
    streams = (f"{path}: {about['stream']}, seed {about['seed']}" for path, about in facts["paths"].items())
    found = facts["validation"]
    told = validation_words(found, space_of(facts)) if found else {}
    return {
        "package": f"{facts['name']}, {facts['bytes']:,} bytes, released {facts['released']}",
        "sha256": facts["digest"],
        "vendor": f"{facts['vendor']}, root {facts['root']}",
        "model": signature_words(facts, facts["paths"]),
        **_kind_words(space_of(facts)),
        "default": f"path {facts['default_path']}",
        "parameters": "; ".join(sizes),
        "margins": "; ".join(margins),
        "streams": "; ".join(streams),
        **told,
    }


def _kind_words(space: Space) -> dict[str, str]:
    """Of a vast space, that its certificate is another kind of statement."""
    if space.listed:
        return {}
    return {
        "space": f"{space.size:,} operations, too many to list: certified by bounds, each with its confidence"
    }


def _margins(about: Mapping[str, Any]) -> str:
    near_ties = _near_ties(about["near_ties"])
    if "smallest_margin" not in about:
        return f"{near_ties} in {about['draws']:,} draws"
    return f"{about['smallest_margin']} or more, {near_ties}"


def _near_ties(count: int) -> str:
    return "1 near tie" if count == 1 else f"{count:,} near ties"


def _sizes(about: Mapping[str, Any]) -> str:
    encoder = about["encoder_parameters"]
    coded = "no encoder" if encoder is None else f"{encoder:,} in"
    return f"{coded}, {about['decoder_parameters']:,} out"


def validation_words(found: Mapping[str, Any], space: Space) -> dict[str, str]:
    """The verdict, what was found of coverage, beside perfect draws, and the report's digest."""
    return {
        "validation": f"the vendor says: {found['sentence']} ({found['made']})",
        **{f"found on {path}": told for path, told in _covered(found, space).items()},
        "report": f"sha256 {found['report']}" if found["report"] else "none was written",
    }


def _covered(found: Mapping[str, Any], space: Space) -> dict[str, str]:
    checked = found["checks"].get("hash-coverage", {"figures": []})
    told: dict[str, list[str]] = {}
    for figure in checked["figures"]:
        for draws in quoted_draws(space):
            if figure["path"] and figure["name"] == f"hash coverage at {draws:,} draws":
                value, low, high = (percent(float(figure[key])) for key in ("value", "low", "high"))
                told.setdefault(figure["path"], []).append(
                    f"{value} % (95 % interval {low} to {high}) at {draws:,} draws "
                    f"(perfect draws, on average {perfect_percent(draws, space)} %)"
                )
    return {path: "; ".join(parts) for path, parts in told.items()}


def license_facts(license: License) -> dict[str, Any]:
    """What a license grants."""
    return {
        "id": license.id,
        "customer": license.customer,
        "vendor": license.vendor,
        "packages": [term.to_claim() for term in license.packages],
        "allows": [action for action in ACTIONS if action in license.entitlements],
        "issued": moment(license.issued),
        "not_before": moment(license.not_before) if license.not_before else None,
        "expires": moment(license.expires) if license.expires else None,
        "grace_from": moment(license.grace_from) if license.grace_from else None,
        "machines": list(license.machines) if license.machines is not None else None,
        "bound_to": license.bound_to,
        "seats": license.seats,
        "lease": license.lease,
        "content_keys": [key.digest for key in license.content_keys],
        "unique_operations": license.unique_operations,
        "agreed_operations": license.agreed_operations,
        "released_until": moment(license.released_until) if license.released_until else None,
        "features": sorted(license.features),
        "claims": dict(license.claims),
    }


def license_words(license: License, now: datetime, *, drawn: int | None = None) -> dict[str, str]:
    """The same in plain words.

    Args:
        license: What is described.
        now: The present moment, to tell whether it runs on grace.
        drawn: How many different operations were returned under it, where it has a quota.
    """
    facts = license_facts(license)
    quota = license.unique_operations
    grace = {} if license.grace_from is None else {"grace": grace_words(license, now)}
    counted = f"{quota:,} different operations" if quota else "none: any number of operations"
    if license.agreed_operations is not None:
        counted += f", those beyond {license.agreed_operations:,} as overage"
    return {
        "license": f"{facts['id']}, issued by {facts['vendor']} to {facts['customer']}",
        "for": "; ".join(str(term) for term in license.packages),
        "allows": ", ".join([*facts["allows"], *facts["features"]]),
        "from": facts["not_before"] or facts["issued"],
        "until": facts["expires"] or "it never expires",
        **grace,
        "machines": ", ".join(facts["machines"]) if facts["machines"] else "any",
        "bound to": f"installation key {license.bound_to}"
        if license.bound_to
        else "nobody: whoever has the file has the license",
        **_limits(license),
        "quota": counted if drawn is None else f"{counted}, {drawn:,} drawn so far on this machine",
        **dict(license.claims),
    }


def _limits(license: License) -> dict[str, str]:
    """What few licenses have, each where it is there."""
    keys = ", ".join(f"sha256 {key.digest[:12]}…" for key in license.content_keys)
    told = {
        "seats": f"{license.seats} machines at once" if license.seats is not None else "",
        "lease": license.lease or "",
        "versions": f"those released until {moment(license.released_until)}"
        if license.released_until
        else "",
        "keys": f"of the encrypted {keys}" if keys else "",
    }
    return {name: words for name, words in told.items() if words}


def grace_words(license: License, now: datetime) -> str:
    """How long a license that is renewed runs without its server, and whether it does now."""
    facts = license_facts(license)
    due, end = facts["grace_from"], facts["expires"]
    if license.in_grace(now) and license.expires is not None and now < license.expires:
        return (
            f"on grace now: its renewal was due on {due}; it runs on until {end}, and a signed denial ends "
            "it at once; run 'ternary renew'"
        )
    return (
        f"its renewal is due on {due}; if the license server cannot be reached then, it "
        f"runs on until {end}, and a signed denial ends it at once"
    )


def moment(when: datetime) -> str:
    """A moment as people and programs both read it: RFC 3339, UTC."""
    return f"{when:%Y-%m-%dT%H:%M:%SZ}"
