#!/bin/sh
# Finds the address under which this machine itself arrives at a published port (that of the
# container's default route), then goes on as the image does.
set -eu
route=$(awk '$2 == "00000000" { print $3; exit }' /proc/net/route)
# shellcheck disable=SC2046 # four words are wanted
set -- $(echo "${route:-0100007F}" | sed 's/../0x& /g') "$@"
HOST_ADDRESS=$(printf '%d.%d.%d.%d' "$4" "$3" "$2" "$1")
export HOST_ADDRESS
shift 4
exec /docker-entrypoint.sh "$@"
