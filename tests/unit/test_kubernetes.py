"""The manifests in examples/kubernetes hang together, and with the gateway. They are not run on a cluster here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ssbtek_gateway import config, gateway
from ssbtek_gateway.cli.serve import _STOP_RESERVE_SECONDS
from ssbtek_gateway.supervisor.__main__ import _KILL_SECONDS

FILE = Path(__file__).parents[2] / "examples" / "kubernetes" / "ssbtek-gateway.yaml"
SECRETS = "/etc/ssbtek-gateway-secrets/"


@pytest.fixture(scope="module")
def manifests() -> dict[str, Any]:
    """By kind."""
    return {one["kind"]: one for one in yaml.safe_load_all(FILE.read_text(encoding="utf-8"))}


@pytest.fixture(scope="module")
def pod(manifests: dict[str, Any]) -> Any:  # noqa: ANN401 - YAML
    return manifests["Deployment"]["spec"]["template"]["spec"]


@pytest.fixture(scope="module")
def container(pod: dict[str, Any]) -> Any:  # noqa: ANN401 - YAML
    (one,) = pod["containers"]
    return one


@pytest.fixture(scope="module")
def settings(manifests: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> config.Settings:
    path = tmp_path_factory.mktemp("kubernetes") / "gateway.toml"
    path.write_text(manifests["ConfigMap"]["data"]["gateway.toml"], encoding="utf-8")
    return config.load(path)


def test_everything_selects_the_pods_of_the_deployment(manifests: dict[str, Any]) -> None:
    assert manifests.keys() == {"Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy", "ConfigMap"}
    deployment = manifests["Deployment"]["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["selector"]["matchLabels"] == labels
    assert manifests["Service"]["spec"]["selector"] == labels
    assert manifests["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    assert manifests["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == labels
    assert manifests["PodDisruptionBudget"]["spec"]["minAvailable"] < deployment["replicas"]


def test_the_ports_are_those_of_the_configuration(
    manifests: dict[str, Any], container: dict[str, Any], settings: config.Settings
) -> None:
    assert settings.management is not None
    ports = {one["name"]: one["containerPort"] for one in container["ports"]}
    assert ports == {"soap": settings.listen.port, "management": settings.management.port}
    (service,) = manifests["Service"]["spec"]["ports"]
    assert (service["port"], service["targetPort"]) == (settings.listen.port, "soap")
    probes = {name: container[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert {name: (one["path"], one["port"]) for name, one in probes.items()} == {
        "startupProbe": ("/health/live", "management"),
        "livenessProbe": ("/health/live", "management"),
        "readinessProbe": ("/health/ready", "management"),
    }
    # Neither would be reached from outside the pod on loopback.
    assert (settings.listen.host, settings.management.host) == ("0.0.0.0", "0.0.0.0")  # noqa: S104 - that of a pod


def test_a_pod_has_the_time_that_a_stop_may_take(
    pod: dict[str, Any], container: dict[str, Any], settings: config.Settings
) -> None:
    waits = float(container["lifecycle"]["preStop"]["exec"]["command"][1])
    stop = gateway.drain_seconds(settings.limits) + _STOP_RESERVE_SECONDS + _KILL_SECONDS
    assert pod["terminationGracePeriodSeconds"] >= waits + stop


def test_every_file_that_is_named_is_mounted(container: dict[str, Any], manifests: dict[str, Any]) -> None:
    mounts = {one["mountPath"]: one for one in container["volumeMounts"]}
    text = manifests["ConfigMap"]["data"]["gateway.toml"]
    named = re.findall(r"/etc/[\w.-]+/[\w.-]+", text)
    assert {str(Path(one).parent) for one in named} == mounts.keys() - {"/tmp"}  # noqa: S108 - the supervisor's folder
    told = FILE.read_text(encoding="utf-8").rpartition("# The Secret")[2]
    created = set(re.findall(r"--from-file=([\w.-]+)", told))
    assert {one.removeprefix(SECRETS) for one in named if one.startswith(SECRETS)} == created
    assert container["command"][-1] == "/etc/ssbtek-gateway/gateway.toml"


def test_the_pod_may_do_nothing_that_it_does_not_need(pod: dict[str, Any], container: dict[str, Any]) -> None:
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    # Not YAML's decimal 440.
    (secret,) = (one["secret"] for one in pod["volumes"] if "secret" in one)
    assert secret["defaultMode"] == 0o440


def test_there_is_a_core_for_each_worker(container: dict[str, Any], settings: config.Settings) -> None:
    assert int(container["resources"]["requests"]["cpu"]) == settings.processes.workers
