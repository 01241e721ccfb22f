"""Timing engines, and the table of what was timed."""
