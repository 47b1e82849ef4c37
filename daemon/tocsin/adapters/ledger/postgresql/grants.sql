-- tocsin: a database for the ledger, and two roles. For psql, by whoever administers the server, as often as you like:
--   psql -X -v ON_ERROR_STOP=1 -f grants.sql "host=db1.example.com user=postgres dbname=postgres"
-- Other names: -v database=oncall -v writer=oncall -v reader=oncall_read
--
-- `tocsin` is the daemons': it owns the database, makes the tables and writes them.
-- `tocsin_read` is the web sides' and people's: it may SELECT, and nothing else. What they have to say lies in files.
-- Neither has a password yet: give each one afterwards (\password tocsin, \password tocsin_read).

\if :{?database} \else \set database tocsin
\endif
\if :{?writer} \else \set writer tocsin
\endif
\if :{?reader} \else \set reader tocsin_read
\endif

SELECT format('CREATE ROLE %I LOGIN', name)
  FROM unnest(ARRAY[:'writer', :'reader']) AS name
 WHERE name NOT IN (SELECT rolname FROM pg_roles) \gexec

-- An owner is named by whoever may act as it: on a managed service the administrator must be made a member first.
SELECT format('GRANT %I TO CURRENT_USER', :'writer')
 WHERE NOT pg_has_role(CURRENT_USER, :'writer',
                       CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END) \gexec

SELECT format('CREATE DATABASE %I OWNER %I ENCODING ''UTF8'' TEMPLATE template0', :'database', :'writer')
 WHERE :'database' NOT IN (SELECT datname FROM pg_database) \gexec

-- What a role begins each session with. The reader may change these for itself, so they are no walls: they keep an
-- honest mistake from holding up the daemon. A web side in wrong hands takes no more connections than this.
ALTER ROLE :"reader" CONNECTION LIMIT 50;
ALTER ROLE :"reader" SET default_transaction_read_only = on;
ALTER ROLE :"reader" SET statement_timeout = '30s';
ALTER ROLE :"reader" SET idle_in_transaction_session_timeout = '10s';

\connect :"database"

-- Everybody: nothing.
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

-- The daemons: everything in this database.
GRANT CONNECT, TEMPORARY ON DATABASE :"database" TO :"writer";
GRANT USAGE, CREATE ON SCHEMA public TO :"writer";

-- The web sides and people: to read what is there, and what a later version of tocsin adds.
REVOKE ALL ON DATABASE :"database" FROM :"reader";
REVOKE ALL ON SCHEMA public FROM :"reader";
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM :"reader";
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM :"reader";
GRANT CONNECT ON DATABASE :"database" TO :"reader";
GRANT USAGE ON SCHEMA public TO :"reader";
GRANT SELECT ON ALL TABLES IN SCHEMA public TO :"reader";
ALTER DEFAULT PRIVILEGES FOR ROLE :"writer" IN SCHEMA public GRANT SELECT ON TABLES TO :"reader";

-- Functions of PostgreSQL by which anybody at all could leave something in a database, or keep others waiting: large
-- objects, notifications, words in the log of transactions, locks by a number. Only a superuser can take them away; on a
-- managed service psql warns "no privileges could be revoked", and all of the above holds.
SELECT format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', signature),
       format('GRANT EXECUTE ON FUNCTION %s TO %I', signature, :'writer')
  FROM (SELECT oid::regprocedure AS signature
          FROM pg_proc
         WHERE pronamespace = 'pg_catalog'::regnamespace
           AND (proname ~ '^(lo_(create|creat|from_bytea|put|unlink)|lowrite|pg_notify|pg_logical_emit_message)$'
                OR proname ~ '^pg_(try_)?advisory_(xact_)?lock(_shared)?$')) AS functions \gexec
