"""Copied parts: signatures and time-stamps of other documents, which are genuine where they come from."""

from __future__ import annotations

from asn1crypto import cms

from tests.signing.attacks import field
from tests.signing.world import writer
from tests.verification.attacks.effects import form
from tests.verification.attacks.genuine import Run
from tests.verification.attacks.registry import SEALED, attack
from tests.verification.attacks.tools import (
    CONTENTS,
    annotate,
    changed,
    cms_of,
    enlist,
    pdf,
    put,
    with_cms,
)

GROUP = "copied signatures and time-stamps"


@attack(GROUP)
def signature_of_another_permit(run: Run) -> bytes:
    """The last signature's CMS is another permit's, by the same key."""
    return with_cms(run.final, cms_of(run.other))


@attack(GROUP)
def head_of_another_permit(run: Run) -> bytes:
    """The head's CMS is another permit's."""
    return with_cms(run.final, cms_of(run.other, 0), 0)


@attack(GROUP, offices=SEALED)
def head_in_the_seals_place(run: Run) -> bytes:
    """The seal's CMS is the head's."""
    return with_cms(run.final, cms_of(run.final, 0))


@attack(GROUP)
def every_signature_of_another_permit(run: Run) -> bytes:
    """All CMS are another permit's."""
    forged = run.final
    for which in range(len(CONTENTS.findall(forged))):
        forged = with_cms(forged, cms_of(run.other, which), which)
    return forged


@attack(GROUP, form)
def signature_object_copied(run: Run) -> bytes:
    """The whole signature of another permit in a new field: right key, right names, another document."""

    def change(update):
        other = field(writer(run.other), run.last_field).get_object()["/V"]
        copy = {key: other[key] for key in ("/Type", "/Filter", "/SubFilter", "/ByteRange", "/Contents", "/M")}
        value = {key: list(map(int, one)) if key == "/ByteRange" else one for key, one in copy.items()}
        box = {
            "Subtype": "/Widget",
            "FT": "/Sig",
            "T": "lagi",
            "Rect": [0, 0, 0, 0],
            "V": update.add_object(pdf(value)),
        }
        enlist(update, annotate(update, **box))

    return changed(run.final, change)


def _with_attributes(run: Run, *attributes: tuple[str, list]) -> bytes:
    """The last signature, which has a time-stamp of its own, with other unsigned attributes."""
    info = cms.ContentInfo.load(cms_of(run.timestamped), strict=False)
    made = [cms.CMSAttribute({"type": name, "values": values}) for name, values in attributes]
    info["content"]["signer_infos"][0]["unsigned_attrs"] = cms.CMSAttributes(made)
    return with_cms(run.timestamped, info.dump(force=True))


def _token(pdf: bytes) -> cms.ContentInfo:
    """The time-stamp in the last signature."""
    info = cms.ContentInfo.load(cms_of(pdf), strict=False)
    return info["content"]["signer_infos"][0]["unsigned_attrs"][0]["values"][0]


@attack(GROUP)
def time_stamp_in_the_signature(run: Run) -> bytes:
    """A genuine time-stamp of the head's signature in another's unsigned attributes."""
    return _with_attributes(run, ("signature_time_stamp_token", [_token(run.timestamped_head)]))


@attack(GROUP)
def true_and_copied_time_stamp(run: Run) -> bytes:
    """The true one, and behind it one that was copied, without its certificates."""
    copied = _token(run.timestamped_head).copy()
    copied["content"]["certificates"] = None
    tokens = [_token(run.timestamped), copied]
    return _with_attributes(run, *(("signature_time_stamp_token", [token]) for token in tokens))


@attack(GROUP)
def countersignature_of_something_else(run: Run) -> bytes:
    """Another permit's signer as a countersigner of this one."""
    other = cms.ContentInfo.load(cms_of(run.other), strict=False)["content"]["signer_infos"][0]
    return _with_attributes(run, ("counter_signature", [other]))


@attack(GROUP)
def archive_stamp_copied(run: Run) -> bytes:
    """The document time-stamp's CMS is that of another permit."""
    return with_cms(run.archived, cms_of(run.stamped(run.other)))


@attack(GROUP)
def archive_stamp_by_the_seal(run: Run) -> bytes:
    """The document time-stamp's CMS is the last signature: no authority made it."""
    return with_cms(run.archived, cms_of(run.final))


@attack(GROUP)
def archive_stamp_pasted_behind(run: Run) -> bytes:
    """The update that stamped another permit, pasted behind this one."""
    return run.final + run.stamped(run.other)[len(run.other) :]


@attack(GROUP)
def stamp_with_the_signature_within(run: Run) -> bytes:
    """The signature's dictionary says that it is a document time-stamp."""

    def change(update):
        reference = field(update, run.last_field).get_object().raw_get("/V")
        put(reference.get_object(), Type="/DocTimeStamp", SubFilter="/ETSI.RFC3161")
        update.mark_update(reference)

    return changed(run.final, change)
