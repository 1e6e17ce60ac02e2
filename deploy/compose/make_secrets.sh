#!/bin/sh
# Make the secrets that docker-compose.yml mounts, once; what is there stays. Needs nothing but sh.
#   sh deploy/compose/make_secrets.sh [FOLDER]
# The folder is its owner's alone. The files are readable, since the containers' users read them.
set -eu
folder=${1:-.compose}
mkdir -p "$folder"
chmod 700 "$folder"

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

keep() { # NAME VALUE
    if test ! -e "$folder/$1"; then
        printf '%s\n' "$2" > "$folder/$1"
        chmod 444 "$folder/$1"
    fi
}

keep postgres_password "$(random)"
keep postgres "postgresql://murmur:$(cat "$folder/postgres_password")@postgres:5432/murmur"
keep valkey_password "$(random)"
keep redis "redis://:$(cat "$folder/valkey_password")@valkey:6379/0"
keep valkey_conf "bind * -::*
port 6379
requirepass $(cat "$folder/valkey_password")
save \"\"
appendonly no
maxmemory 200mb
maxmemory-policy allkeys-lru"
keep grafana_password "$(random)"
# For the profile `live`: write your token into it.
if test ! -e "$folder/x_bearer_token"; then : > "$folder/x_bearer_token"; fi
chmod 644 "$folder/x_bearer_token"
