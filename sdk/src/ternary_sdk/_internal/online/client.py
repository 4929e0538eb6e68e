"""
A license server, as a client sees it: take a seat, renew it, ask whether it stands, give it back, report
usage.

Needs httpx and truststore (extra ``online``; ``docs/installing.md``); nothing else in the SDK imports this
module, so nothing talks to a network unless the embedding program asks. Every call has a timeout, and every
answer must be signed for this very question before a byte of it is believed.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final, NoReturn

import httpx

from ternary_sdk._internal.documents import canonical, outer
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.licensing import clock, machine, usage
from ternary_sdk._internal.licensing.counted import Acknowledged, Counted, nothing
from ternary_sdk._internal.licensing.installation import Installation
from ternary_sdk._internal.licensing.ledger import Ledger
from ternary_sdk._internal.licensing.renewal import replacement
from ternary_sdk._internal.licensing.state import LEDGER, for_vendor
from ternary_sdk._internal.online import answer as online_answer
from ternary_sdk._internal.online import connection
from ternary_sdk._internal.online import request as online_request
from ternary_sdk._internal.online import state as online_state
from ternary_sdk._internal.online.answer import Answer, Question
from ternary_sdk._internal.online.state import Activation
from ternary_sdk._internal.trust.trust import MAX_TRUST, Trust
from ternary_sdk.errors import (
    FormatError,
    LedgerError,
    LicenseError,
    Reason,
    ServerError,
    SignatureError,
    TernaryError,
)
from ternary_sdk.space import TERNARY_2

TIMEOUT: Final = 10.0
"""Seconds for each of connecting, sending and receiving."""
MAX_ANSWER: Final = MAX_TRUST
_UNNUMBERED: Final = ("/v1/usage", "/v1/standing")
"""Where nothing needs a number to be done once: reports merge by union, a question changes nothing."""
TRY_LATER: Final = "TRY_LATER"
"""What a restored server answers where it may have forgotten something."""
SEND_ALL: Final = "SEND_ALL"
"""What a server answers that does not have the set that a report of a vast space is a difference from."""
_OF_THE_REQUEST: Final = (Reason.MALFORMED, Reason.SIGNATURE_INVALID)
"""Refusals that say nothing of the license, such as a much older server's: they take nothing away."""


class LicenseServer:
    """One vendor's license server.

    Args:
        url: Its address; ``https``, or ``http`` on this machine.
        trust: The vendor's trust file; answers must be signed under it.
        state: The state directory, as in ``Model.open``; by default one in the user's data directory.
        timeout: Seconds for each of connecting, sending and receiving.
        transport: How requests travel, in place of the network.
    Raises:
        InputError: If the address is no such address.
    """

    def __init__(
        self,
        url: str,
        trust: Trust,
        *,
        state: Path | None = None,
        timeout: float = TIMEOUT,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = connection.checked(url)
        self._trust = trust
        self._state = state
        self._timeout = timeout
        self._transport = transport

    def activate(self, key: str, now: datetime, *, machine_id: str | None = None) -> Activation:
        """Exchange a license key for a license bound to this user's installation, and keep both.

        Args:
            key: As typed; case, hyphens and spaces do not matter.
            now: The present moment, timezone-aware.
            machine_id: This machine's id where it has none of its own, as in a container.
        Raises:
            InputError: If the key is mistyped.
            LicenseError: With the server's reason.
            ServerError: If the server cannot be reached or fails.
            SignatureError: If the answer is not the vendor's to this question.
            LedgerError: If this user's state cannot be kept.
        """
        held = self._installation(now)
        document = online_request.activate(
            key,
            vendor=self._trust.root.kid,
            held=held,
            now=now,
            machine=machine.identify(self._trust.root.kid, explicit=machine_id).id
            if machine_id
            else _machine(self._trust.root.kid),
        )
        return self._keep(self._ask("/v1/activations", document, now), held)

    def renew(self, license_id: str, now: datetime) -> Activation:
        """Move the end of a lease; first report usage if the license has a quota.

        A signed denial ends the license at once, in every copy. If the server cannot be reached, the
        license stays good until it ends.

        Raises:
            As ``activate``.
        """
        held = self._installation(now)
        document = self._about_seat(online_request.renew, license_id, held, now)
        with self._ended_by_denial(license_id, held, now):
            if self._has_quota(license_id):
                self.report(license_id, now)
            came = self._ask("/v1/renewals", document, now)
        return self._keep(came, held)

    def standing(self, license_id: str, now: datetime) -> datetime:
        """Ask whether the seat is still held; its end does not move.

        A signed denial ends the license at once, as in ``renew``.

        Returns:
            When the server gives the seat to another if it is not renewed.
        Raises:
            As ``activate``.
        """
        held = self._installation(now)
        document = self._about_seat(online_request.standing, license_id, held, now)
        with self._ended_by_denial(license_id, held, now):
            came = self._ask("/v1/standing", document, now)
        return Fields(canonical.decode(came, "server's answer"), "server's answer").moment("ends")

    def deactivate(self, license_id: str, now: datetime) -> None:
        """Give the seat back and remove the license.

        Raises:
            As ``activate``; after LEASE_LOST the license is removed too, there is nothing to give back.
        """
        held = self._installation(now)
        document = self._about_seat(online_request.release, license_id, held, now)
        try:
            self._ask("/v1/releases", document, now)
        except LicenseError as refusal:
            if refusal.code is Reason.LEASE_LOST:
                online_state.withdraw(held, license_id, refusal.code, self._trust, now, forget=True)
            raise
        online_state.withdraw(held, license_id, Reason.LEASE_LOST, self._trust, now, forget=True)

    def license_file(self, license_id: str) -> Path:
        """Where ``activate`` and ``renew`` keep the license, for ``Model.open`` and ``Model.relicense``."""
        return online_state.license_file(self._directory, license_id)

    def report(self, license_id: str, now: datetime) -> int:
        """Report what was returned under a license's lease, and under every earlier one.

        What the server has confirmed is sent too: a server that was restored from a backup has forgotten it.

        Returns:
            How many different operations the server has counted for this customer, over all machines, those
            of all spaces added up.
        Raises:
            As ``activate``.
        """
        held, ledger = self._installation(now), Ledger(self._directory / LEDGER)
        sets, (lease, owner) = ledger.sets(license_id), self._in_force(license_id)
        for counted in sets:
            done = counted.lease is None and counted.settled  # sent again, it would be of the lease of now
            if counted.lease != lease and not done:
                with _taking_nothing():
                    self._report(ledger, license_id, counted, held, now)
        mine = [one for one in sets if one.lease == lease] or [nothing(lease, owner, TERNARY_2)]
        return [self._report(ledger, license_id, counted, held, now) for counted in mine][-1]

    def _report(
        self, ledger: Ledger, license_id: str, counted: Counted, held: Installation, now: datetime
    ) -> int:
        """Report one set; how many operations of all spaces the server has counted after it.

        Where the server does not know what it would be told the difference from, all is sent.
        """
        try:
            return self._send_reports(ledger, license_id, counted, held, now)
        except ServerError as refusal:
            if refusal.code != SEND_ALL:
                raise
        with suppress(LedgerError):
            ledger.forget_acknowledgement(license_id, counted)
        unknown = replace(counted, acknowledged=None, pending=None)
        return self._send_reports(ledger, license_id, unknown, held, now)

    def _send_reports(
        self, ledger: Ledger, license_id: str, counted: Counted, held: Installation, now: datetime
    ) -> int:
        total = 0
        for sent in usage.reports(license_id, counted, held, now):
            came = self._ask("/v1/usage", sent.document, now)
            fields = Fields(canonical.decode(came, "server's answer"), "server's answer")
            _check_acknowledged(fields.object("acknowledged"), sent.after)
            with suppress(LedgerError):  # read-only state is reported in full each time
                reported = replace(counted, acknowledged=sent.base)
                ledger.acknowledge(license_id, reported, sent.confirms, sent.after)
            total = fields.integer("all_spaces")
        return total

    def _in_force(self, license_id: str) -> tuple[str, str | None]:
        """The lease and the owner that the license in force states; after a denial only the lease is kept."""
        license = online_state.kept_license(self._directory, license_id, self._trust)
        lease = self._number(online_state.find(self._directory, license_id))
        return lease, license.customer if license is not None and license.lease == lease else None

    def trust(self, now: datetime) -> Trust:
        """The server's newest trust file, if it may replace the present one; used from now on.

        The answer may be signed by a key that only this newest file has: its root, which is the present
        one's, vouches for that key.

        Raises:
            SignatureError: If it is of another root, or older.
            FormatError: If it is no trust file.
            LicenseError: CLOCK_ROLLBACK, if the memory of the newest one was removed or altered.
            ServerError: If the server cannot be reached or fails.
        """
        question = Question(nonce=online_answer.new_nonce(), method="GET", path="/v1/trust", body=b"")
        answer, vouching = self._send(question, {}), self._trust
        with suppress(FormatError, SignatureError):
            vouching = replacement(self._trust, Trust.read(answer.body))
        online_answer.verify(question, answer, vouching, now)
        if answer.status >= 400:
            _refuse(answer)
        newer = replacement(self._trust, Trust.read(answer.body))
        with suppress(LedgerError):
            clock.remember(self._directory, newer, now, signed=newer.issued)
        self._trust = newer
        return newer

    def carry(self, document: bytes, now: datetime) -> bytes:
        """Hand in a file from a machine without a network.

        Args:
            document: What ``online_request.activate`` or ``release`` made there; a byte order mark and white
                space around it are not sent.
            now: The present moment, timezone-aware.
        Returns:
            The answer, for that machine; its license is signed and bound to that machine's installation.
        Raises:
            As ``activate``.
            FormatError: If it is not such a file.
        """
        return self._ask("/v1/carried", outer.bare(document, "request"), now)

    @contextmanager
    def _ended_by_denial(self, license_id: str, held: Installation, now: datetime) -> Iterator[None]:
        try:
            yield
        except LicenseError as refusal:
            if refusal.code not in _OF_THE_REQUEST:
                online_state.withdraw(held, license_id, refusal.code, self._trust, now, forget=False)
            raise

    def _ask(self, path: str, document: bytes, now: datetime) -> bytes:
        headers = {} if path in _UNNUMBERED else {"Idempotency-Key": online_request.number(document)}
        question = Question(nonce=online_answer.new_nonce(), method="POST", path=path, body=document)
        return self._exchange(question, headers | {"Content-Type": "application/json"}, now)

    def _exchange(self, question: Question, headers: Mapping[str, str], now: datetime) -> bytes:
        answer = self._send(question, headers)
        online_answer.verify(question, answer, self._trust, now)
        if answer.status >= 400:
            _refuse(answer)
        return answer.body

    def _send(self, question: Question, headers: Mapping[str, str]) -> Answer:
        sent = {**headers, online_answer.NONCE_HEADER: question.nonce}
        body = question.body or None
        with (
            connection.connected(self.url, timeout=self._timeout, transport=self._transport) as client,
            client.stream(question.method, question.path, headers=sent, content=body) as came,
        ):
            data = _read_capped(came)
        return Answer(
            status=came.status_code,
            body=data,
            time=came.headers.get(online_answer.TIME_HEADER, ""),
            signature=came.headers.get(online_answer.ANSWER_HEADER, ""),
        )

    def _keep(self, body: bytes, held: Installation) -> Activation:
        return online_state.accept(body, self._trust, held, server=self.url)

    @property
    def _directory(self) -> Path:
        """This vendor's part of the state directory; ``carry`` and ``trust`` do without one."""
        return for_vendor(self._trust.root.kid, self._state)

    def _about_seat(
        self, make: Callable[..., bytes], license_id: str, held: Installation, now: datetime
    ) -> bytes:
        """A signed request about the seat that this installation holds."""
        lease = online_state.find(self._directory, license_id)
        vendor = self._trust.root.kid
        return make(license_id, self._number(lease), lease.generation, vendor=vendor, held=held, now=now)

    def _number(self, lease: Activation) -> str:
        return online_state.lease_number(self._directory, lease, self._trust)

    def _has_quota(self, license_id: str) -> bool:
        license = online_state.kept_license(self._directory, license_id, self._trust)
        return license is not None and license.unique_operations is not None

    def _installation(self, now: datetime) -> Installation:
        return clock.establish(self._directory, now, signed=self._trust.issued)


@contextmanager
def _taking_nothing() -> Iterator[None]:
    """Let what is refused of an earlier lease, or not known yet, take nothing from the present one."""
    try:
        yield
    except LicenseError:
        pass
    except ServerError as refusal:
        if refusal.code != TRY_LATER:
            raise


def _check_acknowledged(fields: Fields, expected: Acknowledged) -> None:
    found = Acknowledged(operations=fields.integer("operations"), sha256=fields.sha256("sha256"))
    if found != expected:
        raise ServerError(
            f"license server: it acknowledged a set of {found.operations:,} operations (set "
            f"{found.sha256[:12]}…), reported was one of {expected.operations:,} ({expected.sha256[:12]}…)"
        )


def _refuse(answer: Answer) -> NoReturn:
    fields = Fields(canonical.decode(answer.body, "server's answer"), "server's answer")
    code, detail = fields.text("code", longest=60), fields.text("detail")
    if code in list(Reason):
        raise LicenseError(Reason(code), detail)
    raise ServerError(f"license server: {detail} ({code})", code)


def _read_capped(came: httpx.Response) -> bytes:
    data = b""
    for chunk in came.iter_bytes():
        data += chunk
        if len(data) > MAX_ANSWER:
            raise ServerError(f"license server: an answer of more than {MAX_ANSWER} bytes")
    return data


def _machine(vendor: str) -> str | None:
    try:
        return machine.identify(vendor).id
    except TernaryError:
        return None
