"""Images in files and directories, on their way between machines: what save writes and load reads."""
