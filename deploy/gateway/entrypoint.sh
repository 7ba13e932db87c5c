#!/bin/sh
# Finds the address under which this machine itself arrives at a published port (that of the
# container's default route), then goes on as the image does. With a certificate, when the port is
# the world's, nobody counts as this machine: others may arrive under that address as well.
set -eu

# One line for what nginx would refuse in words that name no setting.
whole() { # a setting's name and value, and what may follow the number
  # shellcheck disable=SC2295 # it is a pattern
  case ${2%${3-}} in
    '' | 0* | *[!0-9]* | ??????????*)
      echo "settings: $1: expected ${4-a whole number above 0} (given: '$2')" >&2
      exit 1
      ;;
  esac
}
whole GATEWAY_RATE "$GATEWAY_RATE"
whole GATEWAY_CONNECTIONS "$GATEWAY_CONNECTIONS"
whole GATEWAY_BODY_LIMIT "$GATEWAY_BODY_LIMIT" '[kKmMgG]' 'bytes, as in 12m'

route=$(awk '$2 == "00000000" { print $3; exit }' /proc/net/route)
# shellcheck disable=SC2046 # four words are wanted
set -- $(echo "${route:-0100007F}" | sed 's/../0x& /g') "$@"
HOST_ADDRESS=$(printf '%d.%d.%d.%d' "$4" "$3" "$2" "$1")
[ "$GATEWAY_SCHEME" = http ] || HOST_ADDRESS=nobody
export HOST_ADDRESS
shift 4
exec /docker-entrypoint.sh "$@"
