#!/bin/sh
# Run by the database's container when its volume is empty: the roles of docs/operations.md.
set -eu
psql --no-psqlrc --set=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --set=owner_password="$(cat /run/secrets/database_owner_password)" \
    --set=web_password="$(cat /run/secrets/database_web_password)" <<'SQL'
CREATE ROLE vardlots_app;
CREATE ROLE vardlots_owner LOGIN PASSWORD :'owner_password';
GRANT vardlots_app TO vardlots_owner;
CREATE ROLE vardlots_web LOGIN PASSWORD :'web_password';
GRANT vardlots_app TO vardlots_web;
CREATE DATABASE vardlots OWNER vardlots_owner;
SQL
