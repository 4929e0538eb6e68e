"""
What bodies are made of: the forms of names, ids, moments and durations, as OpenAPI describes them.

Unknown members are refused everywhere, in what is taken and in what is given.
"""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from ternary_sdk._internal.documents.legible import is_name
from ternary_sdk._internal.identity import LICENSE_ID, NAME, VERSION

_LONGEST: Final = 200


def _printable(text: str) -> str:
    if not is_name(text, _LONGEST):
        raise ValueError("expected printable characters, not all of them blank")
    return text


Line = Annotated[str, Field(min_length=1, max_length=_LONGEST), AfterValidator(_printable)]
Name = Annotated[str, StringConstraints(pattern=f"^{NAME.pattern}$")]
Version = Annotated[str, StringConstraints(pattern=f"^{VERSION.pattern}$")]
Digest = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
Space = Annotated[
    str, Field(pattern="^[1-9][0-9]?,[1-9][0-9]?$", description="Radix and inputs, as in `3,2`.")
]
Id = Annotated[str, StringConstraints(pattern=f"^{LICENSE_ID.pattern}$")]
Seconds = Annotated[int, Field(ge=0, le=36_500 * 86_400)]
Moment = Annotated[int, Field(ge=0, le=253_402_300_799, description="Seconds since 1970-01-01 UTC.")]
Entitlement = Literal["encode", "decode", "sample"]


class Taken(BaseModel):
    """A request's body."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Given(BaseModel):
    """An answer's body."""

    model_config = ConfigDict(extra="forbid")
