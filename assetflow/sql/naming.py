"""What each word of a query names, and what is read where that is not known."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from sqlglot import exp  # noqa: TID253 - loaded only when lineage is computed
from sqlglot.tokenizer_core import Token, TokenType  # noqa: TID253 - as above

from assetflow.model.columns import Schema
from assetflow.model.names import folded
from assetflow.sql.flows import NOTHING, Flow, Flows, as_read, as_value, union
from assetflow.sql.scopes import Found, Scope
from assetflow.sql.syntax import WORDS, offset_of


class Naming:
    """The lowest layer of the walk: names. `schemas` are those of the inputs, by folded name.

    `everything` collects the inputs that are read whole, `reasons` why. Each word that the
    walk understands is met; `unmet` says what the others may read.
    """

    def __init__(self, schemas: Mapping[str, tuple[str, Schema | None]]) -> None:
        self._schemas = schemas
        self.everything: set[str] = set()
        self.reasons: list[str] = []
        self._seen: set[int] = set()
        self._aliases: set[str] = set()

    def opaque(self, reason: str, inputs: Iterable[str] | None = None) -> None:
        """Let `inputs`, or all of them, be read whole, because of `reason`."""
        self.everything |= self._schemas.keys() if inputs is None else set(inputs)
        self.reasons.append(reason)

    def _refuse_unknown(self, args: Mapping[str, object], known: frozenset[str]) -> None:
        for key, value in args.items():
            if value and key not in known:
                self.opaque(f"{key.strip('_').upper()} is not understood here")

    def _meet(self, identifier: exp.Expr) -> None:
        self._seen.add(offset_of(identifier))

    def _define(self, alias: exp.Expr | None) -> bool:
        """Note the names that an alias gives."""
        if alias is None:
            return False
        for identifier in (alias, *alias.find_all(exp.Identifier)):
            self._meet(identifier)
            self._aliases.add(folded(identifier.name))
        return True

    def _last_name(self, column: exp.Expr) -> str:
        for identifier in column.find_all(exp.Identifier):
            self._meet(identifier)
        return folded(column.name)

    def _parts(self, column: exp.Expr) -> list[str]:
        """Return the folded words of a column's dotted name."""
        parts = []
        for key in ("catalog", "db", "table", "this"):
            part = column.args.get(key)
            if part is not None:
                self._meet(part)
                parts.append(folded(part.name))
        return parts

    def _name(self, parts: Sequence[str], scope: Scope) -> Flows:
        """Return the flows of whatever `parts` may name here, nearest level first."""
        perhaps: list[Flows] = []
        is_unsure = False
        level: Scope | None = scope
        while level is not None:
            found = level.find(parts)
            if found.sure:
                flows = union(found.sure) | as_read(union(perhaps))
                return flows | self._further_out(parts, level) if found.is_alias else flows
            if found.table is not None:
                return self._whole_table(found, perhaps)
            perhaps += found.perhaps
            is_unsure = is_unsure or bool(found.perhaps)
            level = level.parent
        if not is_unsure:
            self.opaque(f"{'.'.join(parts)} is no column that is known here")
        return union(perhaps)

    def _further_out(self, parts: Sequence[str], scope: Scope) -> Flows:
        """Return what an alias's name means outside of its own query: that may win."""
        level = scope.parent
        while level is not None:
            found = level.find(parts)
            if found.sure:
                return as_read(union(found.sure))
            level = level.parent
        return NOTHING

    def _whole_table(self, found: Found, perhaps: Sequence[Flows]) -> Flows:
        assert found.table is not None
        relation = found.table.relation
        if relation.base:
            self.opaque(f"the table {found.table.alias} is used as a value", [relation.base])
        return as_value(union([relation.everything, *found.perhaps, *perhaps]), "transformation")

    def _whole(self, scope: Scope, what: str) -> Flows:
        """Return all columns of all tables in scope, which `what` reads."""
        relations = [source.relation for source in scope.sources]
        bases = [relation.base for relation in relations if relation.base]
        self.opaque(f"{what} may read any column", bases)
        return as_value(union(relation.everything for relation in relations), "transformation")

    def unmet(self, tokens: Sequence[Token]) -> Flows:
        """Return what words of the text may read that no part of the walk has met.

        sqlglot makes a plain word of `part` in `date_trunc(part, day)`, for one.
        """
        columns: dict[str, set[Flow]] = {}
        for name, (_, schema) in self._schemas.items():
            for column in schema or ():
                flow = Flow(name, column.name, "")
                columns.setdefault(folded(column.name), set()).add(flow)
        flows: set[Flow] = set()
        for before, token, after in _with_neighbours(tokens):
            if (
                token.start in self._seen
                or token.token_type not in WORDS
                or _is_call(before, after)
            ):
                continue
            word = folded(token.text)
            flows |= columns.get(word, set())
            if word not in columns and word in self._aliases:
                self.opaque(f"what {token.text} means here is not understood")
        return frozenset(flows)


def _with_neighbours(tokens: Sequence[Token]) -> Iterator[tuple[Token | None, Token, Token | None]]:
    padded: list[Token | None] = [None, *tokens, None]
    for (before, token), (_, after) in pairwise(pairwise(padded)):
        if token is not None:
            yield before, token, after


def _is_call(before: Token | None, after: Token | None) -> bool:
    """Whether a word is no name of a column: a function, a unit of time, a parameter."""
    if after is not None and after.token_type is TokenType.L_PAREN:
        return True
    if before is None:
        return False
    if before.token_type in {TokenType.PARAMETER, TokenType.DCOLON}:
        return True
    return before.token_type in {TokenType.NUMBER, TokenType.STRING} or (
        before.token_type is TokenType.L_PAREN
        and after is not None
        and after.token_type is TokenType.FROM
    )
