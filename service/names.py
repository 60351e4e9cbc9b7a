"""The holder's name as the office's policy shows it in public: on the verification page and in a QR."""

from __future__ import annotations

HIDDEN = "***"


def shown(name: str, policy: str) -> str:
    """Return the name in full, or masked: "Siti N*** R***", academic titles after the comma left out.

    A title before the name stays; a name of one word keeps only its first letter, otherwise it would hide nothing.
    """
    if policy == "full":
        return name
    words = name.partition(",")[0].split()
    titles = [word for word in words if word.endswith(".")]
    own = [word for word in words if not word.endswith(".")]
    kept = own[:1] if len(own) > 1 else []
    return " ".join([*titles, *kept, *(word[0] + HIDDEN for word in own[len(kept) :])]) or HIDDEN
