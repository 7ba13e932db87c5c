#!/bin/sh
# The gateway's start, and its reload by deploy/reload:
#   gateway nginx …  writes the configuration of this image and environment, and runs nginx on it
#   gateway pack     writes the same to the standard output, as an archive
#   gateway load     reads an archive, and has the nginx that runs here serve by it if it is valid
set -eu
umask 077
LIVE=/tmp/gateway # a link to the configuration in use

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

# Prints the address under which this machine itself arrives at a published port: that of the
# container's default route.
host_address() {
  route=$(awk '$2 == "00000000" { print $3; exit }' /proc/net/route)
  # shellcheck disable=SC2046 # four words are wanted
  set -- $(echo "${route:-0100007F}" | sed 's/../0x& /g')
  printf '%d.%d.%d.%d' "$4" "$3" "$2" "$1"
}

# Writes everything that nginx reads into a new directory, and prints its name.
configure() {
  whole GATEWAY_RATE "$GATEWAY_RATE"
  whole GATEWAY_CONNECTIONS "$GATEWAY_CONNECTIONS"
  whole GATEWAY_BODY_LIMIT "$GATEWAY_BODY_LIMIT" '[kKmMgG]' 'bytes, as in 12m'
  # With a certificate the port is the world's: others may arrive under that address as well.
  HOST_ADDRESS=nobody
  [ "$GATEWAY_SCHEME" != http ] || HOST_ADDRESS=$(host_address)
  export HOST_ADDRESS
  made=$(mktemp -d "$LIVE.XXXXXX")
  cd /etc/nginx
  cp -R nginx.conf proxy.conf routes.conf problem.conf mime.types servers "$made"
  cp -R /usr/share/nginx/page "$made"
  [ ! -d tls ] || cp -RL tls "$made"
  mkdir "$made/conf.d"
  # shellcheck disable=SC2016 # envsubst wants the names
  envsubst '$GATEWAY_RATE $GATEWAY_CONNECTIONS $GATEWAY_BODY_LIMIT $GATEWAY_SCHEME $PUBLIC_URL $HOST_ADDRESS' \
    <templates/environment.conf.template >"$made/conf.d/environment.conf"
  echo "$made"
}

use() { # a directory that `configure` has made
  ln -s "$1" "$1.link"
  mv -T "$1.link" "$LIVE"
}

# Has nginx read its configuration again; fails where it keeps the one that it has.
reread() {
  before=$(cat /proc/1/task/1/children)
  kill -HUP 1
  for _ in $(seq 100); do
    for worker in $(cat /proc/1/task/1/children); do
      case " $before " in
        *" $worker "*) ;;
        *) return 0 ;; # a worker is never older than its configuration
      esac
    done
    sleep 0.1
  done
  return 1
}

case $1 in
  pack)
    made=$(configure)
    exec tar -C "$made" -cf - .
    ;;
  load)
    made=$(mktemp -d "$LIVE.XXXXXX")
    trap 'rm -rf "$made"' EXIT
    tar -C "$made" -xf -
    nginx -t -q -c "$made/nginx.conf"
    served=$(readlink "$LIVE")
    use "$made"
    if ! reread; then
      use "$served"
      echo "reload: nginx goes on with what it had: docker compose logs gateway" >&2
      exit 1
    fi
    made=$served
    ;;
  *)
    made=$(configure)
    rm -rf "$LIVE" # a container that is started again has kept it, where /tmp is a part of it
    use "$made"
    exec "$@" -c "$LIVE/nginx.conf"
    ;;
esac
