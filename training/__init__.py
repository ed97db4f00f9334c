"""Making models: what trains or exports them. Nothing here is part of the installed package."""
