"""Which rights our two roles and everybody have on what is ours, and which the migrations give.

Left out are an owner's rights, and those of roles that operators made. A role that the server does
not have, since the migrations were not allowed to create it, is not looked at.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import starmap

from sqlalchemy import Connection, text

APP, AUDITOR, PUBLIC = "facematch_app", "facematch_auditor", "PUBLIC"
OF, OPTION = "rights of ", "GRANT OPTION FOR "
RESTORED = "SELECT facematch_grant()"
"""What gives the roles again what they lack, all of it."""
HOME = re.compile("^schema (?!audit$).+", re.DOTALL)
"""The schema of our tables may have any name; the migrations' was called `public`."""

# what an extension brought is its own
FUNCTIONS = """pronamespace = quote_ident(current_schema())::regnamespace AND prokind IN ('f', 'p')
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass
                                             AND d.objid = p.oid AND d.deptype = 'e')"""

# Whoever may have rights is there, with an empty text where they have none. Whether everybody may
# use the schema of our tables is as the server has it, and nothing that the migrations make.
RIGHTS = f"""
WITH home AS (SELECT quote_ident(current_schema())::regnamespace::oid AS oid),
relation AS (
  SELECT c.oid, relowner AS owner, relacl AS acl,
         CASE relkind WHEN 'S' THEN 'sequence ' WHEN 'v' THEN 'view ' ELSE 'table ' END
         || CASE relnamespace WHEN home.oid THEN '' ELSE 'audit.' END
         || quote_ident(relname) AS name
    FROM pg_class c, home
   WHERE relnamespace IN (home.oid, to_regnamespace('audit')) AND relkind IN ('r', 'p', 'v', 'S')),
thing (name, owner, part, acl) AS (
  SELECT name, owner, '', acl FROM relation
  UNION ALL
  SELECT name, owner, format(' (%I)', attname), attacl
    FROM relation JOIN pg_attribute ON attrelid = oid WHERE attacl IS NOT NULL
  UNION ALL
  SELECT format('function %s(%s)', proname, pg_get_function_identity_arguments(p.oid)), proowner,
         '', coalesce(proacl, acldefault('f', proowner))
    FROM pg_proc p WHERE {FUNCTIONS}
  UNION ALL
  SELECT format('schema %I', nspname), nspowner, '', nspacl
    FROM pg_namespace n, home WHERE n.oid IN (home.oid, to_regnamespace('audit'))),
grantee (oid, role) AS (
  SELECT 0::oid, '{PUBLIC}'
  UNION ALL SELECT oid, rolname FROM pg_roles WHERE rolname IN ('{APP}', '{AUDITOR}')),
held AS (
  SELECT role, name, part, acl.*
    FROM thing JOIN grantee g ON g.oid <> owner LEFT JOIN aclexplode(acl) acl ON grantee = g.oid)
SELECT format('{OF}%s on %s', role, name) AS name,
       concat_ws(', ', string_agg(DISTINCT privilege_type || part, ', '),
                 string_agg(DISTINCT '{OPTION}' || privilege_type || part, ', ')
                   FILTER (WHERE is_grantable)) AS rights
  FROM held
 WHERE NOT (role = '{PUBLIC}' AND name ~ '{HOME.pattern}' AND privilege_type = 'USAGE')
 GROUP BY 1 ORDER BY 1
"""


def found(connection: Connection) -> dict[str, str]:
    """By who has them and on what: `rights of facematch_app on table face`: `DELETE, SELECT`."""
    return dict(map(tuple, connection.execute(text(RIGHTS.replace(":", r"\:")))))


def is_one(name: str) -> bool:
    """Whether that is rights' name, and no definition's."""
    return name.startswith(OF)


def differences(found: Mapping[str, str], expected: Mapping[str, str]) -> Iterator[str]:
    """A line for each thing of ours on which somebody has too many rights, and one for all that
    somebody lacks. Ours is whatever something expected is about."""
    ours = {_parts(name)[1] for name in expected}
    lacking: dict[str, dict[str, str]] = {}
    for name in sorted(filter(is_one, found)):
        role, thing = _parts(name)
        general = HOME.sub("schema public", thing)
        if general in ours:
            held, made = _each(found[name]), _each(expected.get(f"{OF}{role} on {general}", ""))
            yield from _given(role, thing, held - made, made)
            if made - held:
                lacking.setdefault(role, {})[thing] = _listed(made - held)
    yield from starmap(_lacking, lacking.items())


def _given(role: str, thing: str, rights: set[str], made: set[str]) -> Iterator[str]:
    plain = {right for right in rights if not right.startswith(OPTION)}
    options = {right.removeprefix(OPTION) for right in rights - plain} - plain
    # with a right on a table those on its columns are taken
    again = any(right.partition(" (")[0] in plain for right in made)
    for kind, given, then in (("", plain, again), (OPTION, options, False)):
        if given:
            what = kind + _listed(given)
            mends = f"REVOKE {what} ON {_place(thing)} FROM {role}" + f"; {RESTORED}" * then
            yield f"{role} was given {what} on {thing}; {mends} mends that"


def _lacking(role: str, missing: Mapping[str, str]) -> str:
    said = ", and ".join(f"{rights} on {thing}" for thing, rights in missing.items())
    grants = [f"GRANT {rights} ON {_place(at)} TO {role}" for at, rights in missing.items()]
    return f"{role} lacks {said}; {'; '.join(grants) if role == PUBLIC else RESTORED} mends that"


def _parts(name: str) -> tuple[str, str]:
    """Whose rights, on what; of a definition, the whole name as what."""
    role, _, thing = name.removeprefix(OF).partition(" on ")
    return (role, thing) if is_one(name) else ("", name)


def _each(rights: str) -> set[str]:
    return set(filter(None, rights.split(", ")))


def _listed(rights: set[str]) -> str:
    return ", ".join(sorted(rights))


def _place(thing: str) -> str:
    """As GRANT has it, to which a view is a table."""
    kind, _, name = thing.partition(" ")
    return f"{'TABLE' if kind == 'view' else kind.upper()} {name}"
