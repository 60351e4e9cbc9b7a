"""Events out: Standard Webhooks to each client's endpoints, in the journal's order, at least once under one id.

The journal is the outbox: an endpoint is a place in it. Nothing here writes to a permit, and no permit waits for a receiver.
"""
