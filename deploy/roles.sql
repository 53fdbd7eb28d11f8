-- Two roles and the database of Marrow, on a PostgreSQL server of one's own. Run once, by an administrator:
--
--   psql "$ADMIN_URL" -v owner_password="$OWNER_PASSWORD" -v app_password="$APP_PASSWORD" -f deploy/roles.sql
--
-- marrow_owner owns the database and migrates it. marrow_app is what the application connects as: it owns nothing,
-- row-level security binds it, and it has no right to rewrite history; in temporary tables it reads a study as it stood.
-- Running the file again changes the passwords and nothing else. PostgreSQL 15 or newer.

\set ON_ERROR_STOP on
\if :{?database}
\else
\set database marrow
\endif
\if :{?owner}
\else
\set owner marrow_owner
\endif
\if :{?app}
\else
\set app marrow_app
\endif

-- An administrator who is no superuser (as on most rented servers) must be able to act as the owner.
SELECT current_setting('server_version_num')::int >= 160000 AS can_self_grant,
       current_setting('server_version_num')::int >= 170000 AS has_builtin_order
\gset
\if :can_self_grant
SET createrole_self_grant = 'set, inherit';
\endif

SELECT format('CREATE ROLE %I', role)
FROM unnest(ARRAY[:'owner', :'app']) AS role
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role)
\gexec

-- Only the verifier is stored, and the password is not written to the server's log.
SET password_encryption = 'scram-sha-256';
SET log_statement = 'none';
SET log_min_duration_statement = -1;
ALTER ROLE :"owner" LOGIN NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
ALTER ROLE :"app" LOGIN NOCREATEDB NOCREATEROLE PASSWORD :'app_password';

-- Text is ordered by code point, on every machine alike.
SELECT format(
    'CREATE DATABASE %I OWNER %I TEMPLATE template0 ENCODING ''UTF8'' LOCALE ''C'' %s',
    :'database', :'owner',
    CASE WHEN :'has_builtin_order'::boolean THEN 'LOCALE_PROVIDER builtin BUILTIN_LOCALE ''C.UTF-8''' ELSE '' END
)
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database')
\gexec

\connect :"database"
SET ROLE :"owner";
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE :"database" TO :"app";
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO :"app";
