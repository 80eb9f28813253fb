"""How one step of a run ended, on one line."""

from rich.text import Text

from assetflow.planning.results import StepResult
from assetflow.report.check_order import UNMET, urgency
from assetflow.report.palette import COLOURS
from assetflow.report.plan_report import why
from assetflow.report.words import counted, duration, shortened

SHORTEST_TIME = 0.005
SHARE_OF_ENDING = 0.6


def step_line(result: StepResult, width: int = 0) -> Text:
    """Return how one step ended, on one line; where it has a `width`, the name is made to fit."""
    colour = COLOURS.get(result.outcome, "")
    ending = Text(result.outcome, style=colour)
    if result.rows is not None:
        ending.append(f"  {counted(result.rows, 'row')}", style="default")
    if result.seconds >= SHORTEST_TIME:
        ending.append(f"  {duration(result.seconds)}", style="dim")
    said = _said_of_checks(result)
    if said.plain:
        ending.append("  ").append_text(said)
    if result.reasons and result.outcome != "rejected":
        ending.append(f"  {why([str(reason) for reason in result.reasons]).plain}", style="dim")
    name = str(result.target)
    if width:
        room = width - len("✓   ") - min(ending.cell_len, int(width * SHARE_OF_ENDING))
        name = shortened(name, room)
    text = Text(_mark(result), style=colour, no_wrap=True, overflow="ellipsis")
    return text.append(f" {name}  ", style="default").append_text(ending)


def _mark(result: StepResult) -> str:
    marks = {"failed": "✗", "rejected": "✗", "skipped": "-", "superseded": "-"}
    is_unmet = any(outcome.status in UNMET for outcome in result.checks)
    return marks.get(result.outcome, "!" if is_unmet else "✓")


def _said_of_checks(result: StepResult) -> Text:
    """Return what did not pass, on one line: what rejected the version, else how many warned.

    The end of the run says what these checks found.
    """
    unmet = sorted((one for one in result.checks if one.status in UNMET), key=urgency)
    if not unmet:
        return Text()
    if result.outcome == "rejected":
        names = [one.check for one in unmet if one.has_failed]
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        return Text(f"{names[0]}{more} failed" if names else "", style="default")
    failed = sum(one.has_failed for one in unmet)
    texts = [
        f"{counted(count, 'check')} {how}"
        for count, how in ((failed, "failed"), (len(unmet) - failed, "warned"))
        if count
    ]
    return Text(", ".join(texts), style="red" if failed else "yellow")
