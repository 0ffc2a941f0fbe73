"""Lists and writes with Python's client of Kubernetes: each object must be one that its models take."""

import sys
from kubernetes import client, config

config.load_kube_config()
core, apps, batch = client.CoreV1Api(), client.AppsV1Api(), client.BatchV1Api()
custom = client.CustomObjectsApi()

lists = [
    core.list_node,
    core.list_namespace,
    core.list_pod_for_all_namespaces,
    core.list_config_map_for_all_namespaces,
    core.list_secret_for_all_namespaces,
    core.list_service_account_for_all_namespaces,
    core.list_event_for_all_namespaces,
    core.list_service_for_all_namespaces,
    core.list_persistent_volume_claim_for_all_namespaces,
    apps.list_deployment_for_all_namespaces,
    batch.list_cron_job_for_all_namespaces,
    batch.list_job_for_all_namespaces,
    client.RbacAuthorizationV1Api().list_cluster_role,
    client.CoordinationV1Api().list_lease_for_all_namespaces,
    client.ApiextensionsV1Api().list_custom_resource_definition,
    client.NetworkingV1Api().list_network_policy_for_all_namespaces,
]
for one in lists:
    for item in one().items:
        if item.metadata.creation_timestamp is None:
            sys.exit(f"{one.__name__}: {item.metadata.name} has no creationTimestamp")
    print("ok:", one.__name__)

print("ok: version", client.VersionApi().get_code().git_version)
print("ok: groups", len(client.ApisApi().get_api_versions().groups))

wukong = {"apiVersion": "vm.novasphere.dev/v1alpha1", "kind": "Wukong", "metadata": {"name": "py"}, "spec": {"cpu": 1, "memory": "64Mi"}}
where = ("vm.novasphere.dev", "v1alpha1", "default", "wukongs")
custom.create_namespaced_custom_object(*where, wukong)
custom.patch_namespaced_custom_object(*where, "py", {"metadata": {"labels": {"env": "dev"}}})
found = custom.list_namespaced_custom_object(*where, label_selector="env=dev")["items"]
assert [one["metadata"]["name"] for one in found] == ["py"], found
custom.delete_namespaced_custom_object(*where, "py")
print("ok: a Wukong is made, patched, listed and deleted")

name = "from-python"
core.create_namespaced_config_map("default", client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name), data={"a": "b"}))
read = core.read_namespaced_config_map(name, "default")
read.data["a"] = "c"
assert core.replace_namespaced_config_map(name, "default", read).data == {"a": "c"}
core.delete_namespaced_config_map(name, "default")
try:
    core.read_namespaced_config_map(name, "default")
    sys.exit("a ConfigMap that was deleted is there")
except client.ApiException as error:
    assert error.status == 404
print("ok: a ConfigMap is made, read, replaced and deleted")
