"""Routers of one's own in the Linux kernel: network namespaces, policy routing, traffic control."""
