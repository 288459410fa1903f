"""Rules that protect answers: a space keeps its identity, lengths are exact, dates can be shown."""

from collections.abc import Sequence

from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# a space's vectors were made by what its row says: another row is another space
IDENTITY = """
CREATE FUNCTION space_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.model, NEW.dimension, NEW.detector, NEW.alignment)
       IS DISTINCT FROM (OLD.model, OLD.dimension, OLD.detector, OLD.alignment)
     OR (OLD.weights_sha256 IS NOT NULL
         AND NEW.weights_sha256 IS DISTINCT FROM OLD.weights_sha256) THEN
    RAISE EXCEPTION 'an embedding space cannot become another one'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_embedding_space_identity',
            HINT = 'Insert a new embedding_space, and a gallery bound to it.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER space_identity BEFORE UPDATE ON embedding_space
  FOR EACH ROW EXECUTE FUNCTION space_identity();
ALTER TABLE embedding_space ENABLE ALWAYS TRIGGER space_identity;
"""

# float32 rounds a unit vector's length by less than 1e-6; a wrong length is a wrong similarity
LENGTH = """
ALTER TABLE face_embedding DROP CONSTRAINT IF EXISTS ck_face_embedding_unit_length,
  ADD CONSTRAINT ck_face_embedding_unit_length CHECK (abs(vector_norm(vec) - 1) <= {tolerance})
"""

# of later dates most programming languages know nothing
DATES = """
ALTER TABLE face DROP CONSTRAINT IF EXISTS ck_face_created_at,
  ADD CONSTRAINT ck_face_created_at
  CHECK (created_at >= '0001-01-02' AND created_at < '9999-12-31')
"""

# Each statement commits by itself: whoever enrols or searches waits for the two short ones only,
# and not while every row is read. An upgrade that was broken off in here starts it again.
RULES = (
    LENGTH.format(tolerance="1e-5") + " NOT VALID",
    "ALTER TABLE face_embedding VALIDATE CONSTRAINT ck_face_embedding_unit_length",
    DATES + " NOT VALID",
    "ALTER TABLE face VALIDATE CONSTRAINT ck_face_created_at",
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '2s'")
        for statement in RULES:
            op.execute(statement)
        op.execute("RESET lock_timeout")
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(IDENTITY)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP FUNCTION space_identity() CASCADE")
    op.execute(LENGTH.format(tolerance="1e-3"))
    op.execute("ALTER TABLE face DROP CONSTRAINT ck_face_created_at")
