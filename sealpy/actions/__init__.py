"""one file per workflow: apply, delete."""
