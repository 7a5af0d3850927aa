"""everything a phase may use."""
