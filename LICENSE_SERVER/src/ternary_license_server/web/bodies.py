"""
What bodies are made of: the forms of names, ids, moments and durations, as OpenAPI describes them.

Unknown members are refused everywhere, in what is taken and in what is given.
"""

from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from ternary_license_server.service.terms import MOST_OPERATIONS, MOST_SEATS
from ternary_sdk._internal.documents.legible import hidden, is_name
from ternary_sdk._internal.identity import LICENSE_ID, NAME, VERSION
from ternary_sdk._internal.licensing import own_claims
from ternary_sdk._internal.licensing.claims import FEATURE, MAX_FEATURES
from ternary_sdk._internal.pricing.price_list import MOST_AMOUNT

_LONGEST: Final = 200


def _printable(text: str) -> str:
    if not is_name(text, _LONGEST):
        raise ValueError("expected printable characters, not all of them blank")
    return text


def _legible(text: str) -> str:
    if hidden(text) is not None or not text.strip():
        raise ValueError("expected printable characters, not all of them blank")
    return text


Line = Annotated[str, Field(min_length=1, max_length=_LONGEST), AfterValidator(_printable)]
Text = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_legible)]
ClaimName = Annotated[str, StringConstraints(pattern=f"^{own_claims.NAME.pattern}$")]
Name = Annotated[str, StringConstraints(pattern=f"^{NAME.pattern}$")]
Version = Annotated[str, StringConstraints(pattern=f"^{VERSION.pattern}$")]
Digest = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
Space = Annotated[
    str, Field(pattern="^[1-9][0-9]?,[1-9][0-9]?$", description="Radix and inputs, as in `3,2`.")
]
Id = Annotated[str, StringConstraints(pattern=f"^{LICENSE_ID.pattern}$")]
Seconds = Annotated[int, Field(ge=0, le=36_500 * 86_400)]
Moment = Annotated[int, Field(ge=0, le=253_402_300_799, description="Seconds since 1970-01-01 UTC.")]
Entitlement = Annotated[
    str,
    StringConstraints(pattern=f"^(encode|decode|sample|{FEATURE.pattern})$"),
    Field(description="A feature of the vendor's own begins with `x-`."),
]
Entitlements = Annotated[list[Entitlement], Field(min_length=1, max_length=3 + MAX_FEATURES)]
Seats = Annotated[int, Field(ge=1, le=MOST_SEATS)]
Operations = Annotated[int, Field(ge=1, le=MOST_OPERATIONS)]
Amount = Annotated[int, Field(ge=0, le=MOST_AMOUNT)]
OverageSeats = Annotated[
    Seats | None, Field(description="Seats at once if more are needed than `seats`; null: no more.")
]
OverageOperations = Annotated[
    Operations | None, Field(description="Operations if more are needed than the quota; null: no more.")
]
OverageAmount = Annotated[
    Amount | None,
    Field(description="Minor units for `overage_per` operations beyond the quota; null: by the prices."),
]
OverageNumber = Annotated[Operations | None, Field(description="How many the amount is for.")]
Perpetual = Annotated[
    bool, Field(description="Versions that were released until a license's end stay usable for ever.")
]
OrderNumber = Annotated[Line | None, Field(description="Of the order; invoices state it.")]
Notes = Annotated[Text | None, Field(description="For the vendor alone.")]
Claims = Annotated[
    dict[ClaimName, Line],
    Field(max_length=own_claims.MOST, description="Claims of the vendor's own that the license carries."),
]


class Taken(BaseModel):
    """A request's body."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Given(BaseModel):
    """An answer's body."""

    model_config = ConfigDict(extra="forbid")
