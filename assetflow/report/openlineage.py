"""Lineage as OpenLineage events: a JobEvent for each asset, a DatasetEvent for each source.

After the OpenLineage specification 2-0-2 and its facets: schema 1-1-1, columnLineage 1-2-0
(https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeAlias

from assetflow.graph.lineage import ColumnLink, Lineage, LineageAsset
from assetflow.model.columns import EdgeKind
from assetflow.model.names import AssetName
from assetflow.report.json_values import json_instant

Event: TypeAlias = "dict[str, object]"

PRODUCER = "https://pypi.org/project/assetflow"
SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/"
SCHEMA_FACET = "https://openlineage.io/spec/facets/1-1-1/SchemaDatasetFacet.json"
COLUMN_FACET = "https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json"
JOB_TYPE_FACET = "https://openlineage.io/spec/facets/2-0-3/JobTypeJobFacet.json"

TRANSFORMATIONS: Mapping[EdgeKind, tuple[str, str]] = {
    "identity": ("DIRECT", "IDENTITY"),
    "transformation": ("DIRECT", "TRANSFORMATION"),
    "aggregation": ("DIRECT", "AGGREGATION"),
    "join": ("INDIRECT", "JOIN"),
    "filter": ("INDIRECT", "FILTER"),
    "group": ("INDIRECT", "GROUP_BY"),
    "sort": ("INDIRECT", "SORT"),
    "window": ("INDIRECT", "WINDOW"),
    "conditional": ("INDIRECT", "CONDITIONAL"),
}
"""How OpenLineage calls each kind of edge: type and subtype."""


def openlineage_events(lineage: Lineage, namespace: str, at: datetime) -> list[Event]:
    """Return one static event for each asset and source; `at` is when they were looked at."""
    by_name = {asset.name: asset for asset in lineage.assets}
    upstreams: dict[AssetName, list[AssetName]] = {}
    for upstream, downstream in lineage.edges:
        upstreams.setdefault(downstream, []).append(upstream)
    links: dict[AssetName, list[ColumnLink]] = {}
    for link in lineage.column_links:
        links.setdefault(link.target.asset, []).append(link)
    events = []
    for asset in lineage.assets:
        output = _dataset(asset, namespace, links.get(asset.name, ()))
        if asset.kind == "source":
            events.append({**_event("DatasetEvent", at), "dataset": output})
        else:
            inputs = [
                _dataset(by_name[name], namespace)
                for name in upstreams.get(asset.name, ())
                if name in by_name
            ]
            job = _job(asset, namespace)
            events.append(
                {**_event("JobEvent", at), "job": job, "inputs": inputs, "outputs": [output]}
            )
    return events


def _event(kind: str, at: datetime) -> Event:
    return {"eventTime": json_instant(at), "producer": PRODUCER, "schemaURL": f"{SPEC}{kind}"}


def _job(asset: LineageAsset, namespace: str) -> Event:
    job_type = {
        **_facet(JOB_TYPE_FACET),
        "processingType": "BATCH",
        "integration": "ASSETFLOW",
        "jobType": asset.kind.upper(),
    }
    return {"namespace": namespace, "name": asset.name, "facets": {"jobType": job_type}}


def _dataset(asset: LineageAsset, namespace: str, links: Iterable[ColumnLink] = ()) -> Event:
    facets: Event = {}
    if asset.columns is not None:
        fields = [
            {"name": column.name, "type": column.type}
            | ({"description": column.description} if column.description else {})
            for column in asset.columns
        ]
        facets["schema"] = {**_facet(SCHEMA_FACET), "fields": fields}
    found = tuple(links)
    if found:
        facets["columnLineage"] = _column_lineage(found, namespace)
    return {"namespace": namespace, "name": asset.name, "facets": facets}


def _facet(url: str) -> Event:
    return {"_producer": PRODUCER, "_schemaURL": url}


def _column_lineage(links: Iterable[ColumnLink], namespace: str) -> Event:
    """Return the facet: `fields` for each output column, `dataset` for what decides rows."""
    fields: dict[str, list[ColumnLink]] = {}
    for link in links:
        fields.setdefault(link.target.column, []).append(link)
    whole = fields.pop("", [])
    facet = {
        **_facet(COLUMN_FACET),
        "fields": {
            name: {"inputFields": _input_fields(found, namespace)} for name, found in fields.items()
        },
    }
    return {**facet, "dataset": _input_fields(whole, namespace)} if whole else facet


def _input_fields(links: Iterable[ColumnLink], namespace: str) -> list[Event]:
    """Return each input column once, with every way in which it takes part."""
    kinds: dict[tuple[str, str], list[EdgeKind]] = {}
    for link in links:
        kinds.setdefault((link.source.asset, link.source.column), []).append(link.kind)
    return [
        {
            "namespace": namespace,
            "name": asset,
            "field": column,
            "transformations": [_transformation(kind) for kind in dict.fromkeys(found)],
        }
        for (asset, column), found in kinds.items()
    ]


def _transformation(kind: EdgeKind) -> Event:
    name, subtype = TRANSFORMATIONS[kind]
    return {"type": name, "subtype": subtype, "description": "", "masking": False}
