"""The program inside the sandbox: it shares no memory and no credential with the host, only a channel."""
