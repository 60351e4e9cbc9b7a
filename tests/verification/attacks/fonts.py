"""Fonts: the same bytes drawn as other letters, or the same letters read as other words."""

from __future__ import annotations

from typing import Any

from tests.signing.attacks import field
from tests.verification.attacks.effects import form, sight, text
from tests.verification.attacks.genuine import Run
from tests.verification.attacks.registry import AFTER, attack
from tests.verification.attacks.tools import changed, marked, page_of, pdf, put, stream

GROUP = "fonts"


def _page_fonts(update: Any) -> list[Any]:
    """Every font of the page, marked as changed."""
    page = page_of(update)
    resources = marked(update, page, "/Resources")
    fonts = marked(update, resources, "/Font")
    return [marked(update, fonts, name) for name in fonts]


def _field_font(update: Any) -> Any:
    return marked(update, update.root["/AcroForm"]["/DR"]["/Font"], "/FieldFont")


@attack(GROUP, text, stamped=True)
def letters_read_as_others(run: Run) -> bytes:
    """Every font's ToUnicode says that all letters are X: seen as before, copied and read aloud as something else."""

    def change(update):
        cmap = (
            b"/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <0000> <ffff> endcodespacerange\n"
            b"1 beginbfrange <0000> <00ff> <0058> endbfrange endcmap end"
        )
        made = stream(update, cmap)
        for font in _page_fonts(update):
            put(font, ToUnicode=made)

    return changed(run.final, change)


@attack(GROUP, sight, stamped=True)
def glyphs_exchanged(run: Run) -> bytes:
    """The page's fonts draw other glyphs for the same codes."""

    def change(update):
        for font in _page_fonts(update):
            if font.get("/Subtype") == "/Type0":
                put(font, Encoding=stream(update, _SHIFTED, Type="/CMap", CMapName="/Geser"))

    return changed(run.final, change)


_SHIFTED = (
    b"/CIDInit /ProcSet findresource begin begincmap /CMapName /Geser def\n"
    b"1 begincodespacerange <0000> <ffff> endcodespacerange\n1 begincidrange <0000> <fffe> 1 endcidrange endcmap end"
)


@attack(GROUP, sight, stamped=True)
def widths_exchanged(run: Run) -> bytes:
    """Other advance widths move the letters over one another."""

    def change(update):
        for font in _page_fonts(update):
            inner = font.get("/DescendantFonts")
            if inner is not None:
                reference = inner.raw_get(0)
                descendant = reference.get_object()
                put(descendant, W=[0, [10] * 400], DW=10)
                if not hasattr(reference, "idnum"):
                    continue
                update.mark_update(reference)

    return changed(run.final, change)


@attack(GROUP, sight, stamped=True)
def drawn_by_the_forger(run: Run) -> bytes:
    """The page's fonts become Type 3 fonts: whatever the forger draws for a letter."""

    def change(update):
        glyph = stream(update, b"600 0 0 0 600 600 d1 0 0 600 600 re f")
        for font in _page_fonts(update):
            font.clear()
            put(
                font,
                Type="/Font",
                Subtype="/Type3",
                FontBBox=[0, 0, 600, 600],
                FontMatrix=[0.001, 0, 0, 0.001, 0, 0],
                CharProcs={"/a": glyph},
                Encoding={"/Type": "/Encoding", "/Differences": [0, *["/a"] * 256]},
                FirstChar=0,
                LastChar=255,
                Widths=[600] * 256,
                Resources={},
            )

    return changed(run.final, change)


@attack(GROUP, sight, offices=AFTER, stamped=True)
def digits_exchanged_in_the_field_font(run: Run) -> bytes:
    """/Differences in the field font make 1 a 9: another number and another year."""

    def change(update):
        put(
            _field_font(update),
            Encoding={
                "/Type": "/Encoding",
                "/BaseEncoding": "/WinAnsiEncoding",
                "/Differences": [49, "/nine", "/nine"],
            },
        )

    return changed(run.final, change)


@attack(GROUP, sight, offices=AFTER, stamped=True)
def new_default_font(run: Run) -> bytes:
    """The form's /DR and every look get another font of the same name."""

    def change(update):
        other = update.add_object(pdf({"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/ZapfDingbats"}))
        put(update.root["/AcroForm"]["/DR"]["/Font"], FieldFont=other)
        update.update_container(update.root["/AcroForm"]["/DR"]["/Font"])
        for name in ("nomor_register", "berlaku_sampai"):
            look = marked(update, field(update, name).get_object()["/AP"], "/N")
            put(look["/Resources"]["/Font"], FieldFont=other)

    return changed(run.final, change)


@attack(GROUP, form, offices=AFTER, stamped=True)
def font_added_to_the_form(run: Run) -> bytes:
    """One more font in /DR, and a default appearance that uses it."""

    def change(update):
        form_ = marked(update, update.root, "/AcroForm")
        put(form_, DA="/ZaDb 40 Tf 1 0 0 rg")
        put(form_["/DR"]["/Font"], ZaDb={"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/ZapfDingbats"})
        update.update_container(form_)
        update.update_container(form_["/DR"]["/Font"])

    return changed(run.final, change)
