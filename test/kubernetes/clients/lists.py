"""Lists, watches and writes with Python's client of Kubernetes: each object must be one that its models take."""

import sys
from kubernetes import client, config, watch

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
seen = []
for event in watch.Watch().stream(custom.list_namespaced_custom_object, *where, timeout_seconds=3):
    seen.append(event["type"])
    if seen == ["ADDED"]:
        custom.delete_namespaced_custom_object(*where, "py")
assert seen[0] == "ADDED" and seen[-1] == "DELETED", seen
print("ok: a Wukong is made, patched, listed, watched and deleted")

for one in [core.list_node, core.list_namespace, apps.list_deployment_for_all_namespaces, client.ApiextensionsV1Api().list_custom_resource_definition]:
    names, watcher = [each.metadata.name for each in one().items], watch.Watch()
    assert names, one.__name__
    seen = []
    for event in watcher.stream(one, allow_watch_bookmarks=True, _request_timeout=10):
        seen.append((event["type"], event["object"].metadata.name))
        if len(seen) == len(names):
            watcher.stop()
    assert seen == [("ADDED", name) for name in names], seen
    print("ok: a watch begins with what is there:", one.__name__)

name = "from-python"
began = core.list_namespaced_config_map("default").metadata.resource_version
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
stream = watch.Watch().stream(core.list_namespaced_config_map, "default", resource_version=began, timeout_seconds=1)
seen = [event["type"] for event in stream if event["object"].metadata.name == name]
assert seen == ["ADDED", "MODIFIED", "DELETED"], seen
try:
    list(watch.Watch().stream(core.list_namespaced_config_map, "default", resource_version="1", timeout_seconds=1))
    sys.exit("a watch from a revision that was forgotten is not told so")
except client.ApiException as error:
    assert error.status == 410
print("ok: a ConfigMap is made, read, replaced, deleted and watched from a revision on")
