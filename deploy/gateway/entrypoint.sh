#!/bin/sh
# The gateway's entry point, also used by deploy/reload:
#   gateway nginx …  write the configuration of this image and environment, and run nginx with it
#   gateway pack     write the same configuration to standard output, as an archive
#   gateway load     read an archive, and switch the running nginx to it if it is valid
set -eu
umask 077
LIVE=/tmp/gateway # a link to the active configuration

# Names the setting of a wrong number, which nginx would not do.
require_whole_number() { # a setting's name and value, and what may follow the number
  # shellcheck disable=SC2295 # it is a pattern
  case ${2%${3-}} in
    '' | 0* | *[!0-9]* | ??????????*)
      echo "settings: $1: expected ${4-a whole number above 0} (given: '$2')" >&2
      exit 1
      ;;
  esac
}

# Prints the client address of requests from the host: that of the container's default route.
host_address() {
  route=$(awk '$2 == "00000000" { print $3; exit }' /proc/net/route)
  # shellcheck disable=SC2046 # four words are wanted
  set -- $(echo "${route:-0100007F}" | sed 's/../0x& /g')
  printf '%d.%d.%d.%d' "$4" "$3" "$2" "$1"
}

# Prints a line of nginx's map for each origin whose pages may read the gateway's errors.
cors_lines() {
  case ${CORS_ORIGINS-} in
    *[!][A-Za-z0-9:/.,_\ -]*)
      echo "settings: CORS_ORIGINS: expected scheme://host[:port] (given: '$CORS_ORIGINS')" >&2
      exit 1
      ;;
  esac
  for origin in $(echo "${CORS_ORIGINS-}" | tr , ' '); do
    echo "    \"${origin%/}\" \$http_origin;"
  done
  [ "${ENV:-production}" != development ] ||
    echo '    "~^https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?$" $http_origin;'
}

# Writes all files that nginx reads into a new directory, and prints its name.
configure() {
  require_whole_number GATEWAY_RATE "$GATEWAY_RATE"
  require_whole_number GATEWAY_CONNECTIONS "$GATEWAY_CONNECTIONS"
  require_whole_number GATEWAY_BODY_LIMIT "$GATEWAY_BODY_LIMIT" '[kKmMgG]' 'bytes, as in 12m'
  # With a certificate the port is public, and other clients may have that address too.
  HOST_ADDRESS=nobody
  [ "$GATEWAY_SCHEME" != http ] || HOST_ADDRESS=$(host_address)
  CORS_LINES=$(cors_lines)
  export HOST_ADDRESS CORS_LINES
  config_dir=$(mktemp -d "$LIVE.XXXXXX")
  cd /etc/nginx
  cp -R nginx.conf proxy.conf routes.conf problem.conf mime.types servers "$config_dir"
  cp -R /usr/share/nginx/page "$config_dir"
  [ ! -d tls ] || cp -RL tls "$config_dir"
  mkdir "$config_dir/conf.d"
  # shellcheck disable=SC2016 # envsubst wants the names
  envsubst '$GATEWAY_RATE $GATEWAY_CONNECTIONS $GATEWAY_BODY_LIMIT $GATEWAY_SCHEME $PUBLIC_URL $HOST_ADDRESS $CORS_LINES' \
    <templates/environment.conf.template >"$config_dir/conf.d/environment.conf"
  echo "$config_dir"
}

activate() { # a directory that `configure` has written
  ln -s "$1" "$1.link"
  mv -T "$1.link" "$LIVE"
}

# Reloads nginx; fails if nginx keeps its old configuration.
reload_nginx() {
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
    config_dir=$(configure)
    exec tar -C "$config_dir" -cf - .
    ;;
  load)
    config_dir=$(mktemp -d "$LIVE.XXXXXX")
    trap 'rm -rf "$config_dir"' EXIT
    if ! tar -C "$config_dir" -xf - 2>/dev/null; then
      echo "reload: no new configuration, so nothing changed; the error is above" >&2
      exit 1
    fi
    nginx -t -q -c "$config_dir/nginx.conf"
    previous=$(readlink "$LIVE")
    activate "$config_dir"
    if ! reload_nginx; then
      activate "$previous"
      echo "reload: nginx keeps its old configuration: docker compose logs gateway" >&2
      exit 1
    fi
    config_dir=$previous
    ;;
  *)
    config_dir=$(configure)
    rm -rf "$LIVE" # a restarted container still has it if /tmp is no tmpfs
    activate "$config_dir"
    exec "$@" -c "$LIVE/nginx.conf"
    ;;
esac
