"""The exact command, or page, that makes a repository which a registry does not make by itself. Pure."""

from __future__ import annotations

from imagesync.behaviour.columns import Creation, Kind
from imagesync.behaviour.hosts import ECR_PUBLIC_HOSTS, ECR_PUBLIC_REGION, ecr_host

_GAR_HOST = "-docker.pkg.dev"


def creation_advice(kind: Kind, creation: Creation, host: str, path: str) -> str | None:
    """What to do where a repository is not there; None where its registry makes it with the first push."""
    match creation:
        case Creation.ECR:
            return f"{_ecr(host, path)}, or `create: {{}}` for {host} under `registries:`"
        case Creation.HARBOR:
            return f"{_harbor(host, path)}, or `create: {{}}` for {host} under `registries:`"
        case Creation.COMMAND:
            return _by_hand(kind, host, path)
    return None


def _by_hand(kind: Kind, host: str, path: str) -> str:
    if kind is Kind.GAR:
        return _gar(host, path)
    if kind is Kind.GITLAB:
        project = "/".join(path.split("/")[:2])
        site = "https://gitlab.com" if host == "registry.gitlab.com" else "your GitLab"
        return f"create the project {project} at {site}/projects/new, with its container registry switched on"
    return f"create the repository {path} at {host}: this registry does not do so with a push"


def _ecr(host: str, path: str) -> str:
    if host in ECR_PUBLIC_HOSTS:
        name = path.partition("/")[2] or path
        return f"run `aws ecr-public create-repository --repository-name {name} --region {ECR_PUBLIC_REGION}`"
    named = ecr_host(host)
    where = f" --registry-id {named.account} --region {named.region}" if named is not None else ""
    return f"run `aws ecr create-repository --repository-name {path}{where}`"


def _gar(host: str, path: str) -> str:
    """A project of a domain is two components of the path: `example.com/project` is `example.com:project`."""
    first, *others = path.split("/")
    project = f"{first}:{others.pop(0)}" if "." in first and others else first
    repository = others[0] if others else "REPOSITORY"
    location = host.removesuffix(_GAR_HOST)
    return (
        f"run `gcloud artifacts repositories create {repository} --repository-format=docker "
        f"--location={location} --project={project}`"
    )


def _harbor(host: str, path: str) -> str:
    project = path.partition("/")[0]
    return (
        f"create the project {project} at https://{host}/harbor/projects (`curl -u USER -H 'Content-Type: "
        f'application/json\' -d \'{{"project_name": "{project}"}}\' https://{host}/api/v2.0/projects`)'
    )
