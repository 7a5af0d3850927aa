"""the host side of plugins: find, check, bind, call."""
