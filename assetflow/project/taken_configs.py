"""The configs that assets and resources of a project take, with their values."""

from collections.abc import Mapping

from assetflow.model.asset import Asset, PythonBody
from assetflow.model.config import Config
from assetflow.project.configs import load_config
from assetflow.project.loading import Declarations


def taken_configs(
    declared: Declarations, environ: Mapping[str, str], *, reads_secrets: bool
) -> dict[tuple[str, str], Config]:
    """Return each config by who takes it and as which parameter.

    Without `reads_secrets` only those of assets, whose secrets stay empty: enough for keys.
    With them, those of the resources that assets take too.
    """
    takers: list[tuple[str, Mapping[str, type]]] = [
        (asset.name, asset.body.configs)
        for asset in declared.assets
        if isinstance(asset.body, PythonBody)
    ]
    if reads_secrets:
        used = {name for one in declared.assets for name in _resources_of(one)}
        takers += [(one.name, one.configs) for one in declared.resources if one.name in used]
    return {
        (name, parameter): load_config(
            cls,
            declared.settings,
            declared.environment,
            environ,
            declared.root,
            reads_secrets=reads_secrets,
        )
        for name, configs in takers
        for parameter, cls in configs.items()
    }


def _resources_of(asset: Asset) -> tuple[str, ...]:
    return asset.body.resources if isinstance(asset.body, PythonBody) else ()
