#!/usr/bin/env bash
# Makes the databases and roles of all services by service.sql, each role with the password in
# OMS_PASSWORD: for development alone. An image of PostgreSQL runs this once, on an empty folder.
set -euo pipefail
: "${OMS_PASSWORD:?is the password of every role}"

for service in order inventory payment gateway; do
  psql -X --quiet -v ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres \
    -v prefix=oms_ -v service="$service" \
    -v owner_password="$OMS_PASSWORD" -v runner_password="$OMS_PASSWORD" \
    -f "${OMS_SERVICE_SQL:-/etc/oms/service.sql}"
done
