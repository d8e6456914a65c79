from pixelwise.markdown import table


def test_words_stand_left_and_figures_right() -> None:
    assert table(["model", "by", "dB"], [["a", "b", "1"]], num_words=2).splitlines() == [
        "| model | by | dB |",
        "| --- | --- | ---: |",
        "| a | b | 1 |",
    ]


def test_no_cell_becomes_two() -> None:
    assert table(["a|b"], [[r"a\|b"]]).splitlines() == [r"| a\|b |", "| --- |", r"| a\|b |"]
