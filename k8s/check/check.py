"""Checks built overlays: schemas, strictly, and whether what one resource says of another is so.

usage: check.py DEFINITIONS OUT

DEFINITIONS has the operators' resource definitions, OUT the built overlays as OVERLAY.yaml. For each overlay with settings it
writes OUT/OVERLAY/ROLE.yaml and ROLE.env: what a process of that role reads at its start.
"""

import pathlib
import re
import sys

import jsonschema
import kubernetes_validate
import yaml

# The oldest that knows what the manifests use, and the newest whose schemas there are.
VERSIONS = ["1.30", "1.37"]
# Made by operators or by whoever applies the overlay.
FOREIGN = {
    ("Secret", "sluice"),
    ("Secret", "sluice-kafka"),
    ("Secret", "kafka-cluster-ca-cert"),
}
WORKLOADS = ("Deployment", "StatefulSet")


def closed(schema):
    """A definition's schema that takes no key which it does not name, as `kubectl apply` warns of."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: closed(value) for key, value in schema.items()}
    if made.get("x-kubernetes-int-or-string"):
        made.pop("type", None)
        made["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    open_ended = made.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in made
    if isinstance(made.get("properties"), dict) and made.get("type") == "object" and not open_ended:
        made["additionalProperties"] = False
    return made


def definitions(folder):
    found = {}
    for path in sorted(folder.glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            spec = document["spec"]
            for version in spec["versions"]:
                schema = closed(version["schema"]["openAPIV3Schema"])
                # Kubernetes' own part of every resource.
                schema["properties"]["metadata"] = {"type": "object"}
                found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = schema
    return found


class Overlay:
    def __init__(self, path, schemas):
        self.name = path.stem
        self.schemas = schemas
        self.problems = []
        self.resources = [document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document]

    def wrong(self, resource, why):
        self.problems.append(f"{self.name}: {resource['kind']} {resource['metadata']['name']}: {why}")

    def of(self, *kinds):
        return [resource for resource in self.resources if resource["kind"] in kinds]

    def find(self, kind, name):
        return next((resource for resource in self.of(kind) if resource["metadata"]["name"] == name), None)

    def check(self):
        for resource in self.resources:
            self.schema(resource)
        seen = set()
        for resource in self.resources:
            key = (resource["kind"], resource["metadata"].get("namespace"), resource["metadata"]["name"])
            if key in seen:
                self.wrong(resource, "is there twice")
            seen.add(key)
        for workload in self.of(*WORKLOADS):
            self.workload(workload)
        self.selectors()
        self.autoscalers()
        self.topics()

    def schema(self, resource):
        own = self.schemas.get((resource["apiVersion"], resource["kind"]))
        if own is not None:
            for error in jsonschema.Draft202012Validator(own).iter_errors(resource):
                self.wrong(resource, f"{error.json_path}: {error.message[:300]}")
            return
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(resource, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                self.wrong(resource, f"Kubernetes {version}: {'.'.join(map(str, error.path))}: {error.message[:300]}")
            except kubernetes_validate.SchemaNotFoundError:
                self.wrong(resource, f"no schema of {resource['apiVersion']} {resource['kind']}")

    def exists(self, resource, kind, name):
        if (kind, name) not in FOREIGN and self.find(kind, name) is None:
            self.wrong(resource, f"there is no {kind} {name}")

    def workload(self, workload):
        pod = workload["spec"]["template"]["spec"]
        if workload["kind"] == "StatefulSet":
            self.exists(workload, "Service", workload["spec"]["serviceName"])
        if "serviceAccountName" in pod:
            self.exists(workload, "ServiceAccount", pod["serviceAccountName"])
        if pod.get("automountServiceAccountToken") is not False:
            self.wrong(workload, "has a token for Kubernetes' API")
        if not pod.get("securityContext", {}).get("runAsNonRoot"):
            self.wrong(workload, "may run as root")
        volumes = {volume["name"] for volume in pod.get("volumes", [])}
        for volume in pod.get("volumes", []):
            if "configMap" in volume:
                self.exists(workload, "ConfigMap", volume["configMap"]["name"])
            if "secret" in volume:
                self.exists(workload, "Secret", volume["secret"]["secretName"])
        for container in pod["containers"]:
            self.container(workload, pod, container, volumes)

    def container(self, workload, pod, container, volumes):
        tag = container["image"].rpartition(":")[2]
        if tag == "latest" or ":" not in container["image"]:
            self.wrong(workload, f"image {container['image']} is not pinned")
        resources = container.get("resources", {})
        if resources.get("requests", {}).get("memory") is None or resources.get("limits", {}).get("memory") is None:
            self.wrong(workload, "says nothing of its memory")
        if "cpu" not in resources.get("requests", {}):
            self.wrong(workload, "says nothing of its CPU")
        security = container.get("securityContext", {})
        if security.get("allowPrivilegeEscalation") is not False or security.get("capabilities", {}).get("drop") != ["ALL"]:
            self.wrong(workload, "keeps privileges")
        ports = {port["name"] for port in container.get("ports", [])}
        for probe in ("readinessProbe", "livenessProbe"):
            target = container.get(probe, {})
            used = (target.get("httpGet") or target.get("tcpSocket") or {}).get("port")
            if used not in ports:
                self.wrong(workload, f"{probe}: no port {used}")
        for mount in container.get("volumeMounts", []):
            if mount["name"] not in volumes:
                self.wrong(workload, f"no volume {mount['name']}")
        if container["name"] == "sluice":
            self.sluice(workload, pod, container)

    def sluice(self, workload, pod, container):
        if not container["securityContext"].get("readOnlyRootFilesystem"):
            self.wrong(workload, "may write to its image")
        if container["readinessProbe"]["httpGet"]["path"] != "/readyz" or container["livenessProbe"]["httpGet"]["path"] != "/livez":
            self.wrong(workload, "is asked the wrong question by a probe")
        role = container["args"][0]
        settings = self.settings(pod)
        folder = pathlib.Path(sys.argv[2]) / self.name
        folder.mkdir(exist_ok=True)
        (folder / f"{role}.yaml").write_text(settings, encoding="utf-8")
        lines = []
        for variable in container.get("env", []):
            value = variable.get("value")
            if value is None:
                value = f"{workload['metadata']['name']}-0" if "fieldRef" in variable["valueFrom"] else "a-secret"
            lines.append(f"{variable['name']}={value}\n")
        (folder / f"{role}.env").write_text("".join(lines), encoding="utf-8")

        said = yaml.safe_load(settings)
        environment = {line.partition("=")[0]: line.partition("=")[2].strip() for line in lines}
        delay = environment.get("SLUICE_SHUTDOWN__DELAY", said.get("shutdown", {}).get("delay", "0s"))
        deadline = said.get("shutdown", {}).get("deadline", "20s")
        asleep = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        steps = 3 if role == "gateway" else 2
        needed = asleep + seconds(delay) + steps * seconds(deadline)
        if pod["terminationGracePeriodSeconds"] <= needed:
            self.wrong(workload, f"is killed after {pod['terminationGracePeriodSeconds']} s; stopping may take {needed} s")

    def settings(self, pod):
        name = next(volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume)
        return self.find("ConfigMap", name)["data"]["sluice.yaml"]

    def selectors(self):
        pods = [(workload, workload["spec"]["template"]) for workload in self.of(*WORKLOADS)]

        def selected(labels):
            return [template for _, template in pods if labels.items() <= template["metadata"]["labels"].items()]

        for workload, template in pods:
            if not workload["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items():
                self.wrong(workload, "does not select its own pods")
        # An overlay of operators' resources alone has no pods to select.
        if not pods:
            return
        for service in self.of("Service"):
            found = selected(service["spec"]["selector"])
            ports = {port["name"] for template in found for container in template["spec"]["containers"] for port in container["ports"]}
            for port in service["spec"]["ports"]:
                if port["targetPort"] not in ports:
                    self.wrong(service, f"nothing that it selects has a port {port['targetPort']}")
        for policy in self.of("PodDisruptionBudget", "NetworkPolicy"):
            selector = policy["spec"].get("selector") or policy["spec"]["podSelector"]
            if not selected(selector["matchLabels"]):
                self.wrong(policy, "selects no pods")
        for monitor in self.of("ServiceMonitor"):
            labels = monitor["spec"]["selector"]["matchLabels"]
            services = [service for service in self.of("Service") if labels.items() <= service["metadata"].get("labels", {}).items()]
            ports = {port["name"] for service in services for port in service["spec"]["ports"]}
            for endpoint in monitor["spec"]["endpoints"]:
                if endpoint["port"] not in ports:
                    self.wrong(monitor, f"no Service that it selects has a port {endpoint['port']}")

    def kafka(self):
        for workload in self.of(*WORKLOADS):
            if workload["metadata"]["name"].startswith("sluice"):
                return yaml.safe_load(self.settings(workload["spec"]["template"]["spec"]))
        return None

    def autoscalers(self):
        for scaler in self.of("HorizontalPodAutoscaler", "ScaledObject"):
            target = scaler["spec"]["scaleTargetRef"]
            self.exists(scaler, target["kind"], target["name"])
            workload = self.find(target["kind"], target["name"]) or {"spec": {}}
            if "replicas" in workload["spec"]:
                self.wrong(scaler, "its target has a number of its own, which each apply sets back")
            if scaler["kind"] == "ScaledObject":
                partitions = self.kafka()["kafka"]["partitions"]
                if scaler["spec"]["maxReplicaCount"] > partitions:
                    self.wrong(scaler, f"more consumers than the {partitions} partitions")

    def topics(self):
        settings = self.kafka()
        topics = {topic["metadata"]["name"]: topic["spec"] for topic in self.of("KafkaTopic")}
        if settings is None or not topics:
            return
        topic = topics.get(settings["kafka"]["topic"])
        if topic is None:
            self.problems.append(f"{self.name}: no KafkaTopic {settings['kafka']['topic']}")
            return
        for ours, theirs in (("partitions", "partitions"), ("replication", "replicas")):
            if settings["kafka"][ours] != topic[theirs]:
                self.problems.append(f"{self.name}: kafka.{ours} is {settings['kafka'][ours]}, the KafkaTopic's {theirs} {topic[theirs]}")


def seconds(text):
    number, unit = re.fullmatch(r"(\d+)(ms|s|m)", text).groups()
    return int(number) * {"ms": 0.001, "s": 1, "m": 60}[unit]


def main():
    schemas = definitions(pathlib.Path(sys.argv[1]))
    problems, count = [], 0
    for path in sorted(pathlib.Path(sys.argv[2]).glob("*.yaml")):
        overlay = Overlay(path, schemas)
        overlay.check()
        problems += overlay.problems
        count += len(overlay.resources)
    if problems:
        sys.exit("\n".join(problems))
    print(f"manifests: {count} resources are as Kubernetes {' and '.join(VERSIONS)} and the operators want them", file=sys.stderr)


if __name__ == "__main__":
    main()
