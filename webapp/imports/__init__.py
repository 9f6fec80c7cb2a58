"""Reading import files: lines of CSV or JSON Lines, and the values that each line names."""
