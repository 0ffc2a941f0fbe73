// Reads rendered objects as the API server's own types do, strictly, and holds their pods against the restricted profile.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	psa "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

func main() {
	decoder := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme.Scheme, scheme.Scheme, json.SerializerOptions{Yaml: true, Strict: true})
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks())
	if err != nil {
		panic(err)
	}
	bad, pods := 0, 0
	complain := func(format string, args ...any) {
		bad++
		fmt.Fprintf(os.Stderr, format+"\n", args...)
	}
	documents := yaml.NewYAMLReader(bufio.NewReader(os.Stdin))
	for {
		text, err := documents.Read()
		if err == io.EOF {
			break
		}
		object, kind, err := decoder.Decode(text, nil, nil)
		if runtime.IsNotRegisteredError(err) {
			fmt.Printf("%s: not a built-in kind\n", kind)
			continue
		}
		if err != nil {
			complain("%s: %v", kind, err)
			continue
		}
		var pod corev1.PodTemplateSpec
		var name string
		switch owner := object.(type) {
		case *batchv1.CronJob:
			pod, name = owner.Spec.JobTemplate.Spec.Template, owner.Name
		case *appsv1.Deployment:
			pod, name = owner.Spec.Template, owner.Name
		default:
			continue
		}
		pods++
		restricted := psa.LevelVersion{Level: psa.LevelRestricted, Version: psa.LatestVersion()}
		for _, result := range evaluator.EvaluatePod(restricted, &pod.ObjectMeta, &pod.Spec) {
			if !result.Allowed {
				complain("%s: %s: %s", name, result.ForbiddenReason, result.ForbiddenDetail)
			}
		}
	}
	fmt.Printf("%d pod templates are restricted\n", pods)
	if bad > 0 || pods == 0 {
		os.Exit(1)
	}
}
