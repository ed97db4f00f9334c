"""The suites: requests with known truth, and wrong closures that must be caught."""
