-- Run by psql at each start, as the server's superuser: what is there stays, passwords become those of .env.
\getenv controller_password CONTROLLER_DB_PASSWORD
\getenv dispatcher_password DISPATCHER_DB_PASSWORD
\getenv temporal_password TEMPORAL_DB_PASSWORD

SELECT format('CREATE ROLE %I LOGIN', name) FROM (VALUES ('controller'), ('dispatcher'), ('temporal')) AS roles (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

ALTER ROLE controller PASSWORD :'controller_password';
ALTER ROLE dispatcher PASSWORD :'dispatcher_password';
ALTER ROLE temporal PASSWORD :'temporal_password';

-- `temporal` is the stand-in's of profile small, the other two are the server's of profile full.
SELECT format('CREATE DATABASE %I OWNER %I', name, owner) FROM (VALUES
  ('controller', 'controller'), ('dispatcher', 'dispatcher'), ('temporal', 'temporal'), ('temporal_server', 'temporal'), ('temporal_visibility', 'temporal')
) AS databases (name, owner)
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name) \gexec

-- A role opens its own databases and no other's.
SELECT format('REVOKE CONNECT, TEMPORARY ON DATABASE %I FROM PUBLIC', datname) FROM pg_database
WHERE datname IN ('controller', 'dispatcher', 'temporal', 'temporal_server', 'temporal_visibility') \gexec
