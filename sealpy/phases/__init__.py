"""one file per phase: connect, gather_facts … join_workers."""
