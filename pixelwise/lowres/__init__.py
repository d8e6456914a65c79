"""ASAP-Net's low-resolution stream: its definition, and what computes the same faster."""
