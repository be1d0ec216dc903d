-- The database of one service and its two roles. Run it with psql as an administrator, once for
-- each of order, inventory, payment and gateway (the simulated gateway's own log):
--
--   psql -X -v ON_ERROR_STOP=1 -v prefix=oms_ -v service=order \
--     -v owner_password=… -v runner_password=… -f deploy/postgres/service.sql postgres://…
--
-- It makes the database oms_order, the role oms_order_owner, which owns it and runs
-- `oms-order migrate`, and the role oms_order, which runs `oms-order serve` and may change rows but
-- no tables.
\set database :prefix:service
\set owner :database '_owner'
\set runner :database

CREATE ROLE :"owner" LOGIN PASSWORD :'owner_password';
CREATE ROLE :"runner" LOGIN PASSWORD :'runner_password';
CREATE DATABASE :"database" OWNER :"owner";
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO :"runner";

\connect :"database"
REVOKE ALL ON SCHEMA public FROM PUBLIC;
ALTER SCHEMA public OWNER TO :"owner";
GRANT USAGE ON SCHEMA public TO :"runner";
-- Whatever the owner makes from now on, the runner may use.
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"runner";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public
  GRANT USAGE, SELECT ON SEQUENCES TO :"runner";
