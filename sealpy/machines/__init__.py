"""one file per source of machines: local (systemd-nspawn)."""
