"""What an expression reads: the flows into its value, and into what decides it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence

from sqlglot import exp  # noqa: TID253 - loaded only when lineage is computed

from assetflow.model.columns import Schema
from assetflow.model.names import folded
from assetflow.sql.flows import (
    NOTHING,
    Flows,
    Output,
    Relation,
    as_decider,
    as_value,
    union,
)
from assetflow.sql.naming import Naming
from assetflow.sql.scopes import Scope, star
from assetflow.sql.syntax import names

_AGGREGATES = names("""
    list listagg histogram_exact product favg fsum kahan_sum sumkahan sum_no_overflow
    entropy kurtosis kurtosis_pop sem mad skewness geomean geometric_mean wavg weighted_avg
    bitstring_agg arg_max_null arg_min_null arg_max_nulls_last arg_min_nulls_last approx_top_k
    reservoir_quantile json_group_array json_group_object json_group_structure
    variant_group_array arbitrary countif count_if count_star
""")
_MOVES = (exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.NthValue)


class Expressions(Naming, ABC):
    """The second layer of the walk: expressions."""

    def __init__(self, schemas: Mapping[str, tuple[str, Schema | None]]) -> None:
        super().__init__(schemas)
        self._values: dict[type[exp.Expr], Callable[[exp.Expr, Scope], Flows]] = {
            exp.Column: self._column,
            exp.Identifier: self._identifier,
            exp.Dot: self._dot,
            exp.Alias: self._alias,
            exp.Paren: lambda node, scope: self.value(node.this, scope),
            exp.Star: lambda node, scope: NOTHING,  # noqa: ARG005 - as in count(*)
            exp.Columns: self._columns,
            exp.Case: self._case,
            exp.If: self._if,
            exp.Filter: self._filter,
            exp.Window: self._window,
            exp.Order: self._inner_order,
            exp.Lambda: self._lambda,
            exp.Comprehension: self._comprehension,
            exp.PropertyEQ: lambda node, scope: self.value(node.expression, scope),
            exp.Kwarg: lambda node, scope: self.value(node.expression, scope),
            exp.DataType: lambda node, scope: NOTHING,  # noqa: ARG005 - names no column
            exp.PositionalColumn: self._positional,
            exp.Subquery: self._subquery,
            exp.Exists: self._exists,
        }

    @abstractmethod
    def relation(self, node: exp.Expr, outer: Scope) -> Relation:
        """Return what the query `node` gives, seen from inside `outer`."""

    def value(self, node: exp.Expr, scope: Scope) -> Flows:
        """Return the flows into the value of the expression `node`."""
        known = self._values.get(type(node))
        if known is not None:
            return known(node, scope)
        if isinstance(node, (exp.Query, exp.Values, exp.Pivot)):
            return self._subquery(node, scope)
        flows = self._children(node, scope)
        is_aggregate = isinstance(node, exp.AggFunc) or (
            isinstance(node, exp.Anonymous) and node.name.lower() in _AGGREGATES
        )
        return as_value(flows, "aggregation" if is_aggregate else "transformation")

    def _children(self, node: exp.Expr, scope: Scope) -> Flows:
        flows = NOTHING
        for value in node.args.values():
            if isinstance(value, exp.Expr):
                flows |= self.value(value, scope)
            elif isinstance(value, list):
                for child in value:
                    if isinstance(child, exp.Expr):
                        flows |= self.value(child, scope)
        return flows

    def _all(self, items: Iterable[exp.Expr], scope: Scope) -> Flows:
        return union(self.value(item, scope) for item in items)

    def _column(self, node: exp.Expr, scope: Scope) -> Flows:
        if isinstance(node.this, exp.Star):
            self._adjusted((), node.this, scope)
            return self._whole(scope, f"{node.name}.*")
        return self._name(self._parts(node), scope)

    def _identifier(self, node: exp.Expr, scope: Scope) -> Flows:
        self._meet(node)
        return self._name([folded(node.name)], scope)

    def _dot(self, node: exp.Expr, scope: Scope) -> Flows:
        """Return what a chain such as `a.b.c`, `a.b.f(x)` or `(…).a` reads."""
        chain = []
        base = node
        while isinstance(base, exp.Dot):
            chain.append(base.expression)
            base = base.this
        chain.reverse()
        parts = self._parts(base) if isinstance(base, exp.Column) else []
        if isinstance(base, exp.Identifier):
            self._meet(base)
            parts = [folded(base.name)]
        while parts and chain and isinstance(chain[0], exp.Identifier):
            identifier = chain.pop(0)
            self._meet(identifier)
            parts.append(folded(identifier.name))
        flows = self._name(parts, scope) if parts else self.value(base, scope)
        for link in chain:
            if isinstance(link, exp.Identifier):
                self._meet(link)
            else:
                flows |= self.value(link, scope)
        return as_value(flows, "transformation")

    def _alias(self, node: exp.Expr, scope: Scope) -> Flows:
        self._define(node.args.get("alias"))
        return self.value(node.this, scope)

    def _columns(self, node: exp.Expr, scope: Scope) -> Flows:
        for name in node.find_all(exp.Identifier):
            self._meet(name)
        return self._whole(scope, "COLUMNS(…)")

    def _positional(self, node: exp.Expr, scope: Scope) -> Flows:
        return self._whole(scope, f"#{node.name}")

    def _case(self, node: exp.Expr, scope: Scope) -> Flows:
        flows = union(self._if(one, scope) for one in node.args.get("ifs") or ())
        if node.this is not None:
            flows |= as_decider(self.value(node.this, scope), "conditional")
        if default := node.args.get("default"):
            flows |= as_value(self.value(default, scope), "transformation")
        return flows

    def _if(self, node: exp.Expr, scope: Scope) -> Flows:
        values = [node.args.get("true"), node.args.get("false")]
        flows = union(self.value(value, scope) for value in values if value is not None)
        condition = as_decider(self.value(node.this, scope), "conditional")
        return as_value(flows, "transformation") | condition

    def _filter(self, node: exp.Expr, scope: Scope) -> Flows:
        condition = self.value(node.expression.this, scope)
        return self.value(node.this, scope) | as_decider(condition, "conditional")

    def _window(self, node: exp.Expr, scope: Scope) -> Flows:
        function = node.this
        while isinstance(function, (exp.IgnoreNulls, exp.RespectNulls)):
            function = function.this
        if isinstance(function, _MOVES):
            values = as_value(self._children(function, scope), "transformation")
        else:
            values = self.value(node.this, scope)
        return values | as_decider(self._window_parts(node, scope), "window")

    def _window_parts(self, node: exp.Expr, scope: Scope) -> Flows:
        """Return what the partition, order, frame and base of a window read."""
        flows = NOTHING
        for key, value in node.args.items():
            if key == "alias" and value is not None:
                self._meet(value)
                flows |= scope.window(folded(value.name))
            elif key != "this":
                for part in value if isinstance(value, list) else [value]:
                    flows |= self.value(part, scope) if isinstance(part, exp.Expr) else NOTHING
        return flows

    def _inner_order(self, node: exp.Expr, scope: Scope) -> Flows:
        """Return what an aggregate with ORDER BY reads: its value, and its order."""
        flows = self.value(node.this, scope) if node.this is not None else NOTHING
        order = union(self.value(item, scope) for item in node.expressions)
        return flows | as_decider(order, "sort")

    def _lambda(self, node: exp.Expr, scope: Scope) -> Flows:
        names = []
        for parameter in node.expressions:
            self._meet(parameter)
            names.append(folded(parameter.name))
        return self.value(node.this, Scope(scope, scope.ctes, parameters=frozenset(names)))

    def _comprehension(self, node: exp.Expr, scope: Scope) -> Flows:
        names = []
        for key in ("expression", "position"):
            for parameter in node.args[key].find_all(exp.Identifier) if node.args.get(key) else ():
                self._meet(parameter)
                names.append(folded(parameter.name))
        inner = Scope(scope, scope.ctes, parameters=frozenset(names))
        parts = [node.this, node.args.get("condition")]
        flows = union(self.value(part, inner) for part in parts if part is not None)
        return as_value(flows | self.value(node.args["iterator"], scope), "transformation")

    def _subquery(self, node: exp.Expr, scope: Scope) -> Flows:
        relation = self.relation(node, scope)
        return as_value(relation.everything, "transformation") | relation.rows

    def _exists(self, node: exp.Expr, scope: Scope) -> Flows:
        """Return what EXISTS reads: which rows there are, not what is in them."""
        return as_decider(self.relation(node.this, scope).rows, "conditional")

    def _star(self, item: exp.Expr, scope: Scope) -> list[Output]:
        """Return what `*` or `t.*` gives, after EXCLUDE, REPLACE and RENAME."""
        marks = item if isinstance(item, exp.Star) else item.this
        if isinstance(item, exp.Star):
            outputs = star(scope.sources, scope)
        else:
            parts = self._parts(item)[:-1]
            level: Scope | None = scope
            sources = [source for source in scope.sources if source.alias == parts[-1]]
            while not sources and level is not None:
                sources = [source for source in level.sources if source.alias == parts[-1]]
                level = level.parent
            if not sources:
                return [Output("", as_value(self._name(parts, scope), "transformation"))]
            outputs = [output for source in sources for output in source.relation.outputs]
        return self._adjusted(outputs, marks, scope)

    def _adjusted(self, outputs: Sequence[Output], marks: exp.Expr, scope: Scope) -> list[Output]:
        excluded = {self._last_name(column) for column in marks.args.get("except_") or ()}
        replaced = {
            folded(alias.alias): self.value(alias, scope)
            for alias in marks.args.get("replace") or ()
        }
        renamed = {
            self._last_name(alias.this): folded(alias.alias)
            for alias in marks.args.get("rename") or ()
            if self._define(alias.args.get("alias"))
        }
        self._refuse_unknown(marks.args, frozenset({"except_", "replace", "rename"}))
        return [
            Output(
                renamed.get(output.name or "", output.name),
                replaced.get(output.name or "", output.flows),
            )
            for output in outputs
            if output.name is None or output.name not in excluded
        ]
