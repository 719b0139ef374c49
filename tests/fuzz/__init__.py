"""Byte by byte: broken inputs through the real rooms, in processes with little memory and time."""
