"""The demo's data: synthetic voices and the checkpoint trained on them."""
