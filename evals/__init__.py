"""How good it is: suites of requests with known truth, a runner, scores."""
