"""Trust material: a recipe for a development PKI, and trust anchors. A private key never goes into git."""
