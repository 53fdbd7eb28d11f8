"""Electronic signatures: what each one holds, what has broken it, and whether it still is what was signed."""
