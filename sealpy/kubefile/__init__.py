"""Kubefile text → instructions (parse, instructions)."""
