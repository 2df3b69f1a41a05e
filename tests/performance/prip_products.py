"""A year of products in PostgreSQL, made there: one million with all their attributes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection, Engine, Index, Table, text

from s2ps.inventory.columns import ONLY
from s2ps.inventory.publication_tables import ATTRIBUTES, PUBLICATIONS

PRODUCTS = """
INSERT INTO publications (key, id, name, content_type, content_length, checksums, origin_date, published_at,
  eviction_date, production_type, content_start, content_end, footprint, west, south, east, north, location, datatake,
  level, item, collection)
SELECT g, md5(name)::uuid, name, 'application/x-tar', 1000 + g % 900000000,
  jsonb_build_array(jsonb_build_object('Algorithm', 'MD5', 'Value', md5(name), 'ChecksumDate', '2025-11-22T00:00:00Z')),
  sensed + interval '30 min', published, published + interval '400 days', 'systematic_production', sensed,
  sensed + interval '15 s', ST_MakeEnvelope(west, south, west + side, south + side, 4326), west, south, west + side,
  south + side, 'file:///packages/' || name, datatake, level, left(name, -4), 'sentinel-2-' || lower(kind)
FROM (
  SELECT *, CASE kind
      WHEN 'S2MSI1C' THEN unit || '_MSIL1C_' || stamp || '_N0500_R' || orbit || '_T' || tile || '_' || g || '.zip'
      WHEN 'S2MSI2A' THEN unit || '_MSIL2A_' || stamp || '_N0500_R' || orbit || '_T' || tile || '_' || g || '.zip'
      ELSE unit || '_OPER_' || kind || '_2BPS_' || stamp || '_D' || lpad((g % 12 + 1)::text, 2, '0') || '_' || g
        || '.tar'
    END AS name,
    'G' || unit || '_' || to_char(published - interval '1 hour', 'YYYYMMDD"T"HH24') || '_N05.00' AS datatake
  FROM (SELECT made.*, published - interval '1 hour' AS sensed,
      to_char(published - interval '1 hour', 'YYYYMMDD"T"HH24MISS') AS stamp FROM made) AS timed
) AS named"""
MADE = """
CREATE UNLOGGED TABLE made AS
SELECT g, 'S2' || substr('ABC', g % 3 + 1, 1) AS unit,
  (ARRAY['S2MSI1C', 'S2MSI2A', 'MSI_L0__GR', 'MSI_L1B_GR', 'MSI_L0__DS'])[kind] AS kind,
  (ARRAY['L1C', 'L2A', 'L0', 'L1B', 'L0'])[kind] AS level,
  (ARRAY[1.0, 1.0, 0.25, 0.25, 4.0])[kind] AS side,
  timestamptz '2025-11-22 00:00Z' + g * interval '31.5 s' AS published,
  lpad((g / 2000 % 143 + 1)::text, 3, '0') AS orbit, place,
  lpad((place / 900 + 1)::text, 2, '0') || substr('CDEFGHJKLMNPQRSTUVWX', place / 45 % 20 + 1, 1)
    || substr('ABCDEFGHJKLMNPQRSTUVWXYZ', place / 5 % 9 + 1, 1) || substr('LMNPQ', place % 5 + 1, 1) AS tile,
  place / 900 * 6 - 180 + place % 5 AS west, place / 45 % 20 * 6.8 - 60 + place / 5 % 9 * 0.7 AS south
FROM (SELECT g, CASE WHEN g % 20 < 5 THEN 1 WHEN g % 20 < 10 THEN 2 WHEN g % 20 < 16 THEN 3 WHEN g % 20 < 19 THEN 4
    ELSE 5 END AS kind, ((g::bigint / 10 * 7919) % 54000)::int AS place
  FROM generate_series(1, :products) AS g) AS drawn"""
STRINGS = """
INSERT INTO publication_strings
SELECT p.key, a.name, a.value FROM publications p JOIN made m ON m.g = p.key, LATERAL (VALUES
  ('coordinates', m.south || ',' || m.west || ' ' || m.south + m.side || ',' || m.west + m.side),
  ('datastripId', CASE WHEN m.level <> 'L0' THEN m.unit || '_OPER_MSI_' || m.level || '_DS_' || p.datatake END),
  ('instrumentShortName', 'MSI'), ('operationalMode', 'INS-NOBS'),
  ('platformSerialIdentifier', substr(m.unit, 3)), ('platformShortName', 'SENTINEL-2'), ('processingCenter', '2BPS'),
  ('processorVersion', '05.00'), ('productGroupId', p.datatake), ('productType', m.kind),
  ('qualityStatus', CASE WHEN m.g % 50 = 0 THEN 'DEGRADED' ELSE 'NOMINAL' END),
  ('tileId', CASE WHEN m.kind LIKE 'S2MSI%' THEN m.tile END)) AS a (name, value) WHERE a.value IS NOT NULL"""
INTEGERS = """
INSERT INTO publication_integers SELECT m.g, a.name, a.value FROM made m, LATERAL (VALUES
  ('orbitNumber', 40000 + m.g / 200), ('relativeOrbitNumber', m.orbit::int)) AS a (name, value)"""
DOUBLES = """
INSERT INTO publication_doubles SELECT m.g, a.name, a.value FROM made m, LATERAL (VALUES
  ('cloudCover', CASE WHEN m.kind <> 'MSI_L0__DS' THEN (m.g::bigint * 7919 % 10001) / 100.0 END),
  ('illuminationZenithAngle', CASE WHEN m.level IN ('L1C', 'L2A') THEN 20 + m.g % 60 END), ('qualityInfo', 100.0))
  AS a (name, value) WHERE a.value IS NOT NULL"""
TIMES = """
INSERT INTO publication_times SELECT p.key, a.name, a.value FROM publications p, LATERAL (VALUES
  ('beginningDateTime', p.content_start), ('endingDateTime', p.content_end),
  ('processingDate', p.published_at - interval '5 min')) AS a (name, value)"""


def fill(engine: Engine, products: int) -> int:
    """Put products into an upgraded, empty inventory; return the rows of attributes.

    Tables are filled in the transaction that emptied them, which writes no log (`wal_level=minimal`), without checks of
    foreign keys; keys and indexes come after the rows. Two tables at a time: the machine has two cores.
    """
    with _writing(engine) as connection:
        names = ", ".join(table.name for table in (PUBLICATIONS, *ATTRIBUTES.values()))
        connection.execute(text(f"TRUNCATE {names}"))
        connection.execute(text(MADE), {"products": products})
        connection.execute(text("ANALYZE made"))
        later = _without_indexes(connection, PUBLICATIONS)
        connection.execute(text(PRODUCTS))
        connection.execute(text("ANALYZE publications"))
    of_type = {str: STRINGS, float: DOUBLES, datetime: TIMES, int: INTEGERS}
    with ThreadPoolExecutor(2) as workers:
        tasks = [workers.submit(_fill_attributes, engine, ATTRIBUTES[kind], of_type[kind]) for kind in of_type]
        tasks.insert(1, workers.submit(_index, engine, PUBLICATIONS, later))
        rows = sum(task.result() for task in tasks)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE made"))
    return rows


def _fill_attributes(engine: Engine, table: Table, statement: str) -> int:
    with _writing(engine) as connection:
        connection.execute(text(f"TRUNCATE {table.name}"))
        connection.execute(text(f"ALTER TABLE {table.name} DROP CONSTRAINT {table.name}_pkey"))
        later = _without_indexes(connection, table)
        rows = connection.execute(text(statement)).rowcount
        connection.execute(text(f"ALTER TABLE {table.name} ADD PRIMARY KEY (publication, name)"))
    _index(engine, table, later)
    return rows


def _without_indexes(connection: Connection, table: Table) -> list[Index]:
    """Drop the indexes of a table and return them; those of its keys stay."""
    found = [index for index in table.indexes if index.info.get(ONLY) != "sqlite"]
    for index in found:
        index.drop(connection)
    return found


def _index(engine: Engine, table: Table, indexes: list[Index]) -> int:
    """Make indexes, and know the table for the planner; return 0, the rows that this adds."""
    for index in indexes:
        with _writing(engine) as connection:
            index.create(connection)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"VACUUM (ANALYZE) {table.name}"))
    return 0


@contextmanager
def _writing(engine: Engine) -> Iterator[Connection]:
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL maintenance_work_mem = '512MB'; SET LOCAL work_mem = '64MB'"))
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield connection
