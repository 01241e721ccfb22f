"""Networks in int8: what they are calibrated with, which of their layers are quantised, and what that costs."""
