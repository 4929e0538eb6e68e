"""
The tables, and the invariants that the database itself keeps.

Moments are whole seconds since 1970-01-01 UTC, durations whole seconds. A ``space`` is the text of one, such
as ``3,2``; every bitmap is of the space in its row. Sets of vast spaces are kept as ``segments``, and the
bitmap in their row is empty. A change here needs a new file in ``migrations/versions``; a test compares the
two.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

_COUNT: Final = BigInteger().with_variant(Integer, "sqlite")
"""How many operations; SQLite's integers have 64 bits."""

metadata: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

customers: Final = Table(
    "customers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("contact", Text),
    Column("merged_into", Text),
    Column("merged", BigInteger),
    Column("anonymised", BigInteger),
    Column("created", BigInteger, nullable=False),
    Index(
        "ix_customers_merged_into",
        "merged_into",
        sqlite_where=text("merged_into IS NOT NULL"),
        postgresql_where=text("merged_into IS NOT NULL"),
    ),
)

products: Final = Table(
    "products",
    metadata,
    Column("name", Text, primary_key=True),
    Column("guarantee", Text),
    Column("created", BigInteger, nullable=False),
)

releases: Final = Table(
    "releases",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("product", Text, ForeignKey("products.name"), nullable=False),
    Column("major", Integer, nullable=False),
    Column("minor", Integer, nullable=False),
    Column("patch", Integer, nullable=False),
    Column("content_key", LargeBinary),
    Column("released", BigInteger),
    Column("created", BigInteger, nullable=False),
    UniqueConstraint("product", "major", "minor", "patch"),
)

policies: Final = Table(
    "policies",
    metadata,
    Column("name", Text, primary_key=True),
    Column("product", Text, ForeignKey("products.name"), nullable=False),
    Column("term", BigInteger),
    Column("entitlements", Text, nullable=False),
    Column("seats", Integer),
    Column("unique_operations", _COUNT),
    Column("lease", BigInteger, nullable=False),
    Column("grace", BigInteger, nullable=False),
    Column("offline", BigInteger, nullable=False),
    Column("trial", Boolean, nullable=False),
    Column("versions_from", Text),
    Column("versions_below", Text),
    Column("perpetual", Boolean),
    Column("overage_seats", Integer),
    Column("overage_operations", _COUNT),
    Column("overage_amount", BigInteger),
    Column("overage_per", BigInteger),
    Column("prices", Text),
    Column("ended", BigInteger),
    Column("created", BigInteger, nullable=False),
)

policy_prices: Final = Table(
    "policy_prices",
    metadata,
    Column("policy", Text, ForeignKey("policies.name"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("month", Text, nullable=False),
    Column("existing", Boolean, nullable=False),
    Column("bill_earlier", Boolean, nullable=False),
    Column("prices", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
)

licenses: Final = Table(
    "licenses",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key_hash", Text, nullable=False, unique=True),
    Column("customer", Text, ForeignKey("customers.id"), nullable=False),
    Column("product", Text, ForeignKey("products.name"), nullable=False),
    Column("policy", Text, ForeignKey("policies.name"), nullable=False),
    Column("state", Text, nullable=False),
    Column("starts", BigInteger, nullable=False),
    Column("expires", BigInteger),
    Column("entitlements", Text, nullable=False),
    Column("seats", Integer),
    Column("unique_operations", _COUNT),
    Column("lease", BigInteger, nullable=False),
    Column("grace", BigInteger, nullable=False),
    Column("offline", BigInteger, nullable=False),
    Column("trial", Boolean, nullable=False),
    Column("versions_from", Text),
    Column("versions_below", Text),
    Column("perpetual", Boolean),
    Column("overage_seats", Integer),
    Column("overage_operations", _COUNT),
    Column("overage_amount", BigInteger),
    Column("overage_per", BigInteger),
    Column("own_terms", Text),
    Column("order_number", Text),
    Column("notes", Text),
    Column("claims", Text),
    Column("licensee", Text),
    Column("placed", BigInteger),
    Column("priced", BigInteger),
    Column("billed_from", BigInteger),
    Column("created", BigInteger, nullable=False),
    CheckConstraint("state IN ('active', 'suspended', 'revoked')", name="state"),
    CheckConstraint("seats > 0", name="seats"),
    Index("ix_licenses_customer", "customer", "id"),
    Index("ix_licenses_state", "state", "id"),
    Index("ix_licenses_standing", "state", "expires", "seats", "perpetual"),
    Index("ix_licenses_expires", "expires"),
    Index(
        "uq_licenses_trial",
        "customer",
        "product",
        unique=True,
        sqlite_where=text("trial"),
        postgresql_where=text("trial"),
    ),
)

placements: Final = Table(
    "placements",
    metadata,
    Column("license", Text, ForeignKey("licenses.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("until", Text, nullable=False),
    Column("customer", Text, ForeignKey("customers.id"), nullable=False),
    Column("policy", Text, ForeignKey("policies.name"), nullable=False),
    Column("placed", BigInteger),
    Column("priced", BigInteger),
    Column("billed_from", BigInteger),
    Column("unique_operations", _COUNT),
    Column("overage_amount", BigInteger),
    Column("overage_per", BigInteger),
    Index("ix_placements_customer", "customer", "license"),
)

leases: Final = Table(
    "leases",
    metadata,
    Column("license", Text, ForeignKey("licenses.id"), primary_key=True),
    Column("installation", Text, primary_key=True),
    Column("seat", Text, nullable=False, unique=True),
    Column("customer", Text, ForeignKey("customers.id"), nullable=False),
    Column("disowned", BigInteger),
    Column("generation", Integer, nullable=False),
    Column("ends", BigInteger, nullable=False),
    Column("licensed_until", BigInteger, nullable=False),
    Column("offline", Boolean, nullable=False),
    Column("offline_until", BigInteger),
    Column("released", BigInteger),
    Column("machine", Text),
    Column("started", BigInteger, nullable=False),
    Column("noted", Integer),
    CheckConstraint("generation > 0", name="generation"),
    Index("ix_leases_held", "license", "released", "ends"),
    Index("ix_leases_offline", "license", "offline_until", "installation"),
    Index("ix_leases_installation", "installation"),
    Index(
        "ix_leases_machine",
        "machine",
        sqlite_where=text("machine IS NOT NULL"),
        postgresql_where=text("machine IS NOT NULL"),
    ),
)

seat_counts: Final = Table(
    "seat_counts",
    metadata,
    Column("license", Text, ForeignKey("licenses.id"), primary_key=True),
    Column("taken", Integer, nullable=False),
    Column("since", BigInteger, nullable=False),
)

lease_numbers: Final = Table(
    "lease_numbers",
    metadata,
    Column("seat", Text, primary_key=True),
    Column("license", Text, ForeignKey("licenses.id"), nullable=False),
    Column("installation", Text, nullable=False),
    Column("customer", Text, ForeignKey("customers.id"), nullable=False),
    Column("licensee", Text),
    Index("ix_lease_numbers_holder", "license", "installation"),
)

revocations: Final = Table(
    "revocations",
    metadata,
    Column("license", Text, ForeignKey("licenses.id"), primary_key=True),
    Column("revoked", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Index("ix_revocations_until", "until"),
)

lost_seats: Final = Table(
    "lost_seats",
    metadata,
    Column("seat", Text, primary_key=True),
    Column("license", Text, ForeignKey("licenses.id"), nullable=False),
    Column("installation", Text, nullable=False),
    Column("revoked", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Index("ix_lost_seats_until", "until"),
)

merged_names: Final = Table(
    "merged_names",
    metadata,
    Column("name", Text, primary_key=True),
    Column("merged", BigInteger, nullable=False),
)

revocation_list: Final = Table(
    "revocation_list",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("changes", BigInteger, nullable=False),
    Column("signed_changes", BigInteger, nullable=False),
    Column("directory", BigInteger, nullable=False),
    Column("key", Text, nullable=False),
    Column("renew_at", BigInteger, nullable=False),
    Column("token", Text, nullable=False),
    CheckConstraint("id = 1", name="one"),
)

restorations: Final = Table(
    "restorations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("newest", BigInteger, nullable=False),
    Column("begun", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("oversell", Boolean, nullable=False),
    CheckConstraint("id = 1", name="one"),
)

meters: Final = Table(
    "meters",
    metadata,
    Column("license", Text, ForeignKey("licenses.id"), primary_key=True),
    Column("customer", Text, ForeignKey("customers.id"), primary_key=True),
    Column("space", Text, primary_key=True),
    Column("bitmap", LargeBinary, nullable=False),
    Column("operations", _COUNT, nullable=False),
    Column("quota_bitmap", LargeBinary, nullable=False),
    Column("quota_operations", _COUNT, nullable=False),
    Index("ix_meters_customer", "customer", "space", "license"),
)

meter_reports: Final = Table(
    "meter_reports",
    metadata,
    Column("license", Text, ForeignKey("licenses.id"), primary_key=True),
    Column("installation", Text, primary_key=True),
    Column("lease", Text, primary_key=True),
    Column("space", Text, primary_key=True),
    Column("customer", Text, ForeignKey("customers.id"), nullable=False),
    Column("history", Text),
    Column("sequence", BigInteger),
    Column("bitmap", LargeBinary, nullable=False),
    Column("excluded", LargeBinary),
    Column("issued", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("base_history", Text),
    Column("base_operations", BigInteger),
    Column("base_sha256", Text),
)

meter_losses: Final = Table(
    "meter_losses",
    metadata,
    Column("license", Text, ForeignKey("licenses.id"), primary_key=True),
    Column("installation", Text, primary_key=True),
    Column("customer", Text, ForeignKey("customers.id"), primary_key=True),
    Column("space", Text, primary_key=True),
    Column("received", BigInteger, primary_key=True),
    Column("lost", _COUNT, nullable=False),
    Column("restarted", Boolean, nullable=False),
    Index("ix_meter_losses_received", "received"),
)

meter_entries: Final = Table(
    "meter_entries",
    metadata,
    Column("license", Text, ForeignKey("licenses.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("received", BigInteger, nullable=False),
    Column("customer", Text, ForeignKey("customers.id"), nullable=False),
    Column("lease", Text),
    Column("late", Boolean, nullable=False),
    Column("space", Text, nullable=False),
    Column("operations", Integer, nullable=False),
    Column("bitmap", LargeBinary, nullable=False),
    Column("gaps", LargeBinary),
    Index("ix_meter_entries_received", "received", "license", "customer", "space", "operations", "late"),
    Index("ix_meter_entries_since", "license", "customer", "received", "space", "operations"),
)

segments: Final = Table(
    "segments",
    metadata,
    Column("license", Text, ForeignKey("licenses.id"), primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("operations", Integer, nullable=False),
    Column("gaps", LargeBinary, nullable=False),
)

segment_uses: Final = Table(
    "segment_uses",
    metadata,
    Column("license", Text, primary_key=True),
    Column("holder", Text, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("space", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("sha256", Text, nullable=False),
    ForeignKeyConstraint(["license", "sha256"], ["segments.license", "segments.sha256"]),
    Index("ix_segment_uses_segment", "license", "sha256"),
)

invoices: Final = Table(
    "invoices",
    metadata,
    Column("number", Text, primary_key=True),
    Column("customer", Text, ForeignKey("customers.id"), nullable=False),
    Column("product", Text, ForeignKey("products.name"), nullable=False),
    Column("month", Text, nullable=False),
    Column("issued", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("charged", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("prices", Text, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("place", Integer),
    UniqueConstraint("customer", "product", "month"),
    Index("ix_invoices_place", "place"),
)

invoice_sets: Final = Table(
    "invoice_sets",
    metadata,
    Column("invoice", Text, ForeignKey("invoices.number"), primary_key=True),
    Column("space", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("operations", Integer, nullable=False),
    Column("bitmap", LargeBinary, nullable=False),
    Column("gaps", LargeBinary),
    CheckConstraint("kind IN ('new', 'credited')", name="kind"),
)

webhooks: Final = Table(
    "webhooks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("url", Text, nullable=False),
    Column("kinds", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("delivered", BigInteger, nullable=False),
    Column("failed", BigInteger, nullable=False),
    CheckConstraint("state IN ('active', 'paused', 'gone')", name="state"),
)

events: Final = Table(
    "events",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("payload", Text, nullable=False),
    Index("ix_events_at", "at", "id"),
)

# No key to webhooks: one that is removed meanwhile must not refuse the change that the event is about.
deliveries: Final = Table(
    "deliveries",
    metadata,
    Column("event", Text, ForeignKey("events.id"), primary_key=True),
    Column("webhook", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("claim", Text),
    Column("status", Integer),
    Column("error", Text),
    Column("ended", BigInteger),
    CheckConstraint("state IN ('pending', 'delivered', 'dead')", name="state"),
    Index("ix_deliveries_due", "webhook", "state", "due"),
    Index("ix_deliveries_ended", "state", "ended"),
)

announced_ends: Final = Table(
    "announced_ends",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("until", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="one"),
)

quota_notices: Final = Table(
    "quota_notices",
    metadata,
    Column("license", Text, ForeignKey("licenses.id"), primary_key=True),
    Column("customer", Text, primary_key=True),
    Column("quota", _COUNT, primary_key=True),
    Column("percent", Integer, primary_key=True),
)

invoice_merges: Final = Table(
    "invoice_merges",
    metadata,
    Column("invoice", Text, ForeignKey("invoices.number"), primary_key=True),
    Column("customer", Text, ForeignKey("customers.id"), primary_key=True),
)

tokens: Final = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("secret_hash", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("revoked", BigInteger),
    CheckConstraint("scope IN ('admin', 'issuer', 'auditor')", name="scope"),
)

answered: Final = Table(
    "answered",
    metadata,
    Column("principal", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Index("ix_answered_created", "created"),
)

audit: Final = Table(
    "audit",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("base", Integer),
)

audit_heads: Final = Table(
    "audit_heads",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("hash", Text, nullable=False),
    Column("sealed", Integer),
    Column("sealed_hash", Text),
    Column("archived", Integer),
    Column("archived_hash", Text),
)

audit_checkpoints: Final = Table(
    "audit_checkpoints",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("token", Text, nullable=False),
)

audit_archives: Final = Table(
    "audit_archives",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
)

clock: Final = Table(
    "clock",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("seen", BigInteger, nullable=False),
    Column("doubt_since", BigInteger),
    CheckConstraint("id = 1", name="one"),
)

compatibility: Final = Table(
    "compatibility",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("since", Text, nullable=False),
    CheckConstraint("id = 1", name="one"),
)
