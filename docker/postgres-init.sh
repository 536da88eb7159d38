#!/bin/sh
# Runs once, when the database is made: Airflow and Acequia each get a database and a user of their own.
set -eu
make_database() {
  psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --set name="$1" --set password="$2" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
}
make_database airflow "$AIRFLOW_DATABASE_PASSWORD"
make_database acequia "$ACEQUIA_DATABASE_PASSWORD"
