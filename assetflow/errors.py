"""Every error a user can meet, and how it reads.

AssetflowError                 one sentence, aligned facts, one way out
├── DefinitionError            a declaration that cannot work; found at load, exit code 2
├── ProjectError               the project as a whole: settings, or several definition errors
├── UsageError                 the command asks for what cannot be
├── StateError                 the state folder, the store or the journal
└── StepError                  a step failed while it ran; exit code 1
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

MOST_LISTED = 5
COMMON_TYPES = (
    *("BIGINT", "BLOB", "BOOLEAN", "DATE", "DECIMAL(18,3)", "DOUBLE", "FLOAT", "HUGEINT"),
    *("INTEGER", "INTERVAL", "JSON", "SMALLINT", "TIME", "TIMESTAMP", "TINYINT", "UUID"),
    *("TIMESTAMP WITH TIME ZONE", "UBIGINT", "VARCHAR"),
)
"""Types that somebody may have meant who wrote another."""


class AssetflowError(Exception):
    """A problem the user can solve: one sentence, the facts, and a way out."""

    code = "error"
    exit_code = 2

    def __init__(
        self, headline: str, facts: Mapping[str, object] | None = None, hint: str = ""
    ) -> None:
        super().__init__(headline)
        self.headline = headline
        self.facts = dict(facts or {})
        self.hint = hint

    def __str__(self) -> str:
        width = max(map(len, self.facts), default=0)
        facts = [f"  {name:<{width}}  {value}" for name, value in self.facts.items()]
        return "\n".join([self.headline, *facts, *([self.hint] if self.hint else [])])

    def as_json(self) -> dict[str, object]:
        """Return the documented JSON of an error: code, headline, facts, hint."""
        facts = {name: str(value) for name, value in self.facts.items()}
        return {"code": self.code, "headline": self.headline, "facts": facts, "hint": self.hint}


class DefinitionError(AssetflowError):
    """A declaration that cannot work."""

    code = "definition"


class ProjectError(AssetflowError):
    """The project as a whole cannot be used."""

    code = "project"


class UsageError(AssetflowError):
    """The command asks for what cannot be."""

    code = "usage"


class StateError(AssetflowError):
    """The state folder, the metadata store or a journal cannot be used."""

    code = "state"
    exit_code = 1


class StepError(AssetflowError):
    """A step failed while it ran."""

    code = "step"
    exit_code = 1


def nearest(name: str, names: Iterable[str], count: int = 3) -> list[str]:
    """Return the names most like `name`, best first, compared without case.

    >>> nearest("Ordes", ["orders", "stores", "weather"])
    ['orders', 'stores']
    """
    spelled = {other.casefold(): other for other in names}
    found = difflib.get_close_matches(name.casefold(), spelled, n=count, cutoff=0.6)
    return [spelled[other] for other in found]


def named(asset: str, partition: str) -> str:
    """Return how a partition of an asset, or an asset without, is named."""
    return f"{asset}[{partition}]" if partition else asset


def making(asset: str, partition: str) -> str:
    """Return the command that makes an asset, or a partition of it."""
    return f"assetflow materialize {asset}{f' --partition {partition}' if partition else ''}"


def did_you_mean(name: str, names: Iterable[str], otherwise: str = "") -> str:
    """Return the hint that names what is nearest to `name`, or `otherwise`.

    >>> did_you_mean("order", ["orders"])
    "Did you mean 'orders'?"
    """
    found = nearest(name, names)
    return f"Did you mean {' or '.join(repr(other) for other in found)}?" if found else otherwise


class BadName(DefinitionError):
    """A name that cannot be quoted, addressed or kept in a path."""

    code = "bad_name"

    def __init__(self, what: str, name: str) -> None:
        shown = name if len(name) <= 60 else f"{name[:57]}..."  # noqa: PLR2004 - a readable width
        super().__init__(
            f"{shown!r} cannot be the name of {'an' if what[0] in 'aeiou' else 'a'} {what}.",
            {"length": len(name)},
            "Use letters, digits and underscores, joined by dots, at most 200 characters.",
        )


class ProjectErrors(ProjectError):
    """All the definition errors of one project, reported together."""

    code = "definitions"

    def __init__(self, errors: Iterable[AssetflowError]) -> None:
        self.errors = tuple(errors)
        count = len(self.errors)
        super().__init__(f"{count} definition{'s' if count != 1 else ''} cannot work.")

    def __str__(self) -> str:
        if len(self.errors) == 1:
            return str(self.errors[0])
        return "\n\n".join([*map(str, self.errors), self.headline])

    def as_json(self) -> dict[str, object]:
        """Return the error with each definition error under `errors`; of one, what it says."""
        said = self.errors[0].as_json() if len(self.errors) == 1 else super().as_json()
        return {**said, "errors": [error.as_json() for error in self.errors]}


def each_error(error: AssetflowError) -> tuple[AssetflowError, ...]:
    """Return the errors that `error` holds, or itself."""
    return error.errors if isinstance(error, ProjectErrors) else (error,)


class UnknownInput(DefinitionError):
    """An asset reads something that is neither an asset nor a source."""

    code = "unknown_input"

    def __init__(self, name: str, needed_by: str, place: str, names: Iterable[str]) -> None:
        self.name = name
        super().__init__(
            f"No asset or source is named '{name}'.",
            {"needed by": needed_by, "defined in": place},
            did_you_mean(name, names, "Declare it as an asset, or with source(...)."),
        )


class Circle(DefinitionError):
    """Assets that depend on one another in a circle; each reads the next."""

    code = "circle"

    def __init__(self, reads: Iterable[tuple[str, str, str]]) -> None:
        rows = tuple(reads)
        width = max(len(read) for _, read, _ in rows)
        super().__init__(
            "These assets depend on one another in a circle.",
            {name: f"reads {read:<{width}}  {place}" for name, read, place in rows},
            "Break one of these reads, or declare the earlier table as a source.",
        )


class UnknownSelection(UsageError):
    """A selection that names nothing."""

    code = "unknown_selection"

    def __init__(self, text: str, names: Iterable[str]) -> None:
        super().__init__(
            f"Nothing is selected by '{text}'.",
            hint=did_you_mean(text, names, "List what there is with `assetflow ls`."),
        )


class BadSelection(UsageError):
    """A selection that cannot be read."""

    code = "bad_selection"

    def __init__(self, text: str, why: str) -> None:
        super().__init__(
            f"The selection '{text}' cannot be read: {why}.",
            hint="Write a name, a pattern such as stg_*, +name, name+, 2+name+1, or "
            "tag: group: owner: kind: path: status: with a value.",
        )


class StoreLocked(StateError):
    """Another process holds the metadata store, longer than is worth waiting."""

    code = "store_locked"

    def __init__(self, path: object, pid: int | None, program: str, waited_seconds: float) -> None:
        self.pid, self.program = pid, program
        super().__init__(
            "The metadata store is in use by another process.",
            {
                "store": path,
                "held by": f"{program or 'a process'}{f' (PID {pid})' if pid else ''}",
                "waited": f"{waited_seconds:.0f} s",
            },
            "Wait until it ends, or close it; what was recorded is taken in by the next command.",
        )


class StoreFromNewer(StateError):
    """The metadata store was written by a newer assetflow or DuckDB."""

    code = "store_from_newer"

    def __init__(self, path: object, found: str, known: str) -> None:
        super().__init__(
            "The metadata store was made by a newer version.",
            {"store": path, "made with": found, "installed": known},
            "Upgrade with `pip install --upgrade assetflow duckdb`.",
        )


class StoreDamaged(StateError):
    """The file in the metadata store's place is damaged or is something else."""

    code = "store_damaged"

    def __init__(self, path: object, why: str) -> None:
        super().__init__(
            "The metadata store cannot be read.",
            {"store": path, "found": why},
            "Restore it from a backup, or move it aside: the next run starts a new history.",
        )


class StateUnusable(StateError):
    """The operating system refused to read or write in the state folder."""

    code = "state_unusable"

    def __init__(self, path: object, action: str, why: str) -> None:
        super().__init__(
            f"The state folder cannot be {action}.",
            {"path": path, "because": why},
            "Make room or give yourself access, then run the command again; nothing is lost.",
        )


class JournalDamaged(StateError):
    """A line in the middle of a journal is no record."""

    code = "journal_damaged"

    def __init__(self, path: object, line: int, why: str) -> None:
        self.path, self.line = path, line
        super().__init__(
            "A journal is damaged.",
            {"at": f"{path}:{line}", "found": why},
            "Move the file aside; what it records and was not yet published is then made again.",
        )


class StateBusy(StateError):
    """Runs keep out what changes the state folder, or the other way round."""

    code = "state_busy"

    def __init__(self, path: object, wanted: str, held_by: str) -> None:
        super().__init__(
            f"{wanted} cannot start while {held_by}.",
            {"lock": path},
            "Try again when that has ended; `assetflow runs` shows what is running.",
        )


class VersionsRemoved(StateError):
    """An earlier state names versions that were removed since."""

    code = "versions_removed"

    def __init__(self, environment: str, removed: Iterable[object]) -> None:
        names = sorted(map(str, removed))
        shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")  # noqa: PLR2004 - readable
        super().__init__(
            f"'{environment}' cannot return to that state: {len(names)} versions were removed.",
            {"removed": shown},
            "Choose a later state, or materialize these again.",
        )


class VersionsRejected(StateError):
    """What is to be published failed its checks."""

    code = "versions_rejected"

    def __init__(self, environment: str, failed: Mapping[str, str]) -> None:
        count = f"{len(failed)} {'version' if len(failed) == 1 else 'versions'} failed checks"
        super().__init__(
            f"Nothing was published in '{environment}': {count}.",
            dict(list(failed.items())[:MOST_LISTED]),
            "Mend the data or the checks first; `assetflow check` shows the rows.",
        )


class VersionsUnaudited(StateError):
    """What is to be published has not met the checks that are declared now."""

    code = "versions_unaudited"

    def __init__(self, environment: str, origin: str, unaudited: Sequence[str]) -> None:
        count = f"{len(unaudited)} {'version has' if len(unaudited) == 1 else 'versions have'}"
        super().__init__(
            f"Nothing was published in '{environment}': {count} not met the checks of now.",
            {"not checked": _some(unaudited)},
            f"Ask them with `assetflow check --env {origin}`; what is told its environment is"
            f" asked there, by `assetflow materialize --env {environment}`.",
        )


LONGEST_SHOWN = 60
KILLED = 9
"""The signal by which a system that is out of memory ends a process."""


def shortened(value: object) -> str:
    """Return `value` as Python writes it, on one line of at most 60 characters."""
    text = " ".join(repr(value).split())
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."


def _some(names: Sequence[str]) -> str:
    """Return `names` joined, at most a few of them."""
    rest = len(names) - MOST_LISTED
    return ", ".join(names[:MOST_LISTED]) + (f" and {rest} more" if rest > 0 else "")


class UnknownKey(DefinitionError):
    """A key that nothing reads."""

    code = "unknown_key"

    def __init__(
        self, key: str, of: str, known: Iterable[str], place: object, why: str = ""
    ) -> None:
        names = sorted(known)
        every = f"The keys are {', '.join(names)}." if names else f"Remove {key!r}."
        facts = {"because": why} if why else {}
        super().__init__(
            f"{key!r} is not a key of {of}.",
            {**facts, "defined in": place},
            f"Remove {key!r}." if why else did_you_mean(key, names, every),
        )


class BadValue(DefinitionError):
    """A key with a value that it cannot have."""

    code = "bad_value"

    def __init__(
        self, key: str, given: object, of: str, expected: str, example: str, place: object
    ) -> None:
        super().__init__(
            f"{repr(key) if key else 'The table'} of {of} cannot have this value.",
            {"given": shortened(given), "expected": expected, "defined in": place},
            f"Write it like {example}." if example else "Change it to what is expected.",
        )


class MissingKey(DefinitionError):
    """A key that must be there."""

    code = "missing_key"

    def __init__(self, key: str, of: str, expected: str, example: str, place: object) -> None:
        super().__init__(
            f"{key!r} of {of} is missing.",
            {"expected": expected, "defined in": place},
            f"Add it like {example}." if example else f"Add {key!r}.",
        )


class BadDuration(DefinitionError):
    """A text or number that says no span of time."""

    code = "bad_duration"

    def __init__(self, value: object, expected: str) -> None:
        super().__init__(
            f"{shortened(value)} is not a duration.",
            {"expected": expected},
            'Write it like "10m".',
        )


class BadDeclaredName(DefinitionError):
    """A declaration whose name cannot be quoted, addressed or kept in a path."""

    code = "bad_name"

    def __init__(self, what: str, name: str, place: object) -> None:
        super().__init__(
            f"{shortened(name)} cannot be the name of {what}.",
            {"defined in": place},
            "Use letters, digits and underscores, joined by dots, at most 200 characters.",
        )


class UnknownForm(DefinitionError):
    """A parameter whose annotation is none of the forms in which data arrives."""

    code = "unknown_form"

    def __init__(
        self, asset: str, parameter: str, annotation: str, forms: str, place: object
    ) -> None:
        super().__init__(
            f"The parameter {parameter!r} of {asset!r} is annotated with no form of data.",
            {"given": annotation, "forms": forms, "defined in": place},
            "Annotate it with one of the forms, or name it like the resource that it takes.",
        )


class BadParameter(DefinitionError):
    """A parameter that cannot be given by its name, or is there twice."""

    code = "bad_parameter"

    def __init__(self, function: str, parameter: str, problem: str, place: object) -> None:
        super().__init__(
            f"The parameter {parameter!r} of {function!r} {problem}.",
            {"defined in": place},
            "Name each input as a parameter of its own.",
        )


class NotAFunction(DefinitionError):
    """A decorator on something that cannot be called as a function."""

    code = "not_a_function"

    def __init__(self, decorator: str, given: str, place: object) -> None:
        super().__init__(
            f"@{decorator} is put on {given}, not on a function.",
            {"defined in": place},
            "Put it on a plain function that returns the data.",
        )


class ResourceTakesData(DefinitionError):
    """A resource with a parameter that is no config."""

    code = "resource_takes_data"

    def __init__(self, resource: str, parameter: str, place: object) -> None:
        super().__init__(
            f"The parameter {parameter!r} of the resource {resource!r} is no config.",
            {"defined in": place},
            "Annotate it with a subclass of Config, or give it a default.",
        )


class SourceNeedsOne(DefinitionError):
    """A source with no place to read from, or with two."""

    code = "source_needs_one"

    def __init__(self, source: str, given: str, place: object) -> None:
        super().__init__(
            f"The source {source!r} needs either path= or observe=.",
            {"given": given, "defined in": place},
            "Give the path of its files, or a function that tells its version.",
        )


class UnknownFormat(DefinitionError):
    """A path that does not say how its files are read."""

    code = "unknown_format"

    def __init__(self, source: str, path: str, place: object) -> None:
        super().__init__(
            f"The path of the source {source!r} does not say the format of its files.",
            {"path": path, "defined in": place},
            'Add format="csv", "json" or "parquet".',
        )


class ObserveTakesParameters(DefinitionError):
    """An observe function that cannot be called without arguments."""

    code = "observe_takes_parameters"

    def __init__(self, source: str, function: str, place: object) -> None:
        super().__init__(
            f"{function!r}, which observes the source {source!r}, cannot be called by itself.",
            {"defined in": place},
            "Give a function without parameters that returns what the version is.",
        )


class NotReportable(StepError):
    """A value given to `context.report` that JSON cannot hold."""

    code = "not_reportable"

    def __init__(self, name: str, kind: str) -> None:
        super().__init__(
            f"The metadata {name!r} cannot be kept.",
            {"given": f"a value of the class {kind}"},
            "Report numbers, texts, dates, and lists and tables of them.",
        )


class OutsideScratch(StepError):
    """A path asked of the context that would not lie in the scratch folder of the step."""

    code = "outside_scratch"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name!r} is not the name of a file in the folder of the step.",
            hint="Give a relative path without '..'.",
        )


class NoProject(ProjectError):
    """No folder from here upwards has settings."""

    code = "no_project"

    def __init__(self, start: object) -> None:
        super().__init__(
            "No project was found here.",
            {"looked in": f"{start} and the folders above it", "looked for": SETTINGS_FILES},
            "Make one with `assetflow init`, or name its folder with --project.",
        )


SETTINGS_FILES = "assetflow.toml, or pyproject.toml with [tool.assetflow]"


class NoSettings(ProjectError):
    """The folder that was named as the project has no settings."""

    code = "no_settings"

    def __init__(self, root: object, named_by: str) -> None:
        super().__init__(
            "The folder of the project has no settings.",
            {"folder": root, "named by": named_by, "looked for": SETTINGS_FILES},
            "Name the folder that holds them, or make a project with `assetflow init`.",
        )


class TwoSettings(ProjectError):
    """Two files of one project hold its settings."""

    code = "two_settings"

    def __init__(self, root: object) -> None:
        super().__init__(
            "The project has its settings in two files.",
            {"folder": root, "files": "assetflow.toml, pyproject.toml"},
            "Keep one: move everything below [tool.assetflow], or remove that table.",
        )


class MalformedToml(DefinitionError):
    """Settings or a header that are no TOML."""

    code = "malformed_toml"

    def __init__(self, what: str, why: str, place: object) -> None:
        super().__init__(
            f"{what} cannot be read as TOML.",
            {"problem": why, "at": place},
            'Write each key as `name = "value"`, on a line of its own.',
        )


class NotUtf8(DefinitionError):
    """A file of the project that is no UTF-8 text."""

    code = "not_utf8"

    def __init__(self, byte: int, place: object) -> None:
        super().__init__(
            "A file of the project is not UTF-8 text.",
            {"found": f"the byte 0x{byte:02x}", "at": place},
            "Save the file as UTF-8.",
        )


class UnreadableFile(DefinitionError):
    """A file of the project that the operating system does not let us read."""

    code = "unreadable_file"

    def __init__(self, path: object, why: str) -> None:
        super().__init__(
            "A file of the project cannot be read.",
            {"file": path, "problem": why},
            "Make it readable, or move it out of the package.",
        )


class NoPackage(ProjectError):
    """The settings name a package that is not there."""

    code = "no_package"

    def __init__(self, package: str, looked: Iterable[object], nearby: Iterable[str]) -> None:
        super().__init__(
            f"The project has no package {package!r}.",
            {"looked for": " and ".join(map(str, looked))},
            did_you_mean(package, nearby, "Create the folder, or correct `package` in settings."),
        )


class ModuleFailed(DefinitionError):
    """A module of the project that raises when it is imported."""

    code = "module_failed"

    def __init__(self, module: str, problem: str, places: Iterable[str], missing: str = "") -> None:
        hints = {
            "(unicode error) 'utf-8'": "Save the file as UTF-8.",
            "PermissionError": "Make the file readable, or move it out of the package.",
        }
        hint = next((hint for said, hint in hints.items() if said in problem), "Correct the code.")
        super().__init__(
            f"The module {module!r} cannot be imported.",
            {"problem": problem, "at": " -> ".join(places)},
            f"Install {missing!r}, or correct the import." if missing else hint,
        )


class HeaderNotClosed(DefinitionError):
    """A SQL file whose header has no last line."""

    code = "header_not_closed"

    def __init__(self, place: object) -> None:
        super().__init__(
            "The header of a SQL file has no end.",
            {"begins at": place},
            "End it with a line that is `*/` alone.",
        )


class HeaderNotAlone(DefinitionError):
    """A SQL file with keys on the first line of its header."""

    code = "header_not_alone"

    def __init__(self, place: object) -> None:
        super().__init__(
            "The header of a SQL file has keys on its first line.",
            {"begins at": place},
            "Write `/* assetflow` on a line, each key below it, and `*/` alone on the last line.",
        )


class HeaderNotFirst(DefinitionError):
    """A SQL file with a header that is not at its top."""

    code = "header_not_first"

    def __init__(self, place: object) -> None:
        super().__init__(
            "The header of a SQL file does not stand at its top.",
            {"begins at": place},
            "Move it before everything else in the file; a file has one header.",
        )


class EmptyQuery(DefinitionError):
    """A SQL file without a query."""

    code = "empty_query"

    def __init__(self, asset: str, place: object) -> None:
        super().__init__(
            f"The asset {asset!r} has no query.",
            {"defined in": place},
            "Write a select statement, or remove the file.",
        )


class NotAMacro(DefinitionError):
    """A statement in the folder of macros that makes no macro."""

    code = "not_a_macro"

    def __init__(self, given: str, place: object) -> None:
        super().__init__(
            "A statement among the macros does not create a macro.",
            {"given": shortened(given)[1:-1], "at": place},
            "Write `create macro name(parameters) as expression;`, or move the query out.",
        )


class DuplicateName(DefinitionError):
    """Two declarations with one name."""

    code = "duplicate_name"

    def __init__(self, names: tuple[str, str], first: str, second: str) -> None:
        same = names[0] == names[1]
        shown = repr(names[0]) if same else f"{names[0]!r} and {names[1]!r}"
        super().__init__(
            f"Two declarations are named {shown}.",
            {"first": first, "second": second},
            "Rename one of them." if same else "Rename one of them: case makes no difference.",
        )


class UnknownPool(DefinitionError):
    """An asset in a pool that the settings do not know."""

    code = "unknown_pool"

    def __init__(self, pool: str, asset: str, known: Iterable[str], place: object) -> None:
        super().__init__(
            f"No pool is named {pool!r}.",
            {"needed by": asset, "defined in": place},
            did_you_mean(pool, known, f"Add its limit to the settings: pools = {{ {pool} = 4 }}."),
        )


class UnknownSourceOverride(DefinitionError):
    """An environment that gives another path to a source that is not there, or has none."""

    code = "unknown_source_override"

    def __init__(
        self, source: str, environment: str, known: Iterable[str], *, has_no_path: bool
    ) -> None:
        what = "is observed by a function, so it has no path" if has_no_path else "is no source"
        super().__init__(
            f"{source!r} {what}.",
            {"given a path by": f"the environment {environment!r} in the settings"},
            did_you_mean(source, known, f"Remove {source!r} from the environment's sources."),
        )


class TwoConfigSections(DefinitionError):
    """A config whose values stand under both of its names."""

    code = "two_config_sections"

    def __init__(self, names: Iterable[str], place: object) -> None:
        super().__init__(
            f"The settings hold one config under two names: {' and '.join(names)}.",
            {"defined in": place},
            "Keep one of the two tables.",
        )


class UnknownConfigSection(DefinitionError):
    """Values in the settings for a config that nothing takes."""

    code = "unknown_config_section"

    def __init__(self, section: str, known: Iterable[str], place: object) -> None:
        super().__init__(
            f"No asset or resource takes a config named {section!r}.",
            {"defined in": place},
            did_you_mean(section, known, f"Remove the table {section!r}."),
        )


class SecretWrittenOut(DefinitionError):
    """A secret that stands in the settings itself."""

    code = "secret_written_out"

    def __init__(self, key: str, of: str, place: object) -> None:
        variable = key.upper()
        super().__init__(
            f"The secret {key!r} of {of} is written out in the settings.",
            {"defined in": place},
            f'Refer to it instead: {key} = {{ env = "{variable}" }} or {{ file = "path" }}.',
        )


class SecretNotFound(DefinitionError):
    """A secret whose environment variable or file is not there."""

    code = "secret_not_found"

    def __init__(self, key: str, of: str, looked_in: str) -> None:
        super().__init__(
            f"The secret {key!r} of {of} was not found.",
            {"looked in": looked_in},
            "Set it there, or correct the reference in the settings.",
        )


def _pointing(place: str, text: str, offset: int) -> dict[str, object]:
    """Return the facts that show where in a line of SQL something is; `offset` -1 for unknown."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    if offset > 60:  # noqa: PLR2004 - a caret further right would leave the terminal
        line, offset = "..." + line[offset - 40 :], 43
    shown = line if len(line) <= 100 else f"{line[:97]}..."  # noqa: PLR2004 - a readable width
    if offset < 0:
        return {"at": place}
    return {"at": place, "text": shown, "here": " " * offset + "^"}


class SqlDoesNotParse(DefinitionError):
    """A query whose syntax is not understood; `offset` is that in the line `text`."""

    code = "sql_does_not_parse"

    def __init__(self, place: str, says: str, text: str, offset: int) -> None:
        super().__init__(
            "The query does not parse.",
            {**_pointing(place, text, offset), "says": says},
            "Correct the SQL at the caret, or just before it.",
        )


class UnknownDialect(DefinitionError):
    """A SQL dialect that cannot be read."""

    code = "unknown_dialect"

    def __init__(self, place: str, dialect: str, dialects: Iterable[str]) -> None:
        known = sorted(dialects)
        super().__init__(
            f"There is no SQL dialect named {dialect!r}.",
            {"at": place},
            did_you_mean(dialect, known, f"Use one of {', '.join(known)}."),
        )


class NotOneQuery(DefinitionError):
    """A SQL asset that is no query, or several statements."""

    code = "not_one_query"

    def __init__(self, place: str, found: str) -> None:
        super().__init__(
            "A SQL asset is one query.",
            {"at": place, "found": found},
            "Write one SELECT, FROM, VALUES, WITH or PIVOT; what it returns is the asset.",
        )


class HiddenInput(DefinitionError):
    """A call that reads what cannot be seen in the query's text."""

    code = "hidden_input"

    def __init__(self, place: str, call: str, text: str, offset: int, instead: str) -> None:
        super().__init__(
            f"'{call}' reads something that the query does not name.",
            _pointing(place, text, offset),
            instead,
        )


class UnplacedReference(DefinitionError):
    """A table reference whose position in the text is not sure."""

    code = "unplaced_reference"

    def __init__(self, place: str, name: str) -> None:
        super().__init__(
            f"The reference to {name!r} cannot be found in the text of the query.",
            {"at": place},
            "Write it as a plain table name in FROM or JOIN, with an alias.",
        )


class MissingColumn(DefinitionError):
    """A column that a query names and none of its inputs has."""

    code = "missing_column"

    def __init__(
        self,
        place: str,
        column: str,
        owner: str,
        columns: Iterable[str],
        text: str = "",
        offset: int = -1,
    ) -> None:
        known = list(columns)
        shown = ", ".join(known[:8]) + (f" and {len(known) - 8} more" if len(known) > 8 else "")  # noqa: PLR2004 - what fits on a line
        facts = _pointing(place, text, offset)
        if owner:
            facts["read from"] = owner
        if known:
            facts["has"] = shown
        where = f"{owner!r} has no column" if owner else "No input of the query has a column"
        super().__init__(
            f"{where} named {column!r}.",
            facts,
            did_you_mean(column, known, "Name a column that is there, or add it upstream."),
        )
        self.column, self.owner = column, owner


class QueryDoesNotBind(DefinitionError):
    """A query that DuckDB parses but cannot make sense of with these inputs."""

    code = "query_does_not_bind"

    def __init__(self, place: str, says: str, text: str = "", offset: int = -1) -> None:
        super().__init__(
            "The query does not fit its inputs.",
            {**_pointing(place, text, offset), "says": says},
            "Correct the query, or the input that it does not fit.",
        )


class DuplicateColumn(DefinitionError):
    """Two output columns whose names differ at most in case."""

    code = "duplicate_column"

    def __init__(self, place: str, column: str, positions: Iterable[int]) -> None:
        super().__init__(
            f"The query has several output columns named {column!r}.",
            {"at": place, "positions": ", ".join(map(str, positions))},
            "Give each a name of its own with AS, or leave one out with EXCLUDE.",
        )


class UnnamedColumn(DefinitionError):
    """An output column whose name would be the text of a subquery over an input."""

    code = "unnamed_column"

    def __init__(self, place: str, position: int, inputs: Iterable[str]) -> None:
        super().__init__(
            f"Output column {position} of the query has no name of its own.",
            {"at": place, "reads": ", ".join(inputs)},
            "Write AS and a name behind it.",
        )


class TypeNotStored(DefinitionError):
    """An output column of a type that Parquet cannot hold."""

    code = "type_not_stored"

    def __init__(self, column: str, type_: str, place: str = "") -> None:
        super().__init__(
            f"The column {column!r} is of a type that cannot be stored.",
            {"type": type_} | ({"at": place} if place else {}),
            "Cast it to another type in the query, for example to VARCHAR.",
        )


class BadMacro(DefinitionError):
    """A macro that cannot be created."""

    code = "bad_macro"

    def __init__(self, name: str, says: str, place: str = "") -> None:
        self.name, self.says = name, says
        super().__init__(
            f"The macro {name!r} cannot be created.",
            ({"defined in": place} if place else {}) | {"says": says},
            "Write one CREATE MACRO that uses only its parameters.",
        )


class UnknownVariable(DefinitionError):
    """A query uses a variable that the settings do not give."""

    code = "unknown_variable"

    def __init__(self, name: str, asset: str, place: str, names: Iterable[str]) -> None:
        super().__init__(
            f"No variable is named '{name}'.",
            {"used by": asset, "defined in": place},
            did_you_mean(name, names, f"Give it in the settings: variables = {{ {name} = … }}."),
        )


class BrokenExtra(DefinitionError):
    """A file or package that an asset declares as part of its code cannot be found."""

    code = "broken_extra"

    def __init__(self, kind: str, value: str, asset: str, place: str) -> None:
        super().__init__(
            f"The {kind} '{value}' that '{asset}' names cannot be found.",
            {"defined in": place},
            f"Correct the name, or take it out of `{kind}s`.",
        )


class OutsideDataFolder(StateError):
    """A recorded path would leave the data folder."""

    code = "outside_data_folder"

    def __init__(self, path: str, data: str) -> None:
        super().__init__(
            f"{path!r} is no path of a version.",
            {"data folder": data},
            "Run `assetflow audit` to see whether the metadata store was changed by hand.",
        )


class MissingReadSetColumn(StepError):
    """An input has no longer a column that an asset reads."""

    code = "missing_read_set_column"

    def __init__(self, columns: Iterable[str], available: Iterable[str]) -> None:
        self.columns = tuple(columns)
        known = list(available)
        names = ", ".join(map(repr, self.columns))
        super().__init__(
            f"The input has no column {names}.",
            {"columns": ", ".join(known)},
            did_you_mean(self.columns[0], known, "Change the query, or the input."),
        )


class VersionMissing(StateError):
    """A stored version is gone, or is not what was written."""

    code = "version_missing"

    def __init__(self, path: str, recorded: int, found: int | None) -> None:
        super().__init__(
            "A stored version is gone." if found is None else "A stored version was changed.",
            {
                "path": path,
                "recorded": f"{recorded:,} bytes",
                "found": "nothing" if found is None else f"{found:,} bytes",
            },
            "Run `assetflow materialize` to make it again.",
        )


class ReservedColumn(StepError):
    """A column has the name under which packed files keep their partitions."""

    code = "reserved_column"

    def __init__(self, column: str) -> None:
        super().__init__(
            f"A column is named {column!r}, which is the name of a column of assetflow's own.",
            {},
            "Give the column another name.",
        )


class RowsOutsidePartition(StepError):
    """Rows belong to none of the partitions that were to be made.

    `examples` are (partition key of a row, the row as text).
    """

    code = "rows_outside_partition"

    def __init__(
        self, keys: Sequence[str], count: int, rows: int, examples: Iterable[tuple[str | None, str]]
    ) -> None:
        self.count = count
        partition = repr(keys[0]) if len(keys) == 1 else f"one of {len(keys):,} partitions"
        verb = "row lies" if count == 1 else "rows lie"
        shown = {
            f"row {number}": f"{'no partition' if key is None else key}: {row}"
            for number, (key, row) in enumerate(examples, start=1)
        }
        made = keys[0] if len(keys) == 1 else f"{keys[0]}..{keys[-1]}"
        super().__init__(
            f"{count:,} {verb} outside {partition}.",
            {"made": made, "rows": f"{rows:,} in all", **shown},
            "Filter the rows by the partition, or correct `partition_by`.",
        )


class UnfitPartitionColumn(StepError):
    """A column cannot say to which time partition a row belongs."""

    code = "unfit_partition_column"

    def __init__(self, column: str, type_: str, why: str) -> None:
        super().__init__(
            f"{column} cannot say to which partition a row belongs.",
            {"type": type_, "why": why},
            "Name a DATE or TIMESTAMP column, or a text with the partition key, in `partition_by`.",
        )


class KeyColumnTaken(DefinitionError):
    """An asset stores a column of the name under which readers are to see partition keys."""

    code = "key_column_taken"

    def __init__(self, asset: str, column: str, place: object) -> None:
        super().__init__(
            f"{asset!r} has a column {column!r}, so partition keys cannot be seen under that name.",
            {"at": place},
            "Give `key_column` another name, or leave it out.",
        )


class DiskFull(StateError):
    """There is no room for a new version."""

    code = "disk_full"

    def __init__(self, path: str, free: int) -> None:
        super().__init__(
            "The disk is full; nothing that was published changed.",
            {"writing": path, "free now": f"{free:,} bytes"},
            "Make room, with `assetflow gc` for instance, and run the command again: "
            "what was completed is reused.",
        )


class NotWritable(StateError):
    """A folder of the state cannot be written to."""

    code = "not_writable"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"{path!r} cannot be written to.",
            {"reason": reason},
            "Give yourself the right to write there, or use another state folder.",
        )


RETURN_FORMS = (
    "pyarrow.Table, pyarrow.RecordBatchReader, an iterator of pyarrow.RecordBatch, "
    "duckdb.DuckDBPyRelation, pandas.DataFrame, polars.DataFrame, polars.LazyFrame, "
    "list[dict], pathlib.Path"
)


class AssetReturnedNothing(StepError):
    """A Python asset returned None."""

    code = "returned_nothing"

    def __init__(self) -> None:
        super().__init__(
            "The asset returned None.",
            {"forms": RETURN_FORMS},
            "Return its data in one of these forms; is a `return` missing?",
        )


class AssetReturnedWrongThing(StepError):
    """A Python asset returned what cannot be stored as a table or a file."""

    code = "returned_wrong_thing"

    def __init__(self, found: str, problem: str = "") -> None:
        facts = {"problem": problem} if problem else {"forms": RETURN_FORMS}
        super().__init__(
            f"The asset returned {found}, which cannot be stored.",
            facts,
            "Mend what it returns." if problem else "Return its data in one of these forms.",
        )


class CheckReturnedWrongThing(StepError):
    """A function that checks returned neither an answer nor rows."""

    code = "check_returned_wrong_thing"

    def __init__(self, check: str, value: object) -> None:
        super().__init__(
            f"The check '{check}' returned {shortened(value)}.",
            {"expected": "a bool, a CheckResult, or the failing rows", "forms": RETURN_FORMS},
            "Is a `return` missing?" if value is None else "Return one of these.",
        )


class EmptyWithoutColumns(StepError):
    """A Python asset returned no rows in a form that has no columns of its own."""

    code = "empty_without_columns"

    def __init__(self, found: str) -> None:
        super().__init__(
            f"The asset returned {found}, so its columns cannot be told.",
            {},
            'Declare them: `@asset(columns={"id": "BIGINT", …})`, or return a pyarrow.Table.',
        )


class ColumnsDiffer(StepError):
    """An asset's columns are not those that it declares."""

    code = "columns_differ"

    def __init__(self, differences: Iterable[tuple[str, str, str]]) -> None:
        listed = {
            name: f"declared {declared or 'not'}, returned {returned or 'not'}"
            for name, declared, returned in differences
        }
        super().__init__(
            f"The asset returned other columns than it declares: {len(listed)} differ.",
            listed,
            "Change what it returns, or `columns`.",
        )


class LibraryMissing(StepError):
    """An optional library is needed and not installed."""

    code = "library_missing"

    def __init__(self, library: str) -> None:
        super().__init__(
            f"{library} is not installed.",
            {"needed by": f"an asset that takes or returns data in a form of {library}"},
            f"Install it with `pip install assetflow[{library}]`.",
        )


class SourceProblem(StepError):
    """A source that cannot be observed as it is now; what does not read it goes on.

    `path` is the file, the pattern or the place of the function in question.
    """

    path: str = ""

    @property
    def sentence(self) -> str:
        """Return what is wrong on one line, the facts behind it."""
        facts = [
            str(value).rstrip(". ") if name == "reason" else f"{name}: {value}"
            for name, value in self.facts.items()
            if name != "source"
        ]
        said = f" ({'; '.join(facts[:3])})" if facts else ""
        return f"{self.headline.removesuffix('.')}{said}."

    @property
    def way_out(self) -> str:
        """Return what to do about it, on one line."""
        return self.hint


class SourceNotFound(SourceProblem):
    """No file matches the path of a source."""

    code = "source_not_found"

    def __init__(self, path: str, folder: str, nearby: Iterable[str]) -> None:
        self.path = path
        names = list(nearby)
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""  # noqa: PLR2004 - a line's worth
        otherwise = "Mend the path of the source, or bring its files."
        super().__init__(
            f"No file matches {path!r}.",
            {"nearest folder": folder, "it holds": (", ".join(names[:5]) + more) or "nothing"},
            did_you_mean(path.rsplit("/", 1)[-1], names, otherwise),
        )


class SourceUnreadable(SourceProblem):
    """A file of a source cannot be read."""

    code = "source_unreadable"

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        super().__init__(
            f"{path!r} cannot be read.",
            {"reason": reason},
            "Mend the file, or its rights, and run the command again.",
        )


class SourceDeparts(SourceProblem):
    """A file of a source has other columns than the source."""

    code = "source_departs"

    def __init__(self, path: str, differences: Mapping[str, str]) -> None:
        self.path = path
        super().__init__(
            f"{path!r} departs from the columns of its source.",
            differences,
            "Mend the file, or declare the columns of the source with `columns=`.",
        )


class UnusedFreshness(DefinitionError):
    """A policy in the settings for a group or a tag that nothing has."""

    code = "unused_freshness"

    def __init__(self, kind: str, name: str, known: Iterable[str], place: object) -> None:
        super().__init__(
            f"The settings have a freshness policy for the {kind} {name!r}, which nothing has.",
            {"defined in": place},
            did_you_mean(name, known, f"Remove it, or give an asset the {kind} {name!r}."),
        )


class TwoFreshnessPolicies(DefinitionError):
    """An asset with several tags for which the settings have different policies."""

    code = "two_freshness_policies"

    def __init__(self, name: str, tags: Iterable[str], place: object) -> None:
        super().__init__(
            f"The tags of {name!r} have different freshness policies in the settings.",
            {"tags": ", ".join(tags), "defined in": place},
            f"Say which holds: give {name!r} a policy of its own.",
        )


class NaiveEventTime(DefinitionError):
    """An event time without an offset from UTC, and nobody says by which clocks it is."""

    code = "naive_event_time"

    def __init__(self, name: str, column: str, value: object) -> None:
        super().__init__(
            f"The event time {column!r} of {name!r} does not say in which time zone it is.",
            {"newest": value},
            f'Add timezone="Europe/Berlin" or the like to {name!r}, or to the settings.',
        )


class UnfitEventTime(SourceProblem):
    """What is to be cut by an event time has no column that tells it."""

    code = "unfit_event_time"

    def __init__(
        self, name: str, column: str, why: str, columns: Iterable[str], place: object
    ) -> None:
        self.path = str(place)
        names = list(columns)
        super().__init__(
            f"The event time {column!r} cannot say to which time a row of {name!r} belongs.",
            {"why": why, "columns": ", ".join(names), "defined in": place},
            did_you_mean(
                column,
                [one for one in names if one != column],
                "Name a column of dates or times in `event_time`.",
            ),
        )


class UnknownReadOption(DefinitionError):
    """A source is to be read with an option that does not exist, or must not be set."""

    code = "unknown_read_option"

    def __init__(self, source: str, option: str, known: Iterable[str]) -> None:
        options = sorted(known)
        super().__init__(
            f"The source {source!r} cannot be read with the option {option!r}.",
            {"options": ", ".join(options)},
            did_you_mean(option, options, "Leave it out, or use one of these."),
        )


class UnknownCommand(UsageError):
    """A command that there is not."""

    code = "unknown_command"

    def __init__(self, name: str, group: str, names: Iterable[str]) -> None:
        super().__init__(
            f"No command is named '{name}'.",
            hint=did_you_mean(name, names, f"List the commands with `{group} --help`."),
        )


class UnknownOption(UsageError):
    """An option that a command does not have."""

    code = "unknown_option"

    def __init__(self, option: str, command: str, options: Iterable[str]) -> None:
        super().__init__(
            f"`{command}` has no option '{option}'.",
            hint=did_you_mean(option, options, f"See `{command} --help`."),
        )


class BadOptionValue(UsageError):
    """An option was given a value that it cannot have."""

    code = "bad_option_value"

    def __init__(self, option: str, value: str, expected: str, hint: str) -> None:
        super().__init__(
            f"'{option}' cannot have the value '{value}'.", {"expected": expected}, hint
        )


class FileNotWritable(UsageError):
    """A file that a command was asked to write cannot be written."""

    code = "file_not_writable"

    def __init__(self, option: str, path: object, why: str) -> None:
        super().__init__(
            "A file that was asked for cannot be written.",
            {option: path, "because": why},
            "Name a file in a folder that exists and may be written.",
        )


class MissingArgument(UsageError):
    """A command was not told what it is about."""

    code = "missing_argument"

    def __init__(self, name: str, meaning: str, command: str) -> None:
        super().__init__(f"`{command}` needs {name}.", {name: meaning}, f"See `{command} --help`.")


class OptionNeedsValue(UsageError):
    """An option that takes a value was given none, or one that takes none was given one."""

    code = "option_needs_value"

    def __init__(self, option: str, label: str, meaning: str, command: str) -> None:
        verb = "takes no value" if option == label else "needs a value"
        super().__init__(f"'{option}' {verb}.", {label: meaning}, f"See `{command} --help`.")


class NeedsOption(UsageError):
    """An option that says more of another, or one of others, none of which was given."""

    code = "needs_option"

    def __init__(self, option: str, other: str, *or_others: str) -> None:
        others = (other, *or_others)
        named = " or ".join(f"'{one}'" for one in others)
        super().__init__(
            f"'{option}' says more of {named}, which is not given.",
            {},
            f"Add {' or '.join(others)}.",
        )


class ExtraArguments(UsageError):
    """A command was given more than it takes."""

    code = "extra_arguments"

    def __init__(self, extra: Iterable[str], command: str) -> None:
        found = list(extra)
        super().__init__(
            f"`{command}` has no use for {', '.join(repr(text) for text in found)}.",
            hint=f"See what it takes with `{command} --help`.",
        )


class BadCommandLine(UsageError):
    """Arguments that a command cannot take."""

    code = "bad_command_line"

    def __init__(self, why: str, command: str) -> None:
        sentence = why if why.endswith((".", "?")) else f"{why}."
        super().__init__(sentence, hint=f"See `{command} --help`.")


class QueryOrAsset(UsageError):
    """The sql command was given neither a query nor an asset, or both."""

    code = "query_or_asset"

    def __init__(self, *, both: bool) -> None:
        super().__init__(
            "A query and an asset cannot both be shown." if both else "There is no query to run.",
            hint='Write `assetflow sql "select * from orders"` or `assetflow sql --asset orders`.',
        )


class BadMoment(UsageError):
    """A moment to go back to that cannot be read."""

    code = "bad_moment"

    def __init__(self, text: str) -> None:
        super().__init__(
            f"'{text}' is neither an instant nor the number of a publication.",
            hint="Write an instant such as 2026-01-05T13:00, or a number from "
            "`assetflow env history`.",
        )


class FilesInTheWay(UsageError):
    """A new project would overwrite files."""

    code = "files_in_the_way"

    def __init__(self, folder: object, files: Iterable[str]) -> None:
        found = tuple(files)
        shown = ", ".join(found[:4]) + (f" and {len(found) - 4} more" if len(found) > 4 else "")  # noqa: PLR2004 - a readable list
        super().__init__(
            "A project cannot be started here: its files would overwrite others.",
            {"folder": folder, "in the way": shown},
            "Choose an empty folder: `assetflow init NEW_FOLDER`.",
        )


class BadPackageName(UsageError):
    """A name for a new project that Python cannot import."""

    code = "bad_package_name"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"'{name}' cannot be the name of a Python package.",
            hint="Give one of letters, digits and underscores: `assetflow init --name shop`.",
        )


class NotRunning(UsageError):
    """A run that is to be stopped, but is not running."""

    code = "not_running"

    def __init__(self, run: str) -> None:
        super().__init__(
            f"No run '{run}' is running here.",
            hint="See the runs with `assetflow runs`.",
        )


class ObserveFailed(SourceProblem):
    """The function of a source that should tell its version failed."""

    code = "observe_failed"

    def __init__(self, source: str, place: str, trace: str) -> None:
        self.path = place
        super().__init__(
            f"The source '{source}' could not be observed: its function failed.",
            {"defined in": place},
            trace,
        )

    @property
    def sentence(self) -> str:
        """Return what its function raised, on one line."""
        raised = self.hint.rstrip().rpartition("\n")[2]
        return f"The function in {self.path} failed: {raised.rstrip('.')}."

    @property
    def way_out(self) -> str:
        """Return what to do about it; `hint` has the frames instead."""
        return "Mend the function, or what it asks."


class StepFailed(StepError):
    """A user's function, or query, raised."""

    code = "step_failed"

    def __init__(self, target: str, place: str, trace: str) -> None:
        super().__init__(f"'{target}' failed.", {"defined in": place}, trace)


class VersionRejected(StepError):
    """What a step made failed checks that block, so that readers do not see it.

    `failed` are (check, what it found). `is_served` says that an earlier version is.
    """

    code = "version_rejected"

    def __init__(
        self, asset: str, partition: str, failed: Iterable[tuple[str, str]], *, is_served: bool
    ) -> None:
        found = dict(failed)
        checks = f"{len(found)} blocking check{'' if len(found) == 1 else 's'}"
        served = "What was published before is still served" if is_served else "Nothing is served"
        where = f" --partition {partition}" if partition else ""
        super().__init__(
            f"'{named(asset, partition)}' was computed but not published: {checks} failed.",
            found,
            f"{served}. See the rows with `assetflow check {asset}{where} --rows`.",
        )


class StepTimedOut(StepError):
    """A step took longer than its asset allows."""

    code = "step_timed_out"

    def __init__(self, target: str, seconds: float, *, is_ended: bool = False) -> None:
        unit = "second" if seconds == 1 else "seconds"
        hint = 'Raise `timeout`; with isolation = "process" what runs on is ended too.'
        if is_ended:
            hint = "Raise `timeout`; the start of the process and its imports count too."
        super().__init__(
            f"'{target}' took longer than its timeout of {seconds:g} {unit}.", hint=hint
        )


class SourceMoved(StateError):
    """A source changed while it was read."""

    code = "source_moved"

    def __init__(self, source: str) -> None:
        super().__init__(
            f"The source '{source}' changed while it was read.",
            hint="Nothing was lost: materialize again when its files are complete.",
        )


class ValueCannotBeFingerprinted(DefinitionError):
    """A value that an asset's code reads, and whose changes could not be noticed."""

    code = "value_cannot_be_fingerprinted"

    def __init__(
        self, name: str, what: str, *, read_by: str, place: str, asset: str, asset_place: str
    ) -> None:
        self.name = name
        facts = {"value": what, "read by": f"{read_by}  {place}"}
        if read_by != asset:
            facts["for asset"] = f"{asset}  {asset_place}"
        super().__init__(
            f"{name!r} cannot be fingerprinted, so a change of it would not be noticed.",
            facts,
            f'Leave it out with `ignore=["{name}"]`, take it as a resource, or make it a constant.',
        )


class WrongOutputs(StepError):
    """A function of several outputs returned something else."""

    code = "wrong_outputs"

    def __init__(self, outputs: Iterable[str], value: object) -> None:
        names = tuple(outputs)
        super().__init__(
            f"The function should return {len(names)} outputs.",
            {"outputs": ", ".join(names), "returned": type(value).__name__},
            "Return a tuple in this order, or a dict with these names.",
        )


class NoPreview(UsageError):
    """A table that cannot be read or computed without running something."""

    code = "no_preview"

    def __init__(self, name: str, why: str, partition: str = "") -> None:
        super().__init__(
            f"'{named(name, partition)}' cannot be read now: {why}.",
            hint=f"Make it with `{making(name, partition)}`.",
        )


class UnknownTable(UsageError):
    """A query or command that names what is neither an asset nor a source."""

    code = "unknown_table"

    def __init__(self, name: str, names: Iterable[str]) -> None:
        super().__init__(
            f"No asset or source is named '{name}'.",
            hint=did_you_mean(name, names, "List what there is with `assetflow ls`."),
        )


class SourceNotChecked(UsageError):
    """A source, where an asset is wanted that can have checks."""

    code = "source_not_checked"

    def __init__(self, name: str, readers: Iterable[str]) -> None:
        found = tuple(readers)
        super().__init__(
            f"'{name}' is a source, which has no checks.",
            {"read by": _some(found)} if found else {},
            "Name an asset that is made from it.",
        )


class UnknownEnvironment(UsageError):
    """An environment that nobody created or declared."""

    code = "unknown_environment"

    def __init__(self, name: str, names: Iterable[str]) -> None:
        super().__init__(
            f"There is no environment '{name}'.",
            hint=did_you_mean(name, names, f"Create it with `assetflow env create {name}`."),
        )


class EnvironmentExists(UsageError):
    """An environment that is to be created, but is there."""

    code = "environment_exists"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The environment '{name}' is there already.",
            hint="Take another name."
            if name == "main"
            else f"Take another name, or delete it with `assetflow env delete {name}`.",
        )


class UnknownRun(UsageError):
    """A run that is not remembered."""

    code = "unknown_run"

    def __init__(self, run: str) -> None:
        super().__init__(
            f"No run '{run}' is remembered.", hint="See the runs with `assetflow runs`."
        )


class AmbiguousRun(UsageError):
    """The beginning of an id that several runs have."""

    code = "ambiguous_run"

    def __init__(self, text: str, runs: Sequence[tuple[str, datetime]]) -> None:
        shown = {run: f"started {at:%Y-%m-%d %H:%M:%S} UTC" for run, at in runs[:MOST_LISTED]}
        rest = len(runs) - len(shown)
        super().__init__(
            f"{len(runs):,} runs have an id that begins or ends with '{text}'.",
            {**shown, **({"and more": f"{rest:,}"} if rest else {})},
            "Write as much of the id as only one of them has.",
        )


class RetentionTooShort(UsageError):
    """Versions are to be removed that somebody may still be reading."""

    code = "retention_too_short"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            "Versions must be kept for an hour at least, for those who are reading them.",
            {"given": f"{seconds:g} seconds", "at least": "3600 seconds"},
            "Write `assetflow gc --retention 1h`, or more.",
        )


class EmptyProject(ProjectError):
    """A project that declares nothing."""

    code = "empty_project"

    def __init__(self, package: str, root: object) -> None:
        super().__init__(
            f"The package '{package}' declares no asset.",
            {"project": root},
            "Add a .sql file with a query, or a Python function with @asset.",
        )


class PublicationLost(StateError):
    """A publication by hand that came after another one."""

    code = "publication_lost"

    def __init__(self, environment: str, why: str) -> None:
        super().__init__(
            f"Nothing was published in '{environment}': {why}.",
            hint="Look with `assetflow status`, and try again.",
        )


class QueryFailed(UsageError):
    """A query typed by a user that DuckDB could not run."""

    code = "query_failed"

    def __init__(self, message: str) -> None:
        super().__init__("The query could not be run.", hint=message.strip())


class NothingAsOf(UsageError):
    """An asset of which nothing was published at the moment asked for."""

    code = "nothing_as_of"

    def __init__(self, asset: str, as_of: object, partition: str = "") -> None:
        when = "now" if as_of is None else f"as of {as_of}"
        super().__init__(
            f"Nothing is published of '{named(asset, partition)}' {when}.",
            hint=f"Make it with `{making(asset, partition)}`.",
        )


class NoEarlierState(UsageError):
    """A rollback where there is nothing to roll back to."""

    code = "no_earlier_state"

    def __init__(self, environment: str) -> None:
        super().__init__(
            f"The environment '{environment}' has no earlier state.",
            hint=f"List its publications with `assetflow env history {environment}`.",
        )


class NotOneFile(StepError):
    """An input asked for as a path that is several files, or none."""

    code = "not_one_file"

    def __init__(self, parameter: str) -> None:
        super().__init__(
            f"The input '{parameter}' is not one file, so it cannot be given as a Path.",
            hint="Take it as a table: annotate the parameter with pa.Table, for example.",
        )


class NoTable(StepError):
    """An input asked for as a table that is none."""

    code = "no_table"

    def __init__(self, parameter: str, form: str) -> None:
        super().__init__(
            f"The input '{parameter}' is no table, so it cannot be given as {form}.",
            hint="Take files that an asset made as pathlib.Path, an observed source as str.",
        )


class WorkerDied(StepError):
    """The process of a step ended without an answer."""

    code = "worker_died"

    def __init__(self, asset: str, code: int, last_line: str) -> None:
        ending = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        likely = "Its code, or a library, ended the process: look for what calls exit there."
        if code == -KILLED:
            likely = "It may have run out of memory; see the system's log."
        elif code < 0:
            likely = "A library that it uses may have crashed: run the function by itself."
        super().__init__(
            f"The process that made '{asset}' died ({ending}).",
            {"last line": last_line} if last_line else {},
            likely,
        )


class UnknownPublication(UsageError):
    """A rollback to a publication that has not been yet."""

    code = "unknown_publication"

    def __init__(self, environment: str, asked: int, last: int) -> None:
        super().__init__(
            f"The environment '{environment}' has no publication {asked}.",
            {"last": last},
            f"List its publications with `assetflow env history {environment}`.",
        )


class MainStays(UsageError):
    """The default environment is to be deleted."""

    code = "main_stays"

    def __init__(self) -> None:
        super().__init__(
            "The environment 'main' cannot be deleted.",
            hint="Return to an earlier state of it with `assetflow env rollback main`.",
        )


class WrongForm(DefinitionError):
    """An input that cannot come in the form in which an asset takes it."""

    code = "wrong_form"

    def __init__(self, upstream: str, asset: str, place: str, *, has_answer: bool) -> None:
        headline = (
            f"'{upstream}' is observed by a function, so that it has no rows to read."
            if has_answer
            else f"'{upstream}' is data, so that it cannot be taken as str."
        )
        hint = (
            "Take it in a Python asset, as a parameter annotated with str: its version."
            if has_answer
            else "Annotate the parameter with pa.Table, pl.DataFrame or another form of data."
        )
        super().__init__(headline, {"read by": asset, "defined in": place}, hint)


class SourceIsFolder(SourceProblem):
    """The path of a source is a folder, which has no rows."""

    code = "source_is_folder"

    def __init__(self, path: str, names: Iterable[str]) -> None:
        self.path = path
        inside = list(names)
        more = f" and {len(inside) - 5} more" if len(inside) > 5 else ""  # noqa: PLR2004 - a line's worth
        suffixes = {name.rpartition(".")[2] for name in inside}
        suffix = next((one for one in ("csv", "parquet", "json") if one in suffixes), "csv")
        super().__init__(
            f"{path!r} is a folder.",
            {"it holds": (", ".join(inside[:5]) + more) or "nothing"},
            f"Name its files with a pattern, such as '{path.rstrip('/')}/*.{suffix}'.",
        )


class NotARead(UsageError):
    """A statement that would change something, or several at once."""

    code = "not_a_read"

    def __init__(self, kinds: Iterable[str]) -> None:
        found = ", ".join(kind.lower() for kind in kinds) or "nothing"
        super().__init__(
            "Only one query that reads can be run here.",
            {"found": found},
            "Use `assetflow.connect()` in Python for anything else.",
        )


class NotATable(UsageError):
    """An asset that is files, where a table is wanted."""

    code = "not_a_table"

    def __init__(self, name: str, path: str) -> None:
        super().__init__(
            f"'{name}' is no table, so that no query can read it.",
            {"kept in": path},
            "Look at its files there.",
        )


class UnknownColumn(DefinitionError):
    """A function that says it reads a column which its input has not."""

    code = "unknown_column"

    def __init__(
        self, column: str, upstream: str, asset: str, place: str, columns: Iterable[str]
    ) -> None:
        names = tuple(columns)
        super().__init__(
            f"'{upstream}' has no column named '{column}'.",
            {"read by": asset, "defined in": place, "has": ", ".join(names)},
            did_you_mean(column, names, "Name a column that is there, or add it upstream."),
        )


class UnknownType(DefinitionError):
    """A column is declared with a type that DuckDB does not know."""

    code = "unknown_type"

    def __init__(self, column: str, type_: str, name: str, place: str) -> None:
        super().__init__(
            f"'{type_}' is no type of DuckDB.",
            {"column": column, "declared by": name, "defined in": place},
            did_you_mean(type_.upper(), COMMON_TYPES, "Write a type such as BIGINT or VARCHAR."),
        )


class DeclaredColumns(DefinitionError):
    """A query that gives other columns than its header declares."""

    code = "declared_columns"

    def __init__(self, asset: str, differing: Iterable[tuple[str, str, str]]) -> None:
        super().__init__(
            f"'{asset}' gives other columns than it declares.",
            {
                name: f"declared {declared or 'not'}, {'given ' + given if given else 'not given'}"
                for name, declared, given in differing
            },
            "Cast them in the query, or correct `columns`.",
        )


class UnknownPartition(UsageError):
    """A key that no partition of the definition has, or could have."""

    code = "unknown_partition"

    def __init__(self, key: str, partitions: str, known: Iterable[str]) -> None:
        keys = tuple(known)
        such = f"Its keys are like {', '.join(keys[-3:])}." if keys else "It has no key yet."
        super().__init__(
            f"{key!r} is no key of these partitions.",
            {"partitions": partitions},
            did_you_mean(key, keys, such),
        )


class NotPartitioned(UsageError):
    """A partition was asked for of what has none."""

    code = "not_partitioned"

    def __init__(self, name: str, key: str) -> None:
        super().__init__(
            f"'{name}' has no partitions, so none with the key '{key}'.",
            hint="Leave out the partition.",
        )


class NoPartitions(UsageError):
    """Partitions were asked for where nothing that is selected has some."""

    code = "no_partitions"

    def __init__(self, said: str, assets: Sequence[str]) -> None:
        super().__init__(
            f"'{said}' is about partitions, and nothing that is selected has some.",
            {"selected": _some(assets) or "nothing"},
            f"Leave out '{said}', or select an asset with partitions: `assetflow ls` shows them.",
        )


class NothingToRepair(UsageError):
    """No failed check that is selected can be mended by a run."""

    code = "nothing_to_repair"

    def __init__(self, checks: Mapping[str, str]) -> None:
        super().__init__(
            "No repair is left that a run could try."
            if checks
            else "There is nothing to repair: no check failed.",
            checks,
            "See why with `assetflow repair --dry-run`; what was tried in vain, and how to try "
            "it again, with `assetflow repair --list`."
            if checks
            else "Ask the checks of what is published with `assetflow check`.",
        )


class NoDeadLetter(UsageError):
    """Dead letters are to be retried or resolved where there are none."""

    code = "no_dead_letter"

    def __init__(self, said: str, selected: Sequence[str]) -> None:
        super().__init__(
            f"'{said}' is about dead letters, and there is no open dead letter that is selected.",
            {"selected": _some(selected) or "everything"},
            "See the dead letters with `assetflow repair --list`.",
        )


class NoSuchPartitions(UsageError):
    """A partition, or a range of them, that no selected asset has."""

    code = "no_such_partitions"

    def __init__(
        self, asked: str, there_are: Mapping[str, str], others: int, near: Sequence[str]
    ) -> None:
        more = {"...": f"and {others} more"} if others else {}
        other = "Ask for partitions that there are, or widen the definition."
        meant = " or ".join(repr(key) for key in near[:3])
        super().__init__(
            f"No selected asset has the partition {asked!r}.",
            {**there_are, **more},
            f"Did you mean {meant}?" if near else other,
        )


class ReversedRange(UsageError):
    """A range of partitions whose last comes before its first."""

    code = "reversed_range"

    def __init__(self, asked: str, turned: str) -> None:
        super().__init__(
            f"The partitions {asked!r} end before they begin.",
            hint=f"Turn them round: `--partition {turned}`.",
        )


class TwoChoices(UsageError):
    """Two options of which one rules out the other."""

    code = "two_choices"

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"'{one}' and '{other}' rule out each other.", hint="Keep one of them.")


class UnknownDynamicPartitions(UsageError):
    """A name under which no asset or source has dynamic partitions."""

    code = "unknown_dynamic_partitions"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        way = f'Declare them: partitions=dynamic("{name}").'
        if names:
            way = f"There are {_some(names)}."
        super().__init__(
            f"No dynamic partitions are declared as {name!r}.",
            hint=did_you_mean(name, names, way),
        )


class BadPartitionKey(UsageError):
    """A key that cannot be that of a partition."""

    code = "bad_partition_key"

    def __init__(self, key: str, expected: str) -> None:
        super().__init__(
            f"{shortened(key)} cannot be the key of a partition.",
            {"expected": expected},
            "Choose another key.",
        )


class UnknownDynamicKey(UsageError):
    """A key to remove that was never added, or is removed already."""

    code = "unknown_dynamic_key"

    def __init__(self, key: str, name: str, known: Iterable[str]) -> None:
        super().__init__(
            f"The partitions {name!r} have no key {key!r}.",
            hint=did_you_mean(key, known, f"See them with `assetflow partitions {name}`."),
        )


class UndeclaredPartitionsAdded(StepError):
    """An asset added keys under a name that no dynamic partitions have."""

    code = "undeclared_partitions_added"

    def __init__(self, asset: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        super().__init__(
            f"{asset!r} added partitions to {name!r}, which no asset declares.",
            {"declared": _some(names) or "none"},
            did_you_mean(name, names, f'Declare them: partitions=dynamic("{name}").'),
        )


class MappingNotInferred(DefinitionError):
    """An input of which nothing says which partitions a partition is made from."""

    code = "mapping_not_inferred"

    def __init__(
        self, asset: str, upstream: str, *, below: str, above: str, why: str, place: str
    ) -> None:
        super().__init__(
            f"Which partitions of {upstream!r} a partition of {asset!r} reads cannot be told: "
            f"{why}.",
            {asset: below, upstream: above, "defined in": place},
            f"Say it with mappings: trailing, offset, latest or all for {upstream!r}, "
            "or give both the same partitions.",
        )


class UnknownMappedInput(DefinitionError):
    """A mapping for an input that the asset does not read."""

    code = "unknown_mapped_input"

    def __init__(self, name: str, asset: str, inputs: Iterable[str], place: object) -> None:
        names = sorted(inputs)
        super().__init__(
            f"{asset!r} has no input {name!r}, for which it declares a mapping.",
            {"inputs": ", ".join(names) or "none", "defined in": place},
            did_you_mean(name, names, f"Remove {name!r} from the mappings."),
        )


class TwoMappings(DefinitionError):
    """An input with a mapping in its annotation and another in the decorator."""

    code = "two_mappings"

    def __init__(self, name: str, asset: str, place: object) -> None:
        super().__init__(
            f"The input {name!r} of {asset!r} has two mappings.",
            {"said by": "its annotation, and `mappings`", "defined in": place},
            "Keep one of them.",
        )


class BadMapping(DefinitionError):
    """A mapping in an annotation that says no partitions."""

    code = "bad_mapping"

    def __init__(self, name: str, asset: str, given: object, expected: str, place: object) -> None:
        super().__init__(
            f"The mapping of the input {name!r} of {asset!r} cannot work.",
            {"given": shortened(given), "expected": expected, "defined in": place},
            "Change it to what is expected.",
        )


class BadPathPattern(DefinitionError):
    """A path of a source that does not say to which partition a file belongs."""

    code = "bad_path_pattern"

    def __init__(self, source: str, path: str, why: str, hint: str, place: object) -> None:
        super().__init__(
            f"The path of the source {source!r} does not tell its partitions: {why}.",
            {"path": path, "defined in": place},
            hint,
        )


class SourceWithoutFiles(DefinitionError):
    """A source that is observed by a function, and says what only files can have."""

    code = "source_without_files"

    def __init__(self, source: str, key: str, place: object) -> None:
        super().__init__(
            f"The source {source!r} is observed by a function, so it cannot have {key!r}.",
            {"defined in": place},
            f"Remove {key!r}, or give the path of its files.",
        )


class UnknownCheckKind(DefinitionError):
    """A table of a header that names no kind of check, or several."""

    code = "unknown_check_kind"

    def __init__(
        self, said: str, of: str, given: Sequence[str], kinds: Iterable[str], place: object
    ) -> None:
        known = sorted(kinds)
        if given:
            headline = f"A check of {of} is of {len(given)} kinds at once: {', '.join(given)}."
            hint = "Write each of them in a table of its own."
        else:
            headline = f"No kind of check is named {said!r}."
            hint = did_you_mean(said, known, f"The kinds are {', '.join(known)}.")
        super().__init__(headline, {"checks of": of, "defined in": place}, hint)


class TwoChecksOfOneName(DefinitionError):
    """Two checks of an asset that could not be told apart."""

    code = "two_checks_of_one_name"

    def __init__(self, name: str, of: str, first: object, second: object) -> None:
        super().__init__(
            f"Two checks of {of} are named {name!r}.",
            {"first": first, "second": second},
            'Give one of them a name of its own, as in name = "each_day_once".',
        )


class CheckOfNoAsset(DefinitionError):
    """A function that checks something else than one asset."""

    code = "check_of_no_asset"

    def __init__(self, check: str, given: str, place: object, names: Sequence[str] = ()) -> None:
        example = f'@check("{names[0] if names else "orders"}")'
        super().__init__(
            f"The check '{check}' is not of one asset.",
            {
                "given": given,
                **({"makes": ", ".join(names)} if names else {}),
                "defined in": place,
            },
            f"Name the asset, as in {example}.",
        )


class UnknownCheckedAsset(DefinitionError):
    """A check of an asset that is not declared."""

    code = "unknown_checked_asset"

    def __init__(
        self, check: str, asset: str, place: object, assets: Iterable[str], *, is_source: bool
    ) -> None:
        self.name = asset
        super().__init__(
            f"'{asset}' is a source, and only assets are checked."
            if is_source
            else f"No asset is named '{asset}'.",
            {"checked by": check, "defined in": place},
            "Check an asset that reads it."
            if is_source
            else did_you_mean(asset, assets, "List what there is with `assetflow ls`."),
        )


class CheckOfWhichAsset(DefinitionError):
    """A query of failing rows that does not say which asset it checks.

    `unknown` are the tables that it reads, and nothing has.
    """

    code = "check_of_which_asset"

    def __init__(
        self, check: str, place: object, reads: Sequence[str], unknown: Iterable[str] = ()
    ) -> None:
        self.unknown = tuple(unknown)
        super().__init__(
            f"The check '{check}' does not say of which asset it is.",
            {"reads": ", ".join(reads) or "no asset", "defined in": place},
            "Begin the file with /* assetflow check, "
            f'a line asset = "{reads[0] if reads else "orders"}", and a line */.',
        )


class UnfitCheckQuery(DefinitionError):
    """SQL of a check that asks for what it is not given."""

    code = "unfit_check_query"

    def __init__(self, check: str, asset: str, does: str, place: object, hint: str) -> None:
        super().__init__(f"The check '{check}' of '{asset}' {does}.", {"defined in": place}, hint)


class CheckInCircle(DefinitionError):
    """A check that reads what is made from the asset that it is declared on."""

    code = "check_in_circle"

    def __init__(
        self, check: str, asset: str, reads: str, path: Iterable[str], place: object
    ) -> None:
        super().__init__(
            f"The check '{check}' of '{asset}' reads '{reads}', which is made from it.",
            {"path": " → ".join(path), "defined in": place},
            f"Declare it on '{reads}': only then is there something to compare.",
        )


class ChecksInCircle(DefinitionError):
    """Checks of assets that wait for one another."""

    code = "checks_in_circle"

    def __init__(self, waits: Iterable[tuple[str, str, str]]) -> None:
        rows = tuple(waits)
        width = max(len(does) for _, does, _ in rows)
        super().__init__(
            "These assets wait for one another's checks in a circle.",
            {name: f"{does:<{width}}  {place}" for name, does, place in rows},
            "Declare one of these checks on another asset of the circle.",
        )


class CheckHeaderElsewhere(DefinitionError):
    """A query of failing rows in a place where queries are assets."""

    code = "check_header_elsewhere"

    def __init__(self, place: object) -> None:
        super().__init__(
            "A check stands where SQL files are assets.",
            {"defined in": place},
            "Move the file to a folder named checks.",
        )


class BadPattern(DefinitionError):
    """A regular expression that DuckDB cannot read."""

    code = "bad_pattern"

    def __init__(self, pattern: str, why: str, check: str, asset: str, place: object) -> None:
        super().__init__(
            f"The check '{check}' of '{asset}' has a pattern that is no regular expression.",
            {"pattern": shortened(pattern), "because": why, "defined in": place},
            "Write it in the syntax of RE2, which has no look-around and no back-references.",
        )


class CheckMissesColumn(DefinitionError):
    """A check of a column that is not there."""

    code = "check_misses_column"

    def __init__(
        self, check: str, asset: str, column: str, of: str, columns: Iterable[str], place: object
    ) -> None:
        names = tuple(columns)
        super().__init__(
            f"'{of}' has no column named '{column}'.",
            {"checked by": f"{check} of {asset}", "defined in": place, "has": ", ".join(names)},
            did_you_mean(column, names, "Name a column that is there, or add it."),
        )


class CheckOfWrongType(DefinitionError):
    """A check of a column whose type it cannot be asked of."""

    code = "check_of_wrong_type"

    def __init__(
        self, check: str, asset: str, column: str, type_: str, needs: str, place: object
    ) -> None:
        super().__init__(
            f"The check '{check}' of '{asset}' cannot be asked of '{column}'.",
            {"type": type_, "it takes": needs, "defined in": place},
            "Check another column, or give this one another type.",
        )


class BadCondition(DefinitionError):
    """A condition of a check that is no SQL, or does not fit the columns of its asset."""

    code = "bad_condition"

    def __init__(self, check: str, asset: str, condition: str, why: str, place: object) -> None:
        super().__init__(
            f"The check '{check}' of '{asset}' has a condition that does not work.",
            {"condition": " ".join(condition.split()), "because": why, "defined in": place},
            "Write a condition on the columns of the asset, as after `where`.",
        )
