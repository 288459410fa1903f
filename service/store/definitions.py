"""What a database's constraints, functions and triggers are, in its own words.

The words are those of PostgreSQL 15 to 18 alike, so what a release's migrations make can be kept in
a file (`migrations/definitions.json`, by `make definitions`) and compared with any database.
"""

import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from itertools import zip_longest

from sqlalchemy import Connection, text

Definitions = Mapping[str, str]
"""By what it defines: `constraint ck_face_box of face`."""

ALWAYS, PUBLIC = " ENABLE ALWAYS", "EXECUTE TO PUBLIC"
"""Added to a trigger, and to a function that has its owner's rights."""

# NOT NULL is a constraint since PostgreSQL 18, and compared with the tables' columns; a constraint
# trigger is with the triggers. What an extension brought is its own. Pretty, which leaves out
# parentheses that say nothing: a dump that was restored has other ones. Of rights only whether
# everybody may call a function that has its owner's: a restore without privileges leaves it so.
DEFINITIONS = f"""
WITH ours AS (
  SELECT oid, relname FROM pg_class
   WHERE relnamespace = quote_ident(current_schema())::regnamespace AND relkind IN ('r', 'p')
     AND relname <> 'alembic_version')
SELECT format('constraint %s of %s', conname, relname) AS name,
       pg_get_constraintdef(c.oid, true) AS definition
  FROM pg_constraint c JOIN ours ON ours.oid = conrelid
 WHERE contype NOT IN ('n', 't')
UNION ALL
SELECT format('trigger %s of %s', tgname, relname),
       pg_get_triggerdef(t.oid, true) || CASE tgenabled
         WHEN 'A' THEN '{ALWAYS}' WHEN 'D' THEN ' DISABLE' WHEN 'R' THEN ' ENABLE REPLICA'
         ELSE ' ENABLE' END
  FROM pg_trigger t JOIN ours ON ours.oid = tgrelid
 WHERE NOT tgisinternal
UNION ALL
SELECT format('function %s(%s)', proname, pg_get_function_identity_arguments(p.oid)),
       pg_get_functiondef(p.oid) || CASE WHEN prosecdef AND EXISTS (
         SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner)))
          WHERE grantee = 0 AND privilege_type = 'EXECUTE') THEN '{PUBLIC}' ELSE '' END
  FROM pg_proc p
 WHERE pronamespace = quote_ident(current_schema())::regnamespace AND prokind IN ('f', 'p')
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass
                                             AND d.objid = p.oid AND d.deptype = 'e')
 ORDER BY 1
"""
SCHEMA = "SELECT quote_ident(current_schema()) || '.', quote_literal(current_schema())"


def found(connection: Connection) -> Definitions:
    """What the database has, whatever the name of the schema that it lies in."""
    prefix, quoted = connection.execute(text(SCHEMA)).one()
    return {
        # tabs as Alembic prints them in statements for psql
        name: definition.replace(prefix, "").replace(quoted, "schema").replace("\t", "    ")
        for name, definition in connection.execute(text(DEFINITIONS.replace(":", r"\:")))
    }


def expected() -> Definitions:
    """What this release's migrations make."""
    content: Definitions = json.loads(
        files("migrations").joinpath("definitions.json").read_text("utf-8")
    )
    return content


def differences(found: Definitions, expected: Definitions) -> Iterator[str]:
    """A line each. A function or a trigger that is not ours is no difference: it may be an
    operator's own; a constraint on a table of ours is, since it refuses what must be possible."""
    tables = {_table(name) for name in expected}
    for name in sorted(found.keys() | expected.keys()):
        if name not in found:
            yield f"{name} is missing"
        elif name in expected and found[name] != expected[name]:
            said = _first_difference(found[name], expected[name])
            yield f"{name} was changed: {said}{_remedy(name, found[name], expected[name])}"
        elif name not in expected and name.startswith("constraint ") and _table(name) in tables:
            yield f"{name} is not part of this release: {found[name]}"


def _remedy(name: str, found: str, expected: str) -> str:
    """What mends it, where that is one statement: what restores leave behind."""
    what = name.partition(" ")[2]
    if found == expected + PUBLIC:
        return f"; REVOKE EXECUTE ON FUNCTION {what} FROM PUBLIC mends that"
    if expected.endswith(ALWAYS) and found.startswith(expected.removesuffix(ALWAYS)):
        trigger, _, table = what.partition(" of ")
        return f"; ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger} mends that"
    return ""


def _table(name: str) -> str:
    return name.rpartition(" of ")[2]


def _first_difference(found: str, expected: str) -> str:
    for here, there in zip_longest(found.splitlines(), expected.splitlines(), fillvalue=""):
        if here != there:
            return f"it says `{here.strip()}` where this release has `{there.strip()}`"
    return "its line breaks differ"
