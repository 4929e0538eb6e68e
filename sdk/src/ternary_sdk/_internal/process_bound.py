"""
What must not leave the process that made it: threads, sessions, connections and private keys.

Pickling such an object fails with a sentence that names the way out, instead of an error of the library that
lies underneath.
"""

from typing import ClassVar, NoReturn

from ternary_sdk.errors import InputError


class ProcessBound:
    """Base of classes whose objects can be neither pickled nor copied."""

    _holds: ClassVar[str] = "threads and sessions of this process"
    _instead: ClassVar[str] = "open it in each worker, for example in the pool's initializer"

    def __reduce__(self) -> NoReturn:  # what pickle, copy and deepcopy ask
        raise InputError(
            f"{type(self).__name__}: holds {self._holds} and cannot be pickled or copied; {self._instead}"
        )


class KeyHolder(ProcessBound):
    """Base of classes that hold a private key: it must not lie in pickles or caches."""

    _holds = "a private key"
    _instead = "read it from its file in each worker"
