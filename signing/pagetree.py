"""The nodes that hold a document's pages: what they count, and what they hand down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pikepdf

_DEEPEST: Final = 64


def hollow(document: pikepdf.Pdf) -> int:
    """How many nodes of the page tree hold no page, or not as many as they count. Raises ValueError for a tree that has no end."""
    return _leaves(document.Root.Pages, 0)[1]


def _leaves(node: Any, depth: int) -> tuple[int, int]:
    """Return how many pages stand below a node, and how many hollow nodes, itself included."""
    if depth > _DEEPEST:
        raise ValueError("page tree too deep")
    if "/Kids" not in node:
        return 1, 0
    below = [_leaves(kid, depth + 1) for kid in node.Kids]
    pages, empty = sum(one for one, _ in below), sum(other for _, other in below)
    return pages, empty + (pages == 0 or node.get("/Count") != pages)


def inherited(page: Any, key: str) -> Any:
    """Return what a page says, or the nearest node above it; None if nobody does (ISO 32000-2, 7.7.3.4)."""
    for _ in range(_DEEPEST):
        if page is None or key in page:
            break
        page = page.get("/Parent")
    return page.get(key) if page is not None else None
