"""one file per command: apply, build, delete, images, run and more."""
