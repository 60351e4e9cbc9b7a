"""Mutated PDFs by the hundred thousand through the inspector and the register: `make fuzz`, and a sample in `make test`."""
