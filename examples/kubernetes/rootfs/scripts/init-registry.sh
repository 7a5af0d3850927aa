#!/bin/bash
# init-registry.sh PORT DIR DOMAIN: serve DIR (which holds docker/registry/v2) over TLS as DOMAIN:PORT.
# certs/DOMAIN.crt and .key of the rootfs are there before, unless RegistryInsecure=true asks for plain HTTP; with
# etc/registry_htpasswd clients must say who they are.
# A second run with the same files restarts nothing.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ $# -eq 3 ] || fail "usage: init-registry.sh PORT DIR DOMAIN"
port=$1 directory=$2 domain=$3
unit=$UNITS/sealpy-registry.service
certificate=$ROOTFS/certs/$domain.crt
key=$ROOTFS/certs/$domain.key
users=$ROOTFS/etc/registry_htpasswd
configuration=$ROOTFS/etc/registry_config.yml
insecure=${RegistryInsecure:-false}

# The registry reads all this once: a change of it makes another unit, and so a restart.
fingerprint() {
  {
    "$ROOTFS/bin/registry" --version
    cat "$configuration"
    if [ "$insecure" != true ]; then cat "$certificate" "$key"; fi
    if [ -s "$users" ]; then cat "$users"; fi
  } | sha256sum | cut -d' ' -f1
}

write_unit() {
  cat <<UNIT
# of a cluster image: uninstalling the image removes this file
# serves with $(fingerprint)
[Unit]
Description=the private registry of this cluster
After=network.target

[Service]
ExecStart=$ROOTFS/bin/registry serve $configuration
Environment=REGISTRY_HTTP_ADDR=:$port
Environment=REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=$directory
# It would send traces to this machine's port 4318.
Environment=OTEL_TRACES_EXPORTER=none
UNIT
  if [ "$insecure" != true ]; then
    printf 'Environment=REGISTRY_HTTP_TLS_%s\n' "CERTIFICATE=$certificate" "KEY=$key"
  fi
  if [ -s "$users" ]; then
    printf 'Environment=REGISTRY_AUTH_HTPASSWD_%s\n' "REALM=$domain" "PATH=$users"
  fi
  cat <<UNIT
Restart=always
RestartSec=2
NoNewPrivileges=yes

[Install]
WantedBy=multi-user.target
UNIT
}

answers() {
  (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null
}

for file in "$certificate" "$key"; do
  [ "$insecure" = true ] || [ -s "$file" ] || fail "$file is missing"
done
mkdir -p "$directory"
trap 'rm -f "$unit.new"' EXIT
write_unit > "$unit.new"
if cmp -s "$unit.new" "$unit" && answers; then exit 0; fi

mv -f "$unit.new" "$unit"
systemctl daemon-reload
systemctl enable --quiet sealpy-registry
systemctl restart sealpy-registry
for _ in {1..200}; do
  if answers; then exit 0; fi
  sleep 0.05
done
journalctl --unit sealpy-registry --lines 10 --no-pager >&2 || true
fail "the registry does not answer on port $port after 10 s"
