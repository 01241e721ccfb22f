"""Graphs that a user brings: what is in their files, and how they become the workflow's network."""
