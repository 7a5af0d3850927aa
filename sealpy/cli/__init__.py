"""argv in, text out: the only code that prints or exits."""
