"""
Sets of operations as invoices and statements state them: number, digest and, where there is room, members.

Members of a listed space are a bitmap, those of a vast space are gaps.
"""

import base64
from dataclasses import dataclass

from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space


@dataclass(frozen=True, kw_only=True)
class StatedSet:
    """A set of which number and digest are known, and the members perhaps."""

    space: Space
    """What its members are operations of."""
    operations: int
    """How many."""
    sha256: str
    """Its digest."""
    members: OperationSet | None
    """The set itself; None where the document has no room for it."""

    @classmethod
    def of(cls, members: OperationSet) -> "StatedSet":
        """A set whose members are known."""
        return cls(space=members.space, operations=len(members), sha256=members.digest, members=members)

    @classmethod
    def read(cls, fields: Fields, space: Space, *, longest: int) -> "StatedSet":
        """Read what ``to_json`` wrote.

        Args:
            fields: The object.
            space: What the members are operations of.
            longest: Most bytes of gaps.
        Raises:
            FormatError: If it is malformed, or members contradict the number or the digest.
        """
        name = "bitmap" if space.listed else "gaps"
        members = None
        if space.listed or name in fields:
            data = fields.octets(name, longest=space.bitmap_bytes if space.listed else longest)
            if space.listed:
                members = OperationSet.from_bytes(data, space)
            else:
                members = OperationSet.from_gaps(data, space, most=longest, what=f"{fields.path}.gaps")
        operations = fields.integer("operations", most=space.size)
        sha256 = fields.sha256("sha256")
        if members is not None and (len(members), members.digest) != (operations, sha256):
            raise fields.wrong("sha256", sha256, f"{members.digest}, of {len(members)} operations")
        fields.end()
        return cls(space=space, operations=operations, sha256=sha256, members=members)

    def to_json(self, *, longest: int) -> dict[str, Json]:
        """The set as its document states it; without gaps where they are more than ``longest`` bytes."""
        stated: dict[str, Json] = {"operations": self.operations, "sha256": self.sha256}
        if self.members is None:
            return stated
        data = self.members.to_bytes() if self.space.listed else self.members.to_gaps()
        if self.space.listed or len(data) <= longest:
            stated["bitmap" if self.space.listed else "gaps"] = base64.b64encode(data).decode()
        return stated
