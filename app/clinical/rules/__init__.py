"""Published grades, categories and formulas: what was measured goes in, a result with its working comes out."""
