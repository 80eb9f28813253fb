"""Checks that are proposed, as text to be pasted where the asset is declared."""

from collections.abc import Sequence

from assetflow.planning.check_pages import ProposalsPage
from assetflow.quality.suggestions import Suggestion
from assetflow.report.words import counted

WIDEST_CODE = 60
"""Evidence of what is wider stands on a line of its own."""


def proposals_text(page: ProposalsPage) -> str:
    """Return the declarations, each with its evidence in a comment."""
    if not page.proposals:
        more = f" beside {counted(page.declared, 'declared check')}" if page.declared else ""
        return f"Nothing stands out in the {counted(page.rows, 'row')} of '{page.asset}'{more}."
    found = counted(len(page.proposals), "check")
    where = "the header" if page.is_sql else "the decorator"
    head = f"# {found} that '{page.asset}' passes, in {where}: keep those that are promises."
    if page.declared:
        head += (
            f"\n# {page.declared:,} more {'is' if page.declared == 1 else 'are'} declared already."
        )
    if page.is_sql:
        codes = [f"  {one.header}," for one in page.proposals]
        return "\n".join([head, "checks = [", *_commented(codes, page.proposals, "  "), "]"])
    codes = [f"    {one.python}," for one in page.proposals]
    names = ", ".join(sorted({one.kind for one in page.proposals}))
    return "\n".join(
        [
            head,
            f"from assetflow import {names}",
            "",
            "checks=[",
            *_commented(codes, page.proposals, "    "),
            "],",
        ]
    )


def _commented(codes: Sequence[str], proposals: Sequence[Suggestion], indent: str) -> list[str]:
    """Return each line of code with its evidence behind it, or before it where it is wide."""
    narrow = [len(code) for code in codes if len(code) <= WIDEST_CODE]
    width = max(narrow, default=0)
    lines: list[str] = []
    for code, one in zip(codes, proposals, strict=True):
        if len(code) > WIDEST_CODE:
            lines += [f"{indent}# {one.evidence}", code]
        else:
            lines.append(f"{code:<{width}}  # {one.evidence}")
    return lines
