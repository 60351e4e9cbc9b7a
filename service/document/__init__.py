"""From an approved case to the bytes of its paper: composed, rehearsed, typeset. Signs nothing and stores nothing."""
