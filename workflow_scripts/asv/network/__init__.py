"""Checkpoints, whatever wraps them, and the network that they fill."""
