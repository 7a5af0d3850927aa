"""one file per output style: live (rich), plain, jsonl."""
