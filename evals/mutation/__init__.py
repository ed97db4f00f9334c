"""Right closures, and the wrong ones that are made of them."""
