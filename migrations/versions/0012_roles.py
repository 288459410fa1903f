"""Roles: what the application may do, and what an auditor may see."""

from collections.abc import Sequence

from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# Roles belong to the whole server: another database may have them already, and a role without
# CREATEROLE works without them.
ROLES = """
DO $$
DECLARE
  wanted text;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['facematch_auditor', 'facematch_app'] LOOP
    IF to_regrole(wanted) IS NULL THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
      EXCEPTION
        WHEN duplicate_object OR unique_violation THEN NULL;
        WHEN insufficient_privilege THEN
          RAISE NOTICE 'role % is missing and % may not create it', wanted, current_user
            USING HINT = format('Ask for CREATE ROLE %I NOLOGIN, then SELECT facematch_grant().',
                                wanted);
      END;
    END IF;
  END LOOP;
END $$
"""

# Called after every upgrade: tables that came with it are granted too.
GRANT = """
CREATE FUNCTION facematch_grant() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  home text := current_schema();
  protected text := 'audit_event, audit_chain, audit_identity, audit_anchor, erasure,'
                    ' alembic_version';
BEGIN
  IF to_regrole('facematch_auditor') IS NOT NULL THEN
    GRANT USAGE ON SCHEMA audit TO facematch_auditor;
    GRANT SELECT ON ALL TABLES IN SCHEMA audit TO facematch_auditor;
  END IF;
  IF to_regrole('facematch_app') IS NOT NULL THEN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO facematch_app', home);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I'
                   ' TO facematch_app', home);
    EXECUTE format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA %I TO facematch_app', home);
    EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON %s FROM facematch_app', protected);
    GRANT INSERT ON audit_event TO facematch_app;
    GRANT UPDATE (passed_at, replicas, vacuumed_at) ON erasure TO facematch_app;
  END IF;
END $$;
REVOKE EXECUTE ON FUNCTION facematch_grant() FROM PUBLIC;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(ROLES)
    op.execute(GRANT)


def downgrade() -> None:
    """The roles stay: other databases of the server may use them."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP FUNCTION facematch_grant()")
    op.execute("""
DO $$ BEGIN
  IF to_regrole('facematch_app') IS NOT NULL THEN
    EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA %I FROM facematch_app', current_schema());
    EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA %I FROM facematch_app',
                   current_schema());
    EXECUTE format('REVOKE ALL ON SCHEMA %I FROM facematch_app', current_schema());
  END IF;
  IF to_regrole('facematch_auditor') IS NOT NULL THEN
    REVOKE ALL ON ALL TABLES IN SCHEMA audit FROM facematch_auditor;
    REVOKE ALL ON SCHEMA audit FROM facematch_auditor;
  END IF;
END $$
""")
