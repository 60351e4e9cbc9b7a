"""What people do in the browser besides the SOP's acts: log in, propose, confirm. Knows no web framework."""
