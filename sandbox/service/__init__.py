"""The execution service: the sandbox over HTTP. `app.create_app`, `serve.serve` and the functions of `keys` are its doors."""
