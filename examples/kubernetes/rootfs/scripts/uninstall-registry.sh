#!/bin/bash
# uninstall-registry.sh: stop serving. The data goes with the rootfs.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

unit=$UNITS/sealpy-registry.service
if [ -f "$unit" ]; then
  systemctl disable --now --quiet sealpy-registry
  rm -f "$unit"
  systemctl daemon-reload
  systemctl reset-failed sealpy-registry 2>/dev/null || true
fi
