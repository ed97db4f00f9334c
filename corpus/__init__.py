"""What we remember: the ledger of outcomes, the closures as files, and the index over both."""
