"""What is known of an asset as it is declared now, as far as deciding needs it."""

from dataclasses import dataclass

from assetflow.errors import AssetflowError
from assetflow.graph.mapping import WHOLE_TO_WHOLE, PartitionMapping
from assetflow.model.columns import ColumnEdge, ReadSet, Schema
from assetflow.model.names import AssetName, CodeVersion
from assetflow.planning.audits import CheckFacts, checks_key

SET_ASIDE = "set aside"
"""The form of an input that only decides which rows are set aside."""


@dataclass(frozen=True, slots=True)
class InputFacts:
    """One input: its name in the code, what it resolves to, and what is read of it.

    `mapping` says which partitions of it a partition of the asset reads. `columns` is the
    fingerprint of the columns that a function gets: of no partition, it still gets these.
    """

    name: str
    upstream: AssetName
    form: str
    read_set: ReadSet
    mapping: PartitionMapping = WHOLE_TO_WHOLE
    columns: str = ""


@dataclass(frozen=True, slots=True)
class AssetFacts:
    """What an asset's definition says, given the schemas of its inputs.

    `parts` are the named fingerprints that `code_version` is made of. `is_settled` is
    False while the schema of an upstream that was never made is not known; the facts
    are then computed again when it is. `is_expected` says that an older version's
    schema was taken for an upstream that will run. `schema` is as stored, `described` as a
    query gives it before types that are not stored are cast. `problem` is what is wrong with the
    definition, given these schemas. `notes` are what a plan says beside the asset.
    """

    asset: AssetName
    code_version: CodeVersion
    parts: tuple[tuple[str, str], ...] = ()
    inputs: tuple[InputFacts, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    schema: Schema | None = None
    described: Schema | None = None
    ordered: bool = False
    is_volatile: bool = False
    is_settled: bool = True
    is_expected: bool = False
    column_edges: tuple[ColumnEdge, ...] = ()
    notes: tuple[str, ...] = ()
    problem: AssetflowError | None = None
    checks: tuple[CheckFacts, ...] = ()
    filters: tuple[InputFacts, ...] = ()
    whole: tuple[CheckFacts, ...] = ()

    @property
    def reads(self) -> tuple[InputFacts, ...]:
        """Return all that the content of a version depends on."""
        return (*self.inputs, *self.filters)

    @property
    def checks_key(self) -> str:
        """Return the fingerprint of the checks, "" where there are none."""
        return checks_key(self.checks)
