"""
What ``ternary verify`` is asked for beside what opening a package proves.

Nothing heavy is imported here, so that options which cannot be had are refused at once.
"""

from dataclasses import dataclass
from pathlib import Path

from ternary_sdk.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the command line says of a recount; None where it says nothing."""

    draws: int | None
    seed: int | None
    path: str | None
    cluster: str | None
    folder: Path | None
    resume: bool
    memory: int | None

    def check(self) -> None:
        """Refuse what says nothing without ``--recount``, or cannot be had together.

        Raises:
            InputError: Naming the option.
        """
        if self.draws is None:
            for name, value in (
                ("--seed", self.seed),
                ("--path", self.path),
                ("--cluster", self.cluster),
                ("--folder", self.folder),
                ("--resume", self.resume or None),
                ("--memory", self.memory),
            ):
                if value is not None:
                    raise InputError(f"{name}: belongs to a recount; add --recount N")
        if self.resume and (self.folder is None or self.seed is None):
            raise InputError("--resume: add --folder DIR and --seed S of the recount that was interrupted")
        if self.cluster is not None and self.folder is None:
            raise InputError("--cluster: add --folder DIR, a folder that all workers share")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the command line asks for beside what opening a package proves."""

    replay: bool
    """Draw the certified draws again."""

    blocks: int | None
    """Of a vast space only so many blocks of each path."""

    recount: Wish

    evidence: Path | None
    """Where to write what was checked."""

    def check(self) -> None:
        """Refuse what cannot be had together.

        Raises:
            InputError: Naming the option.
        """
        self.recount.check()
        if self.blocks is not None and not self.replay:
            raise InputError("--blocks: belongs to a replay; add --replay")

    @property
    def graphs(self) -> str | None:
        """The first option that needs the graphs in the clear."""
        return "--replay" if self.replay else "--recount" if self.recount.draws else None
