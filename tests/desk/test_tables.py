"""Tables that go out are harmless, and come back as what they were."""

from __future__ import annotations

import io

import pytest
from openpyxl import load_workbook

from service.desk import sheets, tables

HEAD = ["nama", "telepon"]


@pytest.mark.parametrize("text", ["=1+1", "+6281234567890", "-1", "@cmd", "  =1+1", "\t=1+1", "\r=1", "\n=1"])
def test_no_cell_of_a_csv_is_a_formula(text):
    written = tables.comma_separated([HEAD, [text, "x"]]).decode("utf-8-sig")
    assert written.split("\r\n", 1)[1].lstrip('"').startswith("'")


@pytest.mark.parametrize("write", [tables.comma_separated, tables.workbook])
def test_what_is_read_back_is_what_was_written(write):
    rows = [HEAD, ["Budi; Contoh", "+6281234567890"], ['Siti "Contoh"', "-"], ["'Aisyah", "3374010203040005"]]
    assert sheets.read(write(rows)) == rows


def test_a_formula_of_ours_is_none_of_ours_when_it_comes_back():
    assert sheets.read(tables.comma_separated([HEAD, ["=1+1", "x"]]))[1] == [sheets.FORMULA, "x"]


def test_a_workbooks_cells_are_text_and_its_empty_rows_too():
    sheet = load_workbook(io.BytesIO(tables.workbook([HEAD, ["=1+1", None]], spare=3))).active
    assert [[cell.value for cell in row] for row in sheet.iter_rows(max_row=2)] == [HEAD, ["=1+1", None]]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value} == {"s"}
    assert (sheet.max_row, {cell.number_format for row in sheet.iter_rows() for cell in row}) == (5, {"@"})
    assert sheet["A1"].font.bold
    assert not sheet["A2"].font.bold
