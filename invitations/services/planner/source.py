"""
Planner's database: opened to be read only, looked at before anything is written, read in chunks.

Everything is read as of one moment, however long it takes and whatever happens there meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ
from psycopg2.extras import NamedTupleCursor

from invitations.services.planner import schema, zones

CHUNK = 5_000
SECONDS_TO_CONNECT = 10
NO_KEY = -(2**63)  # the last key once the rows that have none are done
NAIVE = "timestamp without time zone"
# Python knows no moment outside of these years, PostgreSQL does ("infinity").
FIRST_MOMENT, LAST_MOMENT = "0001-01-02", "9999-12-30"

Row = Any
"""A row of planner: one attribute a column."""


class Refused(Exception):
    """Planner cannot be read; `message` says what was found, and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ConnectionLost(Refused):
    """What was saved until then is whole, and the next run goes on behind it."""

    def __init__(self) -> None:
        super().__init__(
            "The connection to planner's database was lost. Everything that was imported until"
            " then is saved. Run the same command again: it goes on where it stopped."
        )


@dataclass(frozen=True)
class Step:
    """
    How one table is read: whole groups of rows with the same `key`, in its order.

    :param joins: SQL behind `FROM table t`; a row of the table must stay one row
    :param more: SQL of what else is selected, such as `p.name AS permission`
    :param where: SQL; what is not true there is read by another step
    """

    table: str
    key: str = "id"
    joins: str = ""
    more: str = ""
    where: str = "TRUE"


@dataclass
class Source:
    """An open planner database; made by `reading`."""

    connection: Any
    zone: str
    place: str
    """Where it is: host and database, without a password."""
    version: int = 0
    types: dict[str, dict[str, str]] = field(default_factory=dict)
    """The type of every column of every table."""

    def select(self, statement: str, **values: object) -> list[Row]:
        """
        The rows of a statement; write `%(name)s` for a value, `%(zone)s` for the stated zone.

        :raises ConnectionLost: when planner's database has gone away
        """
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(statement, {"zone": self.zone, **values})
                return list(cursor.fetchall())
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as lost:
            raise ConnectionLost from lost
        except UnicodeDecodeError as odd:
            raise Refused(
                "Planner's database holds text that is not UTF-8. Convert it first: dump it, and"
                " restore the dump into a database made with ENCODING 'UTF8'."
            ) from odd

    def count(self, table: str) -> int:
        name = sql.Identifier(table).as_string(self.connection)
        return int(self.select(f"SELECT count(*) AS n FROM {name}")[0].n)  # noqa: S608 -- quoted

    def highest_id(self, table: str) -> int:
        return int(self.select(f"SELECT coalesce(max(id), 0) AS n FROM {table}")[0].n)  # noqa: S608 -- one of ours

    def columns(self, table: str, alias: str = "t") -> str:
        """SQL that selects what is read of this table, with moments in the stated zone."""
        return ", ".join(self._column(table, column, alias) for column in schema.COLUMNS[table])

    def rows_after(self, step: Step, key: int | None) -> tuple[list[Row], int] | None:
        """
        The next rows behind this key with the key of the last; nothing at the end.

        About 5,000, and always all of one key, so that what belongs together is seen together.
        """
        begin = f"FROM {step.table} t {step.joins} WHERE ({step.where})"
        if key is None:
            rows = [] if step.key == "id" else self._rows(step, f"{begin} AND t.{step.key} IS NULL")
            if rows:
                return rows, NO_KEY
        behind = f"{begin} AND t.{step.key} > %(after)s"
        (until,) = self.select(
            f"SELECT max(k) AS key FROM (SELECT t.{step.key} AS k {behind}"  # noqa: S608 -- our own
            f" ORDER BY t.{step.key} LIMIT {CHUNK}) AS next",
            after=NO_KEY if key is None else key,
        )
        if until.key is None:
            return None
        chunk = f"{behind} AND t.{step.key} <= %(until)s"
        after = NO_KEY if key is None else key
        return self._rows(step, chunk, after=after, until=until.key), until.key

    def _rows(self, step: Step, begin: str, **values: object) -> list[Row]:
        more = f", {step.more}" if step.more else ""
        order = f"t.{step.key}" + (", t.id" if "id" in schema.COLUMNS[step.table] else "")
        return self.select(
            f"SELECT {self.columns(step.table)}{more} {begin} ORDER BY {order}",
            **values,
        )

    def _column(self, table: str, column: str, alias: str) -> str:
        name, kind = f'{alias}."{column}"', self.types[table][column]
        if kind.startswith("timestamp"):
            moment = f"least(greatest({name}, '{FIRST_MOMENT}'), '{LAST_MOMENT}')"
            # Both of these ignore NULL, so it is asked for.
            known = f"CASE WHEN {name} IS NOT NULL THEN {moment} END"
            return (
                f"{known} AT TIME ZONE %(zone)s AS {column}"
                if kind == NAIVE
                else (f"{known} AS {column}")
            )
        if kind == "ARRAY":
            return f"{name}::text[] AS {column}"
        return f"{name} AS {column}"


@contextmanager
def reading(url: str, *, zone: str, accepted_schema: int | None = None) -> Iterator[Source]:
    """
    Planner's database as of this moment, after looking whether it is one that can be read.

    :param zone: the zone of its moments: an IANA name, or one of Rails
    :raises Refused: when it does not answer, is no planner, is too old or too new, or hides tables
    """
    known = _zone(zone)
    connection = _connect(url)
    try:
        source = Source(connection, zone=known, place=_place(url))
        _look(source, accepted_schema)
        yield source
    finally:
        connection.close()


def fingerprint(source: Source) -> str:
    """What tells one planner from another: its oldest member, chapter, workshop and migration."""
    oldest = [
        f"{table}:{row.id}:{row.created_at}"
        for table in ("members", "chapters", "workshops")
        for row in source.select(f"SELECT id, created_at FROM {table} ORDER BY id LIMIT 1")  # noqa: S608 -- named above
    ]
    oldest += [row.v for row in source.select("SELECT min(version) AS v FROM schema_migrations")]
    return sha256("\n".join(map(str, oldest)).encode()).hexdigest()


def tables_without_room(source: Source) -> list[str]:
    """What planner has and codebar does not, in the order of names."""
    return sorted(source.types.keys() - schema.COLUMNS.keys() - set(schema.OF_RAILS))


def _zone(name: str) -> str:
    known = zones.zone_named(name)
    if known is None:
        like = zones.names_like(name)
        hint = f" Did you mean {' or '.join(like)}?" if like else ""
        every = ", ".join(zones.all_zones())
        raise Refused(f"There is no time zone “{name}”.{hint} These are known: {every}.")
    return known


def _connect(url: str) -> Any:
    if not _is_an_address(url):
        raise Refused(
            "This is no address of a PostgreSQL database. Write it as"
            " postgres://user:password@host:5432/name."
        )
    try:
        connection = psycopg2.connect(
            url,
            connect_timeout=SECONDS_TO_CONNECT,
            application_name="codebar import_planner",
            cursor_factory=NamedTupleCursor,
        )
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = on")
            cursor.execute("SET statement_timeout = 0")
            cursor.execute("SET idle_in_transaction_session_timeout = 0")
        connection.set_client_encoding("UTF8")
        connection.set_session(
            isolation_level=ISOLATION_LEVEL_REPEATABLE_READ, readonly=True, autocommit=False
        )
    except psycopg2.Error as error:
        raise Refused(
            f"Planner's database does not let us in: {_without_password(str(error), url)}"
            " Check the address, and that this machine may connect."
        ) from None
    return connection


def _is_an_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        has_port = parts.port != 0
    except ValueError:
        return False
    return parts.scheme in ("postgres", "postgresql") and has_port


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname or 'this machine'}{parts.path}"


def _without_password(words: str, url: str) -> str:
    """A driver quotes what it could not read, and that may be the address."""
    words = " ".join(words.split()).removesuffix(".") + "."
    secret = url.partition("://")[2].rpartition("@")[0].partition(":")[2]
    for written in filter(None, (secret, unquote(secret), url)):
        words = words.replace(written, "…")
    return words


def _look(source: Source, accepted_schema: int | None) -> None:
    """:raises Refused: with the first thing that is wrong"""
    _check_the_door_is_open(source)
    source.types = _types(source)
    _check_it_is_planner(source)
    _check_it_may_be_read(source)
    source.version = int(
        source.select(
            "SELECT max(version::bigint) AS v FROM schema_migrations WHERE version ~ '^[0-9]+$'"
        )[0].v
        or 0
    )
    _check_it_is_not_too_old(source)
    _check_it_is_not_too_new(source, accepted_schema)


def _types(source: Source) -> dict[str, dict[str, str]]:
    """From the catalogue itself, since the information schema hides what one may not read."""
    rows = source.select(
        """
        SELECT c.relname AS table_name, a.attname AS column_name,
            CASE WHEN a.attndims > 0 OR y.typcategory = 'A' THEN 'ARRAY'
                ELSE format_type(a.atttypid, NULL) END AS kind
        FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        JOIN pg_type y ON y.oid = a.atttypid
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
            AND NOT c.relispartition
        """
    )
    types: dict[str, dict[str, str]] = {}
    for row in rows:
        types.setdefault(row.table_name, {})[row.column_name] = row.kind
    return types


def _check_the_door_is_open(source: Source) -> None:
    (who,) = source.select("SELECT current_schema() AS door, current_user AS name")
    if who.door is None:
        raise Refused(
            f"The user {who.name} may not look into the schema public of {source.place}. Let them:"
            f" GRANT USAGE ON SCHEMA public TO {who.name};"
        )


def _check_it_is_planner(source: Source) -> None:
    missing = [table for table in schema.MAIN_TABLES if table not in source.types]
    if missing:
        raise Refused(
            f"{source.place} is not a planner database: it has no table {_listed(missing)}."
            " Give the address of the database that planner itself uses, or of a copy of it."
        )


def _check_it_may_be_read(source: Source) -> None:
    rows = source.select(
        """
        SELECT name FROM unnest(%(tables)s::text[]) AS name
        WHERE NOT has_table_privilege(quote_ident(name)::regclass, 'SELECT') ORDER BY name
        """,
        tables=sorted(source.types),
    )
    if rows:
        hidden = [row.name for row in rows]
        user = source.select("SELECT current_user AS name")[0].name
        raise Refused(
            f"The user {user} may not read {_listed(hidden)} in {source.place}. Let them:"
            f" GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user};"
        )


def _check_it_is_not_too_old(source: Source) -> None:
    missing = [
        f"{table}.{column}" if table in source.types else table
        for table, columns in schema.COLUMNS.items()
        for column in columns
        if column not in source.types.get(table, {})
    ]
    if missing:
        raise Refused(
            f"This planner is too old: its schema is of version {source.version}, and"
            f" {_listed(list(dict.fromkeys(missing)))} came later. Upgrade planner, run its"
            " migrations (rails db:migrate), and come back."
        )


def _check_it_is_not_too_new(source: Source, accepted: int | None) -> None:
    if source.version > schema.NEWEST and source.version != accepted:
        raise Refused(
            f"This planner is newer than this import: its schema is of version {source.version},"
            f" and the newest that was looked at is {schema.NEWEST}. Read in planner's db/migrate"
            " what changed since. When nothing of it matters here, run the same command with"
            f" --accept-schema {source.version}; else upgrade codebar first."
        )


def _listed(names: list[str]) -> str:
    return ", ".join(names)
