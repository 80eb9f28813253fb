"""What FROM gives: inputs, CTEs, functions, joins and pivots as relations."""

from collections.abc import Iterable, Sequence

from sqlglot import exp  # noqa: TID253 - loaded only when lineage is computed

from assetflow.model.names import folded
from assetflow.sql.expressions import Expressions
from assetflow.sql.flows import (
    NOTHING,
    Flow,
    Flows,
    Output,
    Relation,
    as_decider,
    as_read,
    as_value,
    union,
)
from assetflow.sql.scopes import Scope, Source, star
from assetflow.sql.syntax import names

_KNOWN_IN_TABLE = names("this alias db catalog joins pivots sample ordinality")
_KNOWN_IN_JOIN = names("this on using method side kind global_ hint")


class Tables(Expressions):
    """The third layer of the walk: what stands in FROM."""

    def _add(self, item: exp.Expr, scope: Scope) -> Flows:
        """Add one item of FROM, with the joins that hang on it; return what decides its rows."""
        inner = item.this
        is_group = isinstance(item, exp.Subquery) and isinstance(inner, exp.Table)
        if is_group and not item.args.get("alias") and not item.args.get("pivots"):
            rows = self._add(inner, scope)
        else:
            relation = self._source_relation(item, scope)
            rows = relation.rows
            scope.sources.append(self._source(item, relation))
        for join in item.args.get("joins") or ():
            rows |= self._join(join, scope)
        return rows

    def _source(self, item: exp.Expr, relation: Relation) -> Source:
        """Return `relation` under the name that its item in FROM gives it."""
        pivots = item.args.get("pivots") or ()
        aliases = [one for one in (item, *pivots) if one.args.get("alias")]
        if aliases:
            self._define(aliases[-1].args["alias"])
        alias = aliases[-1].alias if aliases else ""
        if isinstance(item, exp.Table) and isinstance(item.this, (exp.Identifier, exp.Dot)):
            parts = tuple(folded(part.name) for part in item.parts)
            return Source(folded(alias) or parts[-1], relation, () if alias else parts)
        if not alias and isinstance(item, exp.Unnest):
            return Source("unnest", relation)
        return Source(folded(alias), relation)

    def _source_relation(self, item: exp.Expr, scope: Scope) -> Relation:
        """Return what one item of FROM gives, without the joins that hang on it."""
        if isinstance(item, exp.Table):
            self._refuse_unknown(item.args, _KNOWN_IN_TABLE)
            relation = self._table(item, scope)
        elif isinstance(item, exp.Subquery) and isinstance(item.this, exp.Table):
            relation = self._joined(item, scope)
        elif isinstance(item, (exp.Query, exp.Pivot, exp.Values)):
            relation = self.relation(item, scope)
        elif isinstance(item, exp.Lateral) and isinstance(item.this, exp.Query):
            relation = self.relation(item.this, scope)
        else:
            relation = self._function(item, scope)
        relation = self._with_alias_columns(relation, item.args.get("alias"))
        return relation if isinstance(item, exp.Query) else self._with_pivots(relation, item, scope)

    def _table(self, table: exp.Expr, scope: Scope) -> Relation:
        """Return the relation of a named table: a CTE, an input, or what a function makes."""
        if not isinstance(table.this, (exp.Identifier, exp.Dot)):
            return self._function(table.this, scope)
        parts = table.parts  # type: ignore[attr-defined]  # it is an exp.Table
        for part in parts:
            self._meet(part)
        name = folded(".".join(part.name for part in parts))
        if len(parts) == 1 and name in scope.ctes:
            return scope.ctes[name]
        return self._input(name)

    def _input(self, name: str) -> Relation:
        if name not in self._schemas:
            self.opaque(f"{name} is no input")
            return Relation((Output(""),))
        spelled, schema = self._schemas[name]
        if schema is None:
            self.everything.add(name)
            self.reasons.append(f"the columns of {spelled} are not known")
            return Relation((Output(""),), base=name)
        outputs = (
            Output(folded(column.name), frozenset({Flow(name, column.name, "identity")}))
            for column in schema
        )
        return Relation(tuple(outputs), base=name)

    def _joined(self, item: exp.Expr, scope: Scope) -> Relation:
        """Return a join in parentheses that has a name of its own."""
        inner = scope.inner()
        rows = self._add(item.this, inner)
        relation = Relation(tuple(star(inner.sources, inner)), rows)
        return self._with_pivots(relation, item, scope)

    def _function(self, item: exp.Expr, scope: Scope) -> Relation:
        """Return what a table function gives: columns of any name, made of its arguments."""
        name = ", ".join(_texts_of_first_argument(item))
        if name and folded(name) in self._schemas:
            return self._input(folded(name))
        flows = as_value(self._arguments(item, scope), "transformation")
        return Relation((Output("", flows),), as_read(flows))

    def _arguments(self, item: exp.Expr, scope: Scope) -> Flows:
        """Return what a table function's arguments read; `name = value` names no column."""
        flows = NOTHING
        for child in item.iter_expressions():
            if isinstance(child, exp.TableAlias):
                continue
            named = isinstance(child, exp.EQ) and isinstance(child.this, exp.Column)
            if named and len(child.this.parts) == 1:
                self._meet(child.this.this)
                child = child.expression  # noqa: PLW2901 - only the value is read
            flows |= self.value(child, scope)
        return flows

    def _with_alias_columns(self, relation: Relation, alias: exp.Expr | None) -> Relation:
        names = (
            [folded(column.name) for column in (alias.args.get("columns") or ())] if alias else []
        )
        self._define(alias)
        return relation.renamed(names) if names else relation

    def _join(self, join: exp.Expr, scope: Scope) -> Flows:
        self._refuse_unknown(join.args, _KNOWN_IN_JOIN)
        before = len(scope.sources)
        rows = self._add(join.this, scope)
        left, right = scope.sources[:before], scope.sources[before:]
        method = str(join.args.get("method") or "").upper()
        names = [folded(column.name) for column in join.args.get("using") or ()]
        for column in join.args.get("using") or ():
            self._last_name(column)
        if method == "NATURAL":
            names = self._common_names(left, right)
        for name in names:
            rows |= self._merge(name, left, right, join, scope)
        if on := join.args.get("on"):
            rows |= as_decider(self.value(on, scope), "join")
        if str(join.args.get("kind") or "").upper() in {"SEMI", "ANTI"}:
            del scope.sources[before:]
        return rows

    def _common_names(self, left: Sequence[Source], right: Sequence[Source]) -> list[str]:
        relations = [source.relation for source in (*left, *right)]
        self.opaque("NATURAL JOIN reads the names of all columns", inputs_of(*relations))
        known = {output.name for source in left for output in source.relation.outputs}
        names = (output.name for source in right for output in source.relation.outputs)
        return [name for name in names if name and name in known]

    def _merge(
        self,
        name: str,
        left: Sequence[Source],
        right: Sequence[Source],
        join: exp.Expr,
        scope: Scope,
    ) -> Flows:
        """Merge the column `name` of both sides; return what the join reads by it."""
        merged = [scope.using[name]] if name in scope.using else []
        ours = union([*merged, *(flows for one in left for flows in one.relation.named(name))])
        theirs = union(flows for one in right for flows in one.relation.named(name))
        unsure = union(flows for one in (*left, *right) for flows in one.relation.unsure)
        side = str(join.args.get("side") or "").upper()
        values = {"RIGHT": theirs, "FULL": as_value(ours | theirs, "transformation")}
        scope.using[name] = values.get(side, ours) | as_read(ours | theirs)
        for source in right:
            source.merged |= {name}
        if str(join.args.get("kind") or "").upper() in {"SEMI", "ANTI"}:
            scope.using.pop(name)
        return as_decider(ours | theirs, "join") | as_read(unsure)

    def _with_pivots(self, relation: Relation, item: exp.Expr, scope: Scope) -> Relation:
        for pivot in item.args.get("pivots") or ():
            relation = self._pivoted(pivot, relation, scope)
            relation = self._with_alias_columns(relation, pivot.args.get("alias"))
        return relation

    def _pivoted(self, pivot: exp.Expr, source: Relation, scope: Scope) -> Relation:
        """Return what PIVOT or UNPIVOT makes of `source`."""
        inner = scope.inner()
        inner.sources = [Source("", source)]
        if source.base:
            self.opaque("a pivot reads all columns", [source.base])
        rows = source.rows | as_read(source.everything)
        turned = self._pivot_unpivot(pivot, inner)
        named = _turned_names(pivot)
        group = pivot.args.get("group")
        if group is not None:
            kept = {folded(column.name) for column in group.find_all(exp.Column)}
            outputs = [output for output in source.outputs if output.name in kept]
            rows |= as_decider(union(output.flows for output in outputs), "group")
        else:
            outputs = [output for output in source.outputs if output.name not in named]
        if pivot.find(exp.Columns, exp.Star) is not None and group is None:
            outputs = [Output("", union(output.flows for output in outputs))]
        return Relation((*outputs, Output("", turned)), rows)

    def _pivot_unpivot(self, pivot: exp.Expr, scope: Scope) -> Flows:
        """Return what the new columns are made of; the names of UNPIVOT's are new."""
        into = pivot.args.get("into")
        fields = pivot.args.get("fields") or ()
        using = pivot.args.get("using") or ()
        if pivot.args.get("unpivot"):
            new = [into, *(field.this for field in fields), *(pivot.expressions if fields else ())]
            self._meet_all(new)
            turned = [one for field in fields for one in field.expressions]
            return as_value(self._all(turned or pivot.expressions, scope), "transformation")
        group = pivot.args.get("group")
        self._all(group.expressions if group else (), scope)
        aggregated = [*(pivot.expressions if fields else ()), *using]
        flows = as_value(self._all(aggregated, scope), "aggregation")
        return flows | as_decider(self._all(fields or pivot.expressions, scope), "conditional")

    def _meet_all(self, nodes: Iterable[exp.Expr | None]) -> None:
        for node in nodes:
            for identifier in node.find_all(exp.Identifier) if node is not None else ():
                self._meet(identifier)

    def _listed(self, node: exp.Expr, scope: Scope) -> Relation:
        """Return what VALUES gives."""
        lines = [line.expressions for line in node.expressions if isinstance(line, exp.Tuple)]
        if len(lines) != len(node.expressions):
            return Relation((Output("", self._children(node, scope)),))
        columns = [union(self.value(item, scope) for item in column) for column in zip(*lines)]  # noqa: B905 - DuckDB wants equal lengths
        outputs = tuple(Output(f"col{index}", flows) for index, flows in enumerate(columns))
        return Relation(outputs, as_read(union(columns)))


def _turned_names(pivot: exp.Expr) -> set[str]:
    """Return the columns that a pivot turns or aggregates, which are none of its result."""
    parts = [
        part
        for key in ("expressions", "fields", "using")
        for part in pivot.args.get(key) or ()
        if isinstance(part, exp.Expr)
    ]
    return {folded(column.name) for part in parts for column in part.find_all(exp.Column)}


def _texts_of_first_argument(item: exp.Expr) -> list[str]:
    """Return the plain texts in the first argument of a table function: its paths, if any."""
    argument = item.this if isinstance(item.this, exp.Expr) else next(iter(item.expressions), None)
    if isinstance(argument, exp.Array):
        items = argument.expressions
    else:
        items = [argument] if argument is not None else []
    texts = [one.name for one in items if isinstance(one, exp.Literal) and one.is_string]
    return texts if len(texts) == len(items) else []


def inputs_of(*relations: Relation) -> set[str]:
    """Return the inputs that `relations` are made of."""
    flows = union(flows for one in relations for flows in (one.everything, one.rows))
    return {flow.input for flow in flows} | {one.base for one in relations if one.base}
