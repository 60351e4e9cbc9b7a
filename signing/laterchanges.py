"""What a later revision changed in a signed one, judged by ISO 32000-2, 12.8.2 (docs/adr/0045).

Everything that the signed revision says must be said by the later one, but for what DocMDP, FieldMDP and the nature of an
incremental update allow: values of fields that are not locked, further signatures, validation data and metadata.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import pikepdf

from signing.formtree import Node, nodes
from signing.pagetree import hollow, inherited
from signing.samegraph import SameGraph
from signing.samerecord import same_record

_ROOT_MAY_CHANGE: Final = {
    "/AcroForm",
    "/Pages",
    "/DSS",
    "/Extensions",
    "/Version",
    "/Metadata",
    "/MarkInfo",
    "/StructTreeRoot",
    "/Perms",
}
_ROOT_MAY_GAIN: Final = {"/OutputIntents"}
_PAGE_MAY_CHANGE: Final = {"/Annots", "/Parent", "/LastModified", "/PieceInfo", "/Tabs"}
_INHERITED: Final = ("/Resources", "/MediaBox", "/CropBox", "/Rotate")
_NODE_MAY_CHANGE: Final = {"/Kids", "/Count", "/Parent", *_INHERITED}
_FORM_MAY_CHANGE: Final = {"/Fields", "/SigFlags", "/DR", "/DA", "/Q", "/NeedAppearances"}
_ALWAYS: Final = {"/Ff", "/Parent", "/Kids", "/P", "/Type"}
_FILLING: Final = _ALWAYS | {"/V", "/AP", "/AS", "/F", "/DA", "/Q", "/I", "/TI", "/RV", "/M"}
_NOTHING, _FORMS = 1, 2

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the signatures so far permit: the strictest of their DocMDP values (None: none certifies), and their locks."""

    permission: int | None
    locked: Callable[[str], bool]


@dataclass(slots=True)
class Later:
    """`changes` are not permitted, `doubts` can't be told from an attack. Boxes in points, by page from 0.

    `filled` may look different; `added` are the boxes of new signature fields, which must not hide what was there.
    """

    changes: set[str] = field(default_factory=set)
    doubts: set[str] = field(default_factory=set)
    filled: defaultdict[int, list[Box]] = field(default_factory=lambda: defaultdict(list))
    added: defaultdict[int, list[Box]] = field(default_factory=lambda: defaultdict(list))


def later_changes(before: pikepdf.Pdf, after: pikepdf.Pdf, allowed: Allowed) -> Later:
    """Compare two revisions. Raises ValueError for what can't be compared in bounds."""
    return _Comparison(before, after, allowed).run()


class _Comparison:
    def __init__(self, before: pikepdf.Pdf, after: pikepdf.Pdf, allowed: Allowed) -> None:
        self.before, self.after, self.allowed = before, after, allowed
        self.old, self.new = nodes(before), nodes(after)
        self.same = SameGraph(before, after)
        self.same.set_apart(node.dictionary for node in (*self.old, *self.new))
        self.found = Later()
        self.tree = set[tuple[tuple[int, int], tuple[int, int]]]()
        self.pages = {
            annotation.objgen: number
            for number, page in enumerate(after.pages)
            for annotation in _annotations(page)
            if annotation.is_indirect
        }

    def run(self) -> Later:
        self._catalogue()
        self._pages()
        self._form()
        self._annotations()
        return self.found

    def _differs(self, one: Any, other: Any, keys: set[str]) -> bool:
        return any(not self.same(one.get(key), other.get(key)) for key in keys)

    def _catalogue(self) -> None:
        one, other = self.before.Root, self.after.Root
        gained = _ROOT_MAY_GAIN - set(one.keys())
        if self._differs(one, other, {*one.keys(), *other.keys()} - _ROOT_MAY_CHANGE - gained):
            self.found.changes.add("catalogue")
        if _certifying(one) != _certifying(other):
            self.found.doubts.add("certification")
        if not self.same(one.get("/Perms"), other.get("/Perms")):
            # some makers register every signature as the certifying one; taking a certification away is another matter
            (self.found.changes if "/Perms" in one else self.found.doubts).add("certification")
        if not same_record(self.before, self.after, frozen=self.allowed.permission == _NOTHING):
            self.found.doubts.add("metadata")
        if self._differs(one, other, {"/StructTreeRoot"}):
            self.found.doubts.add("structure")

    def _pages(self) -> None:
        if len(self.before.pages) != len(self.after.pages):
            self.found.changes.add("pages")
            return
        self._node(self.before.Root.Pages, self.after.Root.Pages)
        if self._differs(self.before.Root.Pages, self.after.Root.Pages, {"/Count"}):
            self.found.doubts.add("structure")
        if self.before.Root.Pages.objgen != self.after.Root.Pages.objgen or hollow(self.after) > hollow(self.before):
            self.found.doubts.add("structure")
        for one, other in zip(self.before.pages, self.after.pages, strict=True):
            keys = {*one.obj.keys(), *other.obj.keys()} - _PAGE_MAY_CHANGE - set(_INHERITED)
            handed_down = any(not self.same(inherited(one.obj, key), inherited(other.obj, key)) for key in _INHERITED)
            if handed_down or self._differs(one.obj, other.obj, keys):
                self.found.changes.add("page_content")
            self._page_tree(one.obj, other.obj)

    def _page_tree(self, one: Any, other: Any) -> None:
        """The nodes above a page hold it, hand down, and say no more than they did."""
        above, below = one.get("/Parent"), other.get("/Parent")
        if above is None or below is None or (above.objgen, below.objgen) in self.tree:
            return
        self.tree.add((above.objgen, below.objgen))
        self._node(above, below)
        self._page_tree(above, below)

    def _node(self, one: Any, other: Any) -> None:
        if self._differs(one, other, {*one.keys(), *other.keys()} - _NODE_MAY_CHANGE):
            self.found.doubts.add("structure")

    def _form(self) -> None:
        one, other = (_form(pdf) for pdf in (self.before, self.after))
        if self._differs(one, other, {*one.keys(), *other.keys()} - _FORM_MAY_CHANGE):
            self.found.changes.add("form")
        if self.allowed.permission == _NOTHING and self._differs(
            one, other, _FORM_MAY_CHANGE - {"/Fields", "/SigFlags"}
        ):
            self.found.doubts.add("form")
        resources_then: Any = other.get("/DR", {})
        for kind, resources in one.get("/DR", {}).items():
            there: Any = resources_then.get(kind, {})
            if not isinstance(resources, pikepdf.Dictionary):
                continue
            if any(not self.same(resource, there.get(name)) for name, resource in resources.items()):
                self.found.changes.add("form")
        self._form_fields()

    def _form_fields(self) -> None:
        """Fields that were there stay in their order; further ones may follow."""
        known = {node.name for node in self.old}
        if [node.name for node in self.old] != [node.name for node in self.new if node.name in known]:
            self.found.doubts.add("form")
        left = defaultdict(list)
        for node in self.new:
            left[node.name, node.widget].append(node)
        for node in self.old:
            waiting = left[node.name, node.widget]
            match = next((one for one in waiting if one.dictionary.objgen == node.dictionary.objgen), None)
            if match is None:
                self.found.changes.add("field_removed")
                continue
            waiting.remove(match)
            self._field(node, match)
        for node in (node for rest in left.values() for node in rest):
            self._new_field(node, known)

    def _field(self, one: Node, other: Node) -> None:
        """A field that was there: what is signed is never touched, the rest is filled in if nothing forbids that."""
        changed = {
            key
            for key in ({*one.dictionary.keys(), *other.dictionary.keys()}) - _ALWAYS
            if self._differs(one.dictionary, other.dictionary, {key})
        }
        lost = {key for key in ("/P", "/Type") if key in one.dictionary} - set(other.dictionary.keys())
        split = one.is_signed and ("/Kids" in one.dictionary) != ("/Kids" in other.dictionary)
        if one.kind != other.kind or lost or split:
            self.found.changes.add("field")
        if not changed:
            return
        if one.is_signed or changed - _FILLING:
            self.found.changes.add("field")
        elif not other.is_timestamp and (self.allowed.permission == _NOTHING or self.allowed.locked(one.name)):
            self.found.changes.add("field_locked")
        elif one.is_signature and not other.is_signed:
            self.found.doubts.add("field_look")
        self._box(other, self.found.filled)

    def _new_field(self, node: Node, known: set[str]) -> None:
        """A field that was not there: only a signature's, and under a certification nobody may see it."""
        if not node.is_signature:
            # a bare parent that only gathers signature fields says and shows nothing
            bare = node.parent and set(node.dictionary.keys()) <= {"/T", "/Kids", "/Parent"}
            if not bare:
                self.found.changes.add("field_added")
            return
        visible = _visible(node.dictionary)
        if node.name in known:
            self.found.doubts.add("field_added")
        if node.value is not None and not self._signed_since(node):
            self.found.doubts.add("stray_signature")
        if not node.is_timestamp and self.allowed.permission == _NOTHING:
            self.found.changes.add("field_added")
        elif visible and (self.allowed.permission is not None or self.allowed.locked(node.name)):
            self.found.doubts.add("field_added")
        elif visible and not node.is_signed:
            self.found.doubts.add("field_look")
        if visible:
            self._box(node, self.found.added)
            self._box(node, self.found.filled)

    def _signed_since(self, node: Node) -> bool:
        """Whether a new field holds a signature, and none that an old field holds already."""
        if not node.is_signed or "/ByteRange" not in node.value:
            return False
        there = (one.value for one in self.old if one.is_signed)
        return not any(self.same(one.get("/ByteRange"), node.value.ByteRange) for one in there)

    def _box(self, node: Node, boxes: defaultdict[int, list[Box]]) -> None:
        if "/Rect" in node.dictionary and node.dictionary.objgen in self.pages:
            left, bottom, right, top = (float(number) for number in node.dictionary.Rect)
            boxes[self.pages[node.dictionary.objgen]].append(
                (min(left, right), min(bottom, top), max(left, right), max(bottom, top))
            )

    def _annotations(self) -> None:
        """Annotations that are no fields: under DocMDP 1 and 2 none may change, else a reader can't judge what they cover."""
        fields = {node.dictionary.objgen for node in (*self.old, *self.new) if node.dictionary.is_indirect}
        for one, other in zip(self.before.pages, self.after.pages, strict=False):
            old, new = ([a for a in _annotations(page) if a.objgen not in fields] for page in (one, other))
            if _strangers(one) != _strangers(other):
                self.found.doubts.add("annotations")
            were, are = ([a.objgen for a in _annotations(page)] for page in (one, other))
            if (set(were) - set(are)) & fields:
                self.found.changes.add("field_removed")
            elif [objgen for objgen in are if objgen in set(were)] != were:
                self.found.doubts.add("annotations")
            if len(old) == len(new) and all(self.same(left, right) for left, right in zip(old, new, strict=True)):
                continue
            kinds = {str(a.get("/FT", "")) for a in new[len(old) :] if a.get("/Subtype") == "/Widget"}
            if kinds - {"/Sig"}:
                self.found.changes.add("field_added")
            elif kinds:
                self.found.doubts.add("stray_signature")
            strict = self.allowed.permission in {_NOTHING, _FORMS}
            (self.found.changes if strict else self.found.doubts).add("annotations")


def _form(document: pikepdf.Pdf) -> Any:
    return document.Root.get("/AcroForm", pikepdf.Dictionary())


def _annotations(page: Any) -> Iterator[Any]:
    for annotation in page.obj.get("/Annots", ()):
        if isinstance(annotation, pikepdf.Dictionary):
            yield annotation


def _strangers(page: Any) -> int:
    """How many entries of /Annots are no annotations."""
    return sum(not isinstance(one, pikepdf.Dictionary) for one in page.obj.get("/Annots", ()))


def _certifying(root: Any) -> tuple[int, int]:
    """The number of what /Perms names as the certification, which must have one (ISO 32000-2, 12.8.6); 0 of none."""
    certification = root.get("/Perms", {}).get("/DocMDP")
    return certification.objgen if isinstance(certification, pikepdf.Dictionary) else (0, 0)


def _visible(widget: Any) -> bool:
    """Whether a reader may see it: a box of some size and something drawn in it, not hidden."""
    rectangle = [float(number) for number in widget.get("/Rect", (0, 0, 0, 0))]
    empty = rectangle[0] == rectangle[2] or rectangle[1] == rectangle[3]
    return not empty and "/AP" in widget
