"""The tables in Markdown, whatever is in the names."""

from __future__ import annotations

import re

import pytest
from made_up_results import model, results

from pixelwise.errors import InputError
from pixelwise.evaluation.report import Results
from pixelwise.evaluation.report.markdown import escaped, fenced, markdown


def test_all_parts_are_there() -> None:
    text = markdown(Results.from_json(results()))
    headings = re.findall("^#.*", text, re.MULTILINE)
    kinds = ["Fidelity", "Sets of pictures", "Segmentation", "Other figures", "Cost", "IoU class by class"]
    assert headings[0] == "# camvid-val-v1"
    assert headings[1:] == [f"## {title}" for title in (*kinds, "Worst and best pictures", "Digests")]
    assert "4 pictures. CamVid \\<val\\>, 240x320 &amp; more" in text
    assert "* no FID: Inception's weights are not at hand" in text
    assert "```\npixelwise evaluate --models 'a<b' c\n```" in text
    assert '| street "fast" \\<b\\> | **63.0** | **0.0123 ± 0.0011** |' in text
    assert "| *real photos* | 70.0 | 95.0 |" in text
    assert "12 [10.8–14.4]" in text.replace("\\", "")
    assert "left/one &amp; \\<i\\>two\\</i\\> (14.00)" in text


def test_tables_keep_their_columns() -> None:
    for table in re.findall(r"(?:^\|.*\n)+", markdown(Results.from_json(results())), re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


def test_one_model_without_figures() -> None:
    text = markdown(Results.from_json(results({"model": "bare", "figures": {}})))
    assert "|" not in text
    assert text.endswith("\n")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("snake_case", "snake_case"),
        ("_emphasised_ *too*", r"\_emphasised\_ \*too\*"),
        ("a|b\nc", r"a\|b c"),
        ("<b>&amp;", r"\<b\>&amp;amp;"),
        ("# no heading", r"\# no heading"),
        ("[link](x)", r"\[link\](x)"),
        ("`code` $x$ ~y~", r"\`code\` \$x\$ \~y\~"),
    ],
)
def test_text_is_shown_as_it_is(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_code_is_fenced_whatever_is_in_it() -> None:
    assert fenced("a ``` b") == "````\na ``` b\n````"


def test_two_protocols_are_refused() -> None:
    other = {**results(model("other")), "protocol": "another-v1"}
    with pytest.raises(InputError, match="one table is of one protocol, got 'camvid-val-v1', 'another-v1'"):
        markdown([Results.from_json(results(model("one"))), Results.from_json(other)])
