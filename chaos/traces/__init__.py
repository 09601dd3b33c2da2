"""What was written down in the field, read as the tracker's events."""
