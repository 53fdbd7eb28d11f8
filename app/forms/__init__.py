"""What a case report form page is: pure values and functions, no database and no web framework."""
