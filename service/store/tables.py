"""The tables, as the queries see them. Rules, functions and triggers are in `migrations/`.

`facematch db check` compares these with the database.
"""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Computed,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from service.store.columns import NEW_ID, NOW, Timestamp, Vector, Xid8, metadata


def _goes_with(owner: str) -> ForeignKeyConstraint:
    """With a face or a subject, whichever gallery that is moved to."""
    return ForeignKeyConstraint(
        ["gallery_id", f"{owner}_id"],
        [f"{owner}.gallery_id", f"{owner}.id"],
        onupdate="CASCADE",
        ondelete="CASCADE",
    )


embedding_space = Table(
    "embedding_space",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=NEW_ID),
    Column("model", Text, nullable=False),
    Column("dimension", Integer, nullable=False),
    Column("weights_sha256", Text),
    Column("detector", Text, nullable=False),
    Column("alignment", Text, nullable=False),
    Column("default_threshold", Double, nullable=False),
    Column("created_at", Timestamp, nullable=False, server_default=NOW),
    UniqueConstraint(
        "model", "weights_sha256", "detector", "alignment", postgresql_nulls_not_distinct=True
    ),
    UniqueConstraint("id", "dimension"),
)

gallery = Table(
    "gallery",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=NEW_ID),
    Column("name", Text, nullable=False),
    Column("space_id", Uuid, ForeignKey("embedding_space.id"), nullable=False),
    Column("threshold", Double, nullable=False),
    Column("max_faces", Integer),
    Column("max_faces_per_subject", Integer, nullable=False, server_default=text("100")),
    Column("subject_lifetime_s", BigInteger),
    Column("gates", JSONB, nullable=False, server_default=text("'{}'")),
    Column("audit_searches", Text, nullable=False, server_default=text("'all'")),
    Column("consent_required", Boolean, nullable=False, server_default=text("false")),
    Column("unmatched_lifetime_s", BigInteger),
    Column("unmatched_since", Timestamp),
    Column("keep_photographs", Text, nullable=False, server_default=text("'none'")),
    Column("version", BigInteger, nullable=False, server_default=text("0")),
    Column("mark", Uuid, nullable=False, server_default=text("gen_random_uuid()")),
    Column("prev_mark", Uuid),
    Column("created_at", Timestamp, nullable=False, server_default=NOW),
    Column("updated_at", Timestamp, nullable=False, server_default=NOW),
    UniqueConstraint("name"),
)

reembedding = Table(
    "reembedding",
    metadata,
    Column("gallery_id", Uuid, ForeignKey("gallery.id", ondelete="CASCADE"), primary_key=True),
    Column("space_id", Uuid, ForeignKey("embedding_space.id"), nullable=False),
    Column("threshold", Double, nullable=False),
    Column("started_at", Timestamp, nullable=False, server_default=NOW),
    Column("switched_at", Timestamp),
)

reembedding_failure = Table(
    "reembedding_failure",
    metadata,
    Column("face_id", Uuid, primary_key=True),
    Column(
        "gallery_id", Uuid, ForeignKey("reembedding.gallery_id", ondelete="CASCADE"), nullable=False
    ),
    Column("code", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("failed_at", Timestamp, nullable=False, server_default=NOW),
    _goes_with("face"),
    Index(None, "gallery_id", "face_id"),
)

gallery_calibration = Table(
    "gallery_calibration",
    metadata,
    Column("gallery_id", Uuid, ForeignKey("gallery.id", ondelete="CASCADE"), primary_key=True),
    Column(
        "space_id", Uuid, ForeignKey("embedding_space.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("fpir", Double, nullable=False),
    Column("threshold", Double, nullable=False),
    Column("threshold_low", Double, nullable=False),
    Column("threshold_high", Double, nullable=False),
    Column("subjects", Integer, nullable=False),
    Column("faces", Integer, nullable=False),
    Column("suspects", Integer, nullable=False),
    Column("tail_start", Double, nullable=False),
    Column("tail_share", Double, nullable=False),
    Column("tail_power", Double, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("release", Text, nullable=False),
    Column("calibrated_at", Timestamp, nullable=False, server_default=NOW),
)

idempotency_key = Table(
    "idempotency_key",
    metadata,
    Column("caller", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("body", LargeBinary),
    Column("created_at", Timestamp, nullable=False, server_default=NOW),
    Column("about", ARRAY(Uuid), nullable=False, server_default=text("'{}'")),
    Index(None, "created_at"),
    Index(None, "about", postgresql_using="gin"),
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=NEW_ID),
    Column("prefix", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("key_hash", LargeBinary, nullable=False),
    Column("previous_hash", LargeBinary),
    Column("previous_until", Timestamp),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("all_galleries", Boolean, nullable=False, server_default=text("false")),
    Column("created_at", Timestamp, nullable=False, server_default=NOW),
    Column("created_by", Text, nullable=False, server_default=text("SESSION_USER")),
    Column("expires_at", Timestamp),
    Column("revoked_at", Timestamp),
    UniqueConstraint("prefix"),
)

api_key_gallery = Table(
    "api_key_gallery",
    metadata,
    Column("key_id", Uuid, ForeignKey("api_key.id", ondelete="CASCADE"), primary_key=True),
    Column("gallery_id", Uuid, ForeignKey("gallery.id", ondelete="CASCADE"), primary_key=True),
    Index(None, "gallery_id"),
)

api_key_pepper = Table(
    "api_key_pepper",
    metadata,
    Column("sole", Boolean, primary_key=True, server_default=text("true")),
    Column("pepper", LargeBinary, nullable=False),
)

consent = Table(
    "consent",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=NEW_ID),
    Column("gallery_id", Uuid, nullable=False),
    Column("subject_id", Uuid, nullable=False),
    Column("text_version", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("given_at", Timestamp, nullable=False, server_default=NOW),
    Column("expires_at", Timestamp),
    Column("recorded_by", Text, nullable=False, server_default=text("SESSION_USER")),
    Column("withdrawn_at", Timestamp),
    _goes_with("subject"),
    Index(None, "gallery_id", "subject_id"),
)

subject = Table(
    "subject",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=NEW_ID),
    Column("gallery_id", Uuid, ForeignKey("gallery.id", ondelete="CASCADE"), nullable=False),
    Column("external_id", Text(collation="C"), nullable=False),
    Column("metadata", JSONB, nullable=False, server_default=text("'{}'")),
    Column("created_at", Timestamp, nullable=False, server_default=NOW),
    Column("expires_at", Timestamp),
    UniqueConstraint("gallery_id", "external_id"),
    UniqueConstraint("gallery_id", "id"),
    Index(
        None,
        "metadata",
        postgresql_using="gin",
        postgresql_ops={"metadata": "jsonb_path_ops"},
        postgresql_where=text("metadata <> '{}'"),
    ),
)

face = Table(
    "face",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=NEW_ID),
    Column("gallery_id", Uuid, nullable=False),
    Column("subject_id", Uuid, nullable=False),
    Column("image_sha256", LargeBinary),
    Column("image_name", Text),
    Column("box", ARRAY(Integer)),
    Column("quality", JSONB),
    Column("created_at", Timestamp, nullable=False, server_default=NOW),
    Column("created_by", Text, nullable=False, server_default=text("SESSION_USER")),
    UniqueConstraint("gallery_id", "id"),
    UniqueConstraint("subject_id", "image_sha256"),
    _goes_with("subject"),
    Index(None, "gallery_id", "subject_id"),
    Index(
        None,
        "gallery_id",
        "image_sha256",
        postgresql_where=text("image_sha256 IS NOT NULL"),
    ),
)

face_embedding = Table(
    "face_embedding",
    metadata,
    Column("face_id", Uuid, primary_key=True),
    Column("space_id", Uuid, primary_key=True),
    Column("gallery_id", Uuid, nullable=False),
    Column("dimension", Integer, Computed("vector_dims(vec)", persisted=True), nullable=False),
    Column("vec", Vector, nullable=False),
    _goes_with("face"),
    ForeignKeyConstraint(
        ["space_id", "dimension"], ["embedding_space.id", "embedding_space.dimension"]
    ),
    Index(None, "gallery_id", "face_id"),
)

kept_photograph = Table(
    "kept_photograph",
    metadata,
    Column("face_id", Uuid, primary_key=True),
    Column("gallery_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    _goes_with("face"),
    Index(None, "gallery_id", "kind", "face_id"),
)

gallery_change = Table(
    "gallery_change",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("gallery_id", Uuid, ForeignKey("gallery.id", ondelete="CASCADE"), nullable=False),
    Column("tx", Xid8, nullable=False, server_default=text("pg_current_xact_id()")),
    Column("version", BigInteger),
    Column("mark", Uuid),
    Column("prev_mark", Uuid),
    Column("at", Timestamp, nullable=False, server_default=NOW),
    Column("subjects", ARRAY(Uuid), nullable=False, server_default=text("'{}'")),
    Column("faces", ARRAY(Uuid), nullable=False, server_default=text("'{}'")),
    Column("everything", Boolean, nullable=False, server_default=text("false")),
    Column("grew", Boolean, nullable=False, server_default=text("false")),
    Column("gained", ARRAY(Uuid), nullable=False, server_default=text("'{}'")),
    Index(None, "gallery_id", "version"),
    Index(None, "tx", postgresql_where=text("version IS NULL")),
)

replica = Table(
    "replica",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("started_at", Timestamp, nullable=False, server_default=NOW),
    Column("seen_at", Timestamp, nullable=False, server_default=NOW),
    Column("checked_at", Timestamp),
    Column("differences", Integer, nullable=False, server_default=text("0")),
)

replica_gallery = Table(
    "replica_gallery",
    metadata,
    Column("replica_id", Uuid, ForeignKey("replica.id", ondelete="CASCADE"), primary_key=True),
    Column("gallery_id", Uuid, ForeignKey("gallery.id", ondelete="CASCADE"), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("mark", Uuid, nullable=False),
    Column("applied_at", Timestamp, nullable=False, server_default=NOW),
    Column("searchable", ARRAY(Uuid)),
    Index(None, "gallery_id"),
)

import_job = Table(
    "import_job",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=NEW_ID),
    Column("gallery_id", Uuid, ForeignKey("gallery.id", ondelete="CASCADE"), nullable=False),
    Column("space_id", Uuid, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("key_id", Uuid),
    Column("request_id", Text),
    Column("address", Text),
    Column("several", Boolean, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'uploading'")),
    Column("created_at", Timestamp, nullable=False, server_default=NOW),
    Column("touched_at", Timestamp, nullable=False, server_default=NOW),
    Column("started_at", Timestamp),
    Column("finished_at", Timestamp),
    Index(None, "gallery_id"),
)

import_item = Table(
    "import_item",
    metadata,
    Column("job_id", Uuid, ForeignKey("import_job.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("file", Text),
    Column("external_id", Text(collation="C")),
    Column("metadata", JSONB(none_as_null=True)),
    Column("photograph", LargeBinary),
    Column("image_sha256", LargeBinary),
    Column("embedding", LargeBinary),
    Column("status", Text, nullable=False, server_default=text("'waiting'")),
    Column("code", Text),
    Column("reason", Text),
    Column("face_id", Uuid),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("claimed_by", Uuid),
    Column("claimed_until", Timestamp),
    Column("done_at", Timestamp),
    Column("consent", JSONB(none_as_null=True)),
    Index(None, "job_id", "status", "number"),
    Index(None, "external_id"),
    Index(None, "face_id", postgresql_where=text("face_id IS NOT NULL")),
)

QUEUE_PREFIX = "procrastinate_"
"""Of the tables that run the jobs: procrastinate's own, which revision 0010 makes from its SQL."""


def is_ours(name: str | None, kind: str, _: object) -> bool:
    """Whether Alembic is to compare it with what stands here."""
    return kind != "table" or not (name or "").startswith(QUEUE_PREFIX)


# no foreign key leads out of the record: it outlives what it tells of
audit_event = Table(
    "audit_event",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("chain", Uuid, nullable=False),
    Column("seq", BigInteger),
    Column("occurred_at", Timestamp, nullable=False, server_default=text("clock_timestamp()")),
    Column("action", Text, nullable=False),
    Column("outcome", Text, nullable=False, server_default=text("'done'")),
    Column("caller", Text, nullable=False),
    Column("key_id", Uuid),
    Column("sql_user", Text, nullable=False, server_default=text("SESSION_USER")),
    Column("request_id", Text),
    Column("address", Text),
    Column("gallery_id", Uuid),
    Column("subject_id", Uuid),
    Column("face_id", Uuid),
    Column("space_id", Uuid),
    Column("threshold", Double),
    Column("gallery_version", BigInteger),
    Column("detail", JSONB, nullable=False, server_default=text("'{}'")),
    Column("tx", Xid8, nullable=False, server_default=text("pg_current_xact_id()")),
    Column("prev_hash", LargeBinary),
    Column("hash", LargeBinary),
    UniqueConstraint("chain", "seq"),
    Index(None, "tx", postgresql_where=text("seq IS NULL")),
    Index(None, "subject_id", "occurred_at"),
    Index(None, "face_id"),
    Index(None, "key_id", "occurred_at"),
)

audit_chain = Table(
    "audit_chain",
    metadata,
    Column("chain", Uuid, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)

audit_identity = Table(
    "audit_identity",
    metadata,
    Column(
        "event_id", BigInteger, ForeignKey("audit_event.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("subject_id", Uuid, nullable=False),
    Column("face_id", Uuid),
    Column("external_id", Text),
    Column("image_name", Text),
    Column("image_sha256", LargeBinary),
    Index(None, "subject_id"),
    Index(None, "face_id"),
    Index(None, "external_id"),
)

erasure = Table(
    "erasure",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=NEW_ID),
    Column("gallery_id", Uuid, nullable=False),
    Column("version", BigInteger),
    Column("mark", Uuid),
    Column("erased_at", Timestamp, nullable=False, server_default=text("clock_timestamp()")),
    Column("caller", Text, nullable=False),
    Column("key_id", Uuid),
    Column("request_id", Text),
    Column("subjects", Integer, nullable=False),
    Column("faces", Integer, nullable=False),
    Column("tx", Xid8, nullable=False, server_default=text("pg_current_xact_id()")),
    Column("passed_at", Timestamp),
    Column("replicas", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("vacuumed_at", Timestamp),
    Index(None, "gallery_id", "version"),
    Index(None, "erased_at", postgresql_where=text("passed_at IS NULL")),
)

audit_anchor = Table(
    "audit_anchor",
    metadata,
    Column("chain", Uuid, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("hash", LargeBinary, nullable=False),
    Column("made_at", Timestamp, nullable=False, server_default=text("clock_timestamp()")),
    Column("made_by", Text, nullable=False, server_default=text("SESSION_USER")),
)
