-- Prepares a Postgres database (13 or newer) for rowvec's companion source (postgres.yaml, or debezium-server.properties). Run it with psql as a superuser, as often as
-- you like:
--
--   psql "$POSTGRES_URL" -v tables='app.articles,app.reviews' -v password='...' -f setup.sql
--
-- Variables, each with its default:
--   tables       app.articles    tables to index, separated by commas; a run adds tables, it takes none away
--   role         rowvec_source   the role that the source logs in as
--   password     (unchanged)     the role's password; without it set one yourself, or use another way to log in
--   reader       (none)          a second role, for postgres.url of function.yaml: it may log in and read the listed tables, nothing more
--   reader_password  (unchanged)  its password
--   publication  rowvec          publication.name of postgres.yaml, debezium.source.publication.name of debezium-server.properties
--   publish      insert, update, delete   what the publication has. Add truncate for Debezium Server, so that a TRUNCATE empties the index, too; never for Pulsar's own source
--
-- Managed Postgres: where nobody is a superuser, give the role the provider's replication role (rds_replication, ...) instead.

\set ON_ERROR_STOP on
\set QUIET on
\if :{?tables}
\else
  \set tables 'app.articles'
\endif
\if :{?role}
\else
  \set role rowvec_source
\endif
\if :{?publication}
\else
  \set publication rowvec
\endif
\if :{?publish}
\else
  \set publish 'insert, update, delete'
\endif

-- Logical decoding needs wal_level = logical. Changing it takes a restart, so this only warns.
SELECT current_setting('wal_level') = 'logical' AS wal_is_logical \gset
\if :wal_is_logical
\else
  \warn 'wal_level is not logical: set wal_level = logical in postgresql.conf and restart Postgres before the source starts.'
\endif

BEGIN;
-- "already exists, skipping" would be noise from the second run on.
SET LOCAL client_min_messages = warning;

-- The listed tables; a name that does not exist ends the script here. Partitions count by themselves where settings are per partition.
CREATE TEMPORARY TABLE rowvec_setup_tables ON COMMIT DROP AS
  SELECT DISTINCT trim(name)::regclass AS name FROM unnest(string_to_array(:'tables', ',')) AS name WHERE trim(name) <> '';
CREATE TEMPORARY TABLE rowvec_setup_leaves ON COMMIT DROP AS
  SELECT name FROM rowvec_setup_tables UNION SELECT p.relid FROM rowvec_setup_tables, pg_partition_tree(name) AS p;

-- The role may stream changes and read the listed tables, nothing more.
SELECT format('CREATE ROLE %I', :'role') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \gexec
SELECT format('ALTER ROLE %I LOGIN REPLICATION', :'role')
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role' AND rolcanlogin AND rolreplication) \gexec
\if :{?password}
  SELECT format('ALTER ROLE %I PASSWORD %L', :'role', :'password') \gexec
\endif
SELECT format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), :'role') \gexec
SELECT DISTINCT format('GRANT USAGE ON SCHEMA %I TO %I', n.nspname, :'role')
  FROM rowvec_setup_tables t JOIN pg_class c ON c.oid = t.name JOIN pg_namespace n ON n.oid = c.relnamespace \gexec
SELECT format('GRANT SELECT ON TABLE %s TO %I', name, :'role') FROM rowvec_setup_leaves \gexec

-- Who reads columns that a change left out, and who verifies and counts, needs neither the stream nor rowvec's own tables.
\if :{?reader}
  SELECT format('CREATE ROLE %I', :'reader') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'reader') \gexec
  SELECT format('ALTER ROLE %I LOGIN', :'reader') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'reader' AND rolcanlogin) \gexec
  \if :{?reader_password}
    SELECT format('ALTER ROLE %I PASSWORD %L', :'reader', :'reader_password') \gexec
  \endif
  SELECT format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), :'reader') \gexec
  SELECT DISTINCT format('GRANT USAGE ON SCHEMA %I TO %I', n.nspname, :'reader')
    FROM rowvec_setup_tables t JOIN pg_class c ON c.oid = t.name JOIN pg_namespace n ON n.oid = c.relnamespace \gexec
  SELECT format('GRANT SELECT ON TABLE %s TO %I', name, :'reader') FROM rowvec_setup_leaves \gexec
\endif

-- With REPLICA IDENTITY FULL a change carries the whole old row, so a large text that an update leaves alone is still known. It costs
-- write-ahead log: about the size of the old row for each update and delete.
SELECT format('ALTER TABLE %s REPLICA IDENTITY FULL', l.name)
  FROM rowvec_setup_leaves l JOIN pg_class c ON c.oid = l.name WHERE c.relreplident <> 'f' \gexec

-- The source writes a row here now and then, so that its slot moves on while the listed tables are quiet and others are not. Without it
-- the write-ahead log would fill the disk.
CREATE SCHEMA IF NOT EXISTS rowvec;
CREATE TABLE IF NOT EXISTS rowvec.heartbeat (
  id integer PRIMARY KEY,
  at timestamptz NOT NULL
);

-- A row inserted here asks the source to read tables again beside the stream of changes (an incremental snapshot). The columns and
-- their order are Debezium's. The source writes here, too: marks between which it reads.
CREATE TABLE IF NOT EXISTS rowvec.signal (
  id varchar(64) PRIMARY KEY,
  type varchar(32) NOT NULL,
  data text
);
SELECT format('GRANT USAGE ON SCHEMA rowvec TO %I', :'role') \gexec
SELECT format('GRANT SELECT, INSERT, UPDATE ON rowvec.heartbeat TO %I', :'role') \gexec
SELECT format('GRANT SELECT, INSERT ON rowvec.signal TO %I', :'role') \gexec

-- What the source receives. Truncates stay out by default: Pulsar's Debezium source crashes on them for good. Changes of partitions
-- count as changes of their table.
SELECT format('CREATE PUBLICATION %I', :'publication')
  WHERE NOT EXISTS (SELECT FROM pg_publication WHERE pubname = :'publication') \gexec
SELECT format('ALTER PUBLICATION %I SET (publish = %L, publish_via_partition_root = true)', :'publication', :'publish') \gexec
SELECT format('ALTER PUBLICATION %I ADD TABLE %s', :'publication', wanted.name)
  FROM (SELECT name FROM rowvec_setup_tables UNION SELECT 'rowvec.heartbeat'::regclass UNION SELECT 'rowvec.signal'::regclass) AS wanted
  WHERE NOT EXISTS (
    SELECT FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
    WHERE p.pubname = :'publication' AND r.prrelid = wanted.name
  ) \gexec
COMMIT;
\unset QUIET
