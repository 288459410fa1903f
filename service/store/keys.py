"""SQL of the API's keys."""

from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Text,
    and_,
    bindparam,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql

from service.domain.keys import HashedKey, Key, KeyState, NewKey, Scope
from service.store.failures import translated
from service.store.tables import api_key, api_key_gallery, api_key_pepper, gallery

# told by the database's clock, so that a key ends on every replica at once
STATE = case(
    (api_key.c.revoked_at.is_not(None), KeyState.REVOKED),
    (api_key.c.expires_at <= func.now(), KeyState.EXPIRED),
    else_=KeyState.ACTIVE,
)
GALLERIES = (
    select(func.jsonb_object_agg(cast(gallery.c.id, Text), gallery.c.name))
    .select_from(gallery.join(api_key_gallery, api_key_gallery.c.gallery_id == gallery.c.id))
    .where(api_key_gallery.c.key_id == api_key.c.id)
    .scalar_subquery()
)
KEYS = select(
    api_key.c.id,
    api_key.c.prefix,
    api_key.c.name,
    api_key.c.scopes,
    api_key.c.all_galleries,
    api_key.c.created_at,
    api_key.c.created_by,
    api_key.c.expires_at,
    api_key.c.revoked_at,
    STATE.label("state"),
    GALLERIES.label("galleries"),
)
HASHED = KEYS.add_columns(
    api_key.c.key_hash,
    case((api_key.c.previous_until > func.now(), api_key.c.previous_hash)).label("previous_hash"),
    api_key_pepper.c.pepper,
).join(api_key_pepper, literal(True))

# asked at every request, so built once
OF_PREFIX = HASHED.where(api_key.c.prefix == bindparam("called"))

# readers go on; whoever else would be the first to make a key waits
SOLE_WRITER = text("LOCK TABLE api_key IN SHARE ROW EXCLUSIVE MODE")


class PostgresKeys:
    """See `ports.KeyRows`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def pepper(self) -> bytes:
        with translated():
            pepper: bytes = self._connection.execute(select(api_key_pepper.c.pepper)).scalar_one()
            return pepper

    def hashed(self, prefix: str) -> HashedKey | None:
        with translated():
            found = self._connection.execute(OF_PREFIX, {"called": prefix})
            row = found.mappings().one_or_none()
        if row is None:
            return None
        return HashedKey(_key(row), row["pepper"], row["key_hash"], row["previous_hash"])

    def find(self, reference: str, *, lock: bool = False) -> Key | None:
        named = or_(cast(api_key.c.id, Text) == reference, api_key.c.prefix == reference)
        query = KEYS.where(named)
        with translated():
            if lock:
                self._connection.execute(select(api_key.c.id).where(named).with_for_update())
            row = self._connection.execute(query).mappings().one_or_none()
        return None if row is None else _key(row)

    def listed(self, after: UUID | None, limit: int, among: frozenset[UUID] | None) -> list[Key]:
        page = KEYS.order_by(api_key.c.id).limit(limit)
        if after is not None:
            page = page.where(api_key.c.id > after)
        if among is not None:
            page = page.where(_within(among))
        with translated():
            return [_key(row) for row in self._connection.execute(page).mappings()]

    def add(
        self,
        new: NewKey,
        galleries: frozenset[UUID] | None,
        prefix: str,
        key_hash: bytes,
        created_by: str,
    ) -> Key:
        made = insert(api_key).returning(api_key.c.id)
        with translated():
            key_id = self._connection.execute(
                made.values(
                    prefix=prefix,
                    name=new.name,
                    key_hash=key_hash,
                    scopes=sorted(new.scopes),
                    all_galleries=galleries is None,
                    created_by=created_by,
                    expires_at=new.expires_at,
                )
            ).scalar_one()
            if galleries:
                rows = [{"key_id": key_id, "gallery_id": each} for each in galleries]
                self._connection.execute(insert(api_key_gallery), rows)
            found = self._connection.execute(KEYS.where(api_key.c.id == key_id))
            return _key(found.mappings().one())

    def rotate(self, key_id: UUID, key_hash: bytes, grace_s: int) -> None:
        until = func.now() + text("make_interval(secs => :grace_s)").bindparams(grace_s=grace_s)
        previous = {"previous_hash": api_key.c.key_hash, "previous_until": until}
        none = dict.fromkeys(previous)
        with translated():
            self._connection.execute(
                update(api_key)
                .where(api_key.c.id == key_id)
                .values(key_hash=key_hash, **(previous if grace_s else none))
            )

    def change(self, key_id: UUID, to: NewKey, galleries: frozenset[UUID] | None) -> None:
        """What stays the same is not written, so that the record does not tell of it."""
        values = {
            "name": to.name,
            "scopes": sorted(to.scopes),
            "all_galleries": galleries is None,
            "expires_at": to.expires_at,
        }
        new = or_(*(api_key.c[name].is_distinct_from(value) for name, value in values.items()))
        reached = api_key_gallery.c.gallery_id.in_(galleries or ())
        bound = [{"key_id": key_id, "gallery_id": each} for each in galleries or ()]
        with translated():
            self._connection.execute(
                update(api_key).where(api_key.c.id == key_id, new).values(values)
            )
            self._connection.execute(
                delete(api_key_gallery).where(api_key_gallery.c.key_id == key_id, ~reached)
            )
            if bound:
                self._connection.execute(
                    postgresql.insert(api_key_gallery).on_conflict_do_nothing(), bound
                )

    def revoke(self, key_id: UUID) -> None:
        revoked = func.coalesce(api_key.c.revoked_at, func.now())
        with translated():
            self._connection.execute(
                update(api_key).where(api_key.c.id == key_id).values(revoked_at=revoked)
            )

    def be_first(self) -> bool:
        with translated():
            self._connection.execute(SOLE_WRITER)
            return self._connection.scalar(select(api_key.c.id).limit(1)) is None


def _within(among: frozenset[UUID]) -> ColumnElement[bool]:
    """As `Key.within`."""
    bound = select(api_key_gallery.c.key_id).where(api_key_gallery.c.key_id == api_key.c.id)
    inside = bound.where(api_key_gallery.c.gallery_id.in_(among))
    outside = bound.where(api_key_gallery.c.gallery_id.not_in(among))
    return and_(~api_key.c.all_galleries, inside.exists(), ~outside.exists())


def _key(row: RowMapping) -> Key:
    names = {UUID(gallery_id): name for gallery_id, name in (row["galleries"] or {}).items()}
    return Key(
        id=row["id"],
        prefix=row["prefix"],
        name=row["name"],
        scopes=frozenset(Scope(scope) for scope in row["scopes"]),
        galleries=None if row["all_galleries"] else names,
        state=KeyState(row["state"]),
        created_at=row["created_at"],
        created_by=row["created_by"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
    )
