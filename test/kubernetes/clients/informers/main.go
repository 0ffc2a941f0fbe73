// Does with client-go what controllers and k9s do, on the cluster of KUBECONFIG: informers that see what comes, changes and
// goes; discovery, tables, reviews, a Lease that is led. Says what was not so, and ends with 1.
package main

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	authorization "k8s.io/api/authorization/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

const patience = 20 * time.Second

var wukongs = schema.GroupVersionResource{Group: "vm.novasphere.dev", Version: "v1alpha1", Resource: "wukongs"}

func must(err error, what string) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
	fmt.Println("ok:", what)
}

// A channel that has the key of each object that came, changed or went.
func heard(informer cache.SharedIndexInformer) <-chan string {
	said := make(chan string, 100)
	say := func(verb string, object any) {
		key, _ := cache.DeletionHandlingMetaNamespaceKeyFunc(object)
		said <- verb + " " + key
	}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { say("add", object) },
		UpdateFunc: func(_, object any) { say("update", object) },
		DeleteFunc: func(object any) { say("delete", object) },
	})
	must(err, "an informer takes a handler")
	return said
}

func awaits(said <-chan string, wanted string) {
	limit := time.After(patience)
	for {
		select {
		case one := <-said:
			if one == wanted {
				must(nil, "an informer hears: "+wanted)
				return
			}
		case <-limit:
			must(fmt.Errorf("not heard within %s", patience), wanted)
		}
	}
}

func synced(ctx context.Context, of map[string]cache.InformerSynced) {
	for what, has := range of {
		limited, cancel := context.WithTimeout(ctx, patience)
		if !cache.WaitForCacheSync(limited.Done(), has) {
			must(fmt.Errorf("not within %s", patience), "the cache of "+what+" is filled")
		}
		cancel()
	}
}

func main() {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	must(err, "the kubeconfig is read")
	typed, anything := kubernetes.NewForConfigOrDie(config), dynamic.NewForConfigOrDie(config)
	ctx, end := context.WithCancel(context.Background())
	defer end()
	if len(os.Args) > 1 && os.Args[1] == "asks" {
		asks(ctx, config, typed)
		leads(ctx, typed)
		return
	}
	watches(ctx, typed, anything)
	relists(ctx, typed)
}

func watches(ctx context.Context, typed kubernetes.Interface, anything dynamic.Interface) {
	factory := informers.NewSharedInformerFactory(typed, 0)
	maps := factory.Core().V1().ConfigMaps().Informer()
	nodes, pods, events := factory.Core().V1().Nodes().Informer(), factory.Core().V1().Pods().Informer(), factory.Core().V1().Events().Informer()
	own := dynamicinformer.NewDynamicSharedInformerFactory(anything, 0)
	ours := own.ForResource(wukongs).Informer()
	ofMaps, ofOurs := heard(maps), heard(ours)
	factory.Start(ctx.Done())
	own.Start(ctx.Done())
	synced(ctx, map[string]cache.InformerSynced{
		"ConfigMaps": maps.HasSynced, "Nodes": nodes.HasSynced, "Pods": pods.HasSynced, "Events": events.HasSynced, "Wukongs": ours.HasSynced,
	})
	if len(nodes.GetStore().List()) == 0 {
		must(fmt.Errorf("none"), "nodes are in the cache")
	}

	client := typed.CoreV1().ConfigMaps("default")
	made, err := client.Create(ctx, &core.ConfigMap{ObjectMeta: meta.ObjectMeta{GenerateName: "informed-"}}, meta.CreateOptions{})
	must(err, "a ConfigMap is made")
	key := "default/" + made.Name
	awaits(ofMaps, "add "+key)
	made.Data = map[string]string{"a": "b"}
	_, err = client.Update(ctx, made, meta.UpdateOptions{})
	must(err, "a ConfigMap is changed")
	awaits(ofMaps, "update "+key)
	must(client.Delete(ctx, made.Name, meta.DeleteOptions{}), "a ConfigMap is deleted")
	awaits(ofMaps, "delete "+key)

	wukong := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "vm.novasphere.dev/v1alpha1", "kind": "Wukong",
		"metadata": map[string]any{"generateName": "informed-"}, "spec": map[string]any{"cpu": int64(1), "memory": "64Mi"},
	}}
	one, err := anything.Resource(wukongs).Namespace("default").Create(ctx, wukong, meta.CreateOptions{})
	must(err, "a Wukong is made")
	awaits(ofOurs, "add default/"+one.GetName())
	must(anything.Resource(wukongs).Namespace("default").Delete(ctx, one.GetName(), meta.DeleteOptions{}), "a Wukong is deleted")
	awaits(ofOurs, "delete default/"+one.GetName())
}

// Goes on after its revision was forgotten: the watch is told 410, and all there is is read again.
func relists(ctx context.Context, typed kubernetes.Interface) {
	client := typed.CoreV1().ConfigMaps("default")
	var read, spoiled atomic.Int32
	soon := int64(1)
	forgetful := &cache.ListWatch{
		ListFunc: func(options meta.ListOptions) (runtime.Object, error) {
			read.Add(1)
			return client.List(ctx, options)
		},
		WatchFunc: func(options meta.ListOptions) (watch.Interface, error) {
			if options.SendInitialEvents != nil {
				read.Add(1)
				options.TimeoutSeconds = &soon
			} else if spoiled.Add(1) == 1 {
				options.ResourceVersion = "1"
			}
			return client.Watch(ctx, options)
		},
	}
	maps := cache.NewSharedIndexInformer(forgetful, &core.ConfigMap{}, 0, cache.Indexers{})
	said := heard(maps)
	go maps.Run(ctx.Done())
	synced(ctx, map[string]cache.InformerSynced{"ConfigMaps that are forgotten": maps.HasSynced})
	for limit := time.Now().Add(patience); read.Load() < 2; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(limit) {
			must(fmt.Errorf("not within %s", patience), "a reflector that is told 410 reads all again")
		}
	}
	must(nil, "a reflector that is told 410 reads all again")
	made, err := client.Create(ctx, &core.ConfigMap{ObjectMeta: meta.ObjectMeta{GenerateName: "relisted-"}}, meta.CreateOptions{})
	must(err, "a ConfigMap is made")
	awaits(said, "add default/"+made.Name)
	must(client.Delete(ctx, made.Name, meta.DeleteOptions{}), "a ConfigMap is deleted")
	awaits(said, "delete default/"+made.Name)
}

// What k9s asks before it shows anything, and what it shows then.
func asks(ctx context.Context, config *rest.Config, typed *kubernetes.Clientset) {
	_, err := typed.Discovery().ServerVersion()
	must(err, "the version")
	_, lists, err := typed.Discovery().ServerGroupsAndResources()
	must(err, "discovery")
	for _, list := range lists {
		group, err := schema.ParseGroupVersion(list.GroupVersion)
		must(err, list.GroupVersion)
		for _, resource := range list.APIResources {
			named := *config
			named.GroupVersion, named.APIPath = &group, "/apis"
			if group.Group == "" {
				named.APIPath = "/api"
			}
			if listed(resource) {
				table(ctx, typed, named.APIPath, list.GroupVersion, resource.Name)
			}
		}
	}
	review := &authorization.SelfSubjectAccessReview{Spec: authorization.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorization.ResourceAttributes{Verb: "list", Resource: "pods"},
	}}
	allowed, err := typed.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, meta.CreateOptions{})
	must(err, "SelfSubjectAccessReview")
	if !allowed.Status.Allowed {
		must(fmt.Errorf("not allowed"), "an administrator may list pods")
	}
	rules := &authorization.SelfSubjectRulesReview{Spec: authorization.SelfSubjectRulesReviewSpec{Namespace: "default"}}
	told, err := typed.AuthorizationV1().SelfSubjectRulesReviews().Create(ctx, rules, meta.CreateOptions{})
	must(err, "SelfSubjectRulesReview")
	if len(told.Status.ResourceRules) == 0 {
		must(fmt.Errorf("none"), "an administrator has rules")
	}
	body, err := typed.RESTClient().Get().AbsPath("/apis/metrics.k8s.io/v1beta1/nodes").DoRaw(ctx)
	if err == nil {
		must(fmt.Errorf("%s", body), "metrics are not there, and said not to be")
	}
}

func listed(resource meta.APIResource) bool {
	for _, verb := range resource.Verbs {
		if verb == "list" {
			return true
		}
	}
	return false
}

func table(ctx context.Context, typed *kubernetes.Clientset, base, group, name string) {
	request := typed.RESTClient().Get().AbsPath(base, group, name).Param("limit", "500")
	request.SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json")
	result := request.Do(ctx)
	var shown meta.Table
	must(result.Into(&shown), "a table of "+name)
	for _, row := range shown.Rows {
		if len(row.Cells) != len(shown.ColumnDefinitions) {
			must(fmt.Errorf("%d cells, %d columns", len(row.Cells), len(shown.ColumnDefinitions)), "a row of "+name)
		}
	}
}

func leads(ctx context.Context, typed kubernetes.Interface) {
	lock, err := resourcelock.New(resourcelock.LeasesResourceLock, "default", "led", typed.CoreV1(), typed.CoordinationV1(), resourcelock.ResourceLockConfig{Identity: "me"})
	must(err, "a lock")
	limited, end := context.WithTimeout(ctx, patience)
	defer end()
	led := false
	leaderelection.RunOrDie(limited, leaderelection.LeaderElectionConfig{
		Lock: lock, LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: time.Second, ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{OnStartedLeading: func(context.Context) { led = true; end() }, OnStoppedLeading: func() {}},
	})
	if !led {
		must(fmt.Errorf("not within %s", patience), "a Lease is led")
	}
	must(nil, "a Lease is led")
}
