"""Ascend NPUs: the plug-ins, their toolchain, their devices and what their failures mean."""
