"""Source data verification: which items a monitor found to agree with the source, and which are still to be seen."""
