"""one file per phase, or per few that belong together: connect, gather_facts … join_workers."""
