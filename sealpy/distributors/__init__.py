"""one file per way to move a rootfs: stream."""
