"""
The tables of the first release.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "answered",
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("principal", "key", name=op.f("pk_answered")),
    )
    op.create_table(
        "audit",
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "number", name=op.f("pk_audit")),
    )
    op.create_table(
        "audit_heads",
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("stream", name=op.f("pk_audit_heads")),
    )
    op.create_table(
        "customers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
    )
    op.create_table(
        "products",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_products")),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("revoked", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("scope IN ('admin', 'issuer', 'auditor')", name=op.f("ck_tokens_scope")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_tokens_secret_hash")),
    )
    op.create_table(
        "policies",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("term", sa.BigInteger(), nullable=True),
        sa.Column("entitlements", sa.Text(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=True),
        sa.Column("unique_operations", sa.Integer(), nullable=True),
        sa.Column("lease", sa.BigInteger(), nullable=False),
        sa.Column("grace", sa.BigInteger(), nullable=False),
        sa.Column("offline", sa.BigInteger(), nullable=False),
        sa.Column("trial", sa.Boolean(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["product"], ["products.name"], name=op.f("fk_policies_product")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_policies")),
    )
    op.create_table(
        "releases",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("major", sa.Integer(), nullable=False),
        sa.Column("minor", sa.Integer(), nullable=False),
        sa.Column("patch", sa.Integer(), nullable=False),
        sa.Column("content_key", sa.LargeBinary(), nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["product"], ["products.name"], name=op.f("fk_releases_product")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_releases")),
        sa.UniqueConstraint("product", "major", "minor", "patch", name=op.f("uq_releases_product")),
    )
    op.create_table(
        "licenses",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("starts", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=True),
        sa.Column("entitlements", sa.Text(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=True),
        sa.Column("unique_operations", sa.Integer(), nullable=True),
        sa.Column("lease", sa.BigInteger(), nullable=False),
        sa.Column("grace", sa.BigInteger(), nullable=False),
        sa.Column("offline", sa.BigInteger(), nullable=False),
        sa.Column("trial", sa.Boolean(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state IN ('active', 'suspended', 'revoked')", name=op.f("ck_licenses_state")),
        sa.CheckConstraint("seats > 0", name=op.f("ck_licenses_seats")),
        sa.ForeignKeyConstraint(["customer"], ["customers.id"], name=op.f("fk_licenses_customer")),
        sa.ForeignKeyConstraint(["policy"], ["policies.name"], name=op.f("fk_licenses_policy")),
        sa.ForeignKeyConstraint(["product"], ["products.name"], name=op.f("fk_licenses_product")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_licenses")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_licenses_key_hash")),
    )
    op.create_index("ix_licenses_customer", "licenses", ["customer"], unique=False)
    op.create_index(
        "uq_licenses_trial",
        "licenses",
        ["customer", "product"],
        unique=True,
        sqlite_where=sa.text("trial"),
        postgresql_where=sa.text("trial"),
    )
    op.create_table(
        "leases",
        sa.Column("license", sa.Text(), nullable=False),
        sa.Column("installation", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("ends", sa.BigInteger(), nullable=False),
        sa.Column("offline", sa.Boolean(), nullable=False),
        sa.Column("released", sa.BigInteger(), nullable=True),
        sa.Column("machine", sa.Text(), nullable=True),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("generation > 0", name=op.f("ck_leases_generation")),
        sa.ForeignKeyConstraint(["license"], ["licenses.id"], name=op.f("fk_leases_license")),
        sa.PrimaryKeyConstraint("license", "installation", name=op.f("pk_leases")),
    )
    op.create_index("ix_leases_live", "leases", ["license", "ends"], unique=False)
    op.create_table(
        "meter_entries",
        sa.Column("license", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("operations", sa.Integer(), nullable=False),
        sa.Column("bitmap", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["customer"], ["customers.id"], name=op.f("fk_meter_entries_customer")),
        sa.ForeignKeyConstraint(["license"], ["licenses.id"], name=op.f("fk_meter_entries_license")),
        sa.PrimaryKeyConstraint("license", "number", name=op.f("pk_meter_entries")),
    )
    op.create_index("ix_meter_entries_received", "meter_entries", ["received"], unique=False)
    op.create_table(
        "meter_reports",
        sa.Column("license", sa.Text(), nullable=False),
        sa.Column("installation", sa.Text(), nullable=False),
        sa.Column("bitmap", sa.LargeBinary(), nullable=False),
        sa.Column("issued", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("lost", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["license"], ["licenses.id"], name=op.f("fk_meter_reports_license")),
        sa.PrimaryKeyConstraint("license", "installation", name=op.f("pk_meter_reports")),
    )
    op.create_table(
        "meters",
        sa.Column("license", sa.Text(), nullable=False),
        sa.Column("bitmap", sa.LargeBinary(), nullable=False),
        sa.Column("operations", sa.Integer(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["license"], ["licenses.id"], name=op.f("fk_meters_license")),
        sa.PrimaryKeyConstraint("license", name=op.f("pk_meters")),
    )
    op.create_table(
        "revocations",
        sa.Column("license", sa.Text(), nullable=False),
        sa.Column("revoked", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["license"], ["licenses.id"], name=op.f("fk_revocations_license")),
        sa.PrimaryKeyConstraint("license", name=op.f("pk_revocations")),
    )
