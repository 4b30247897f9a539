package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	coreapply "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/scale"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/pager"
	toolswatch "k8s.io/client-go/tools/watch"
	"k8s.io/client-go/util/retry"
)

var configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}

// Eight writers of one object.
var patient = wait.Backoff{Steps: 50, Duration: 5 * time.Millisecond, Factor: 1.2, Jitter: 0.5}

func init() {
	checks["typed protobuf round trip"] = protobuf
	checks["informers see all events"] = informersSeeEvents
	checks["dynamic informers"] = dynamicInformers
	checks["metadata informers"] = metadataInformers
	checks["watch lists end with a bookmark"] = watchList
	checks["retry watcher goes on"] = retryWatcher
	checks["pages"] = pages
	checks["apply and extract"] = applyAndExtract
	checks["apply conflicts"] = applyConflicts
	checks["conflicts are retried"] = conflictsAreRetried
	checks["preconditions"] = preconditions
	checks["rest mapper and scale client"] = scaleClient
	checks["warnings and field validation"] = fieldValidation
	checks["dry run"] = dryRun
	checks["expired continue"] = expired
	checks["delete collection"] = deleteCollection
}

func protobuf(ctx context.Context, s *scene) error {
	config := rest.CopyConfig(s.config)
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf"
	client := kubernetes.NewForConfigOrDie(config)
	made, err := client.CoreV1().ConfigMaps(s.namespace).Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "p-"}, BinaryData: map[string][]byte{"b": {0, 255}}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	list, err := client.CoreV1().ConfigMaps(s.namespace).List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + made.Name})
	if err != nil || len(list.Items) != 1 || string(list.Items[0].BinaryData["b"]) != "\x00\xff" {
		return fmt.Errorf("list: %v %v", list, err)
	}
	watcher, err := client.CoreV1().ConfigMaps(s.namespace).Watch(ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	if err != nil {
		return err
	}
	defer watcher.Stop()
	if err := client.CoreV1().ConfigMaps(s.namespace).Delete(ctx, made.Name, metav1.DeleteOptions{}); err != nil {
		return err
	}
	event := <-watcher.ResultChan()
	if gone, ok := event.Object.(*corev1.ConfigMap); event.Type != watch.Deleted || !ok || gone.Name != made.Name {
		return fmt.Errorf("event %v %T", event.Type, event.Object)
	}
	_, err = client.CoreV1().ConfigMaps(s.namespace).Get(ctx, made.Name, metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		return fmt.Errorf("after its end: %v", err)
	}
	return nil
}

func informersSeeEvents(ctx context.Context, s *scene) error {
	factory := informers.NewSharedInformerFactoryWithOptions(s.typed, 0, informers.WithNamespace(s.namespace))
	informer := factory.Core().V1().ConfigMaps().Informer()
	var added, updated, deleted atomic.Int64
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { added.Add(1) },
		UpdateFunc: func(any, any) { updated.Add(1) },
		DeleteFunc: func(any) { deleted.Add(1) },
	})
	if err != nil {
		return err
	}
	for i := 0; i < 20; i++ {
		if _, err := s.configMap(ctx, fmt.Sprintf("before-%d", i), nil); err != nil {
			return err
		}
	}
	factory.Start(ctx.Done())
	for kind, synced := range factory.WaitForCacheSync(ctx.Done()) {
		if !synced {
			return fmt.Errorf("%v did not synchronise", kind)
		}
	}
	for i := 0; i < 20; i++ {
		made, err := s.configMap(ctx, fmt.Sprintf("after-%d", i), nil)
		if err != nil {
			return err
		}
		made.Data = map[string]string{"a": "b"}
		if _, err := s.typed.CoreV1().ConfigMaps(s.namespace).Update(ctx, made, metav1.UpdateOptions{}); err != nil {
			return err
		}
		if err := s.typed.CoreV1().ConfigMaps(s.namespace).Delete(ctx, made.Name, metav1.DeleteOptions{}); err != nil {
			return err
		}
	}
	return s.eventually(ctx, "40 and the root CA added, 20 updated, 20 deleted", func() (bool, error) {
		return added.Load() == 41 && updated.Load() == 20 && deleted.Load() == 20, nil
	})
}

func dynamicInformers(ctx context.Context, s *scene) error {
	factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(s.dynamic, 0, s.namespace, func(options *metav1.ListOptions) {
		options.LabelSelector = "made=here"
	})
	lister := factory.ForResource(configMaps).Lister()
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	if _, err := s.configMap(ctx, "one", map[string]string{"k": "v"}); err != nil {
		return err
	}
	return s.eventually(ctx, "one is seen", func() (bool, error) {
		found, err := lister.ByNamespace(s.namespace).Get("one")
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		value, _, _ := unstructured.NestedString(found.(*unstructured.Unstructured).Object, "data", "k")
		return value == "v", err
	})
}

func metadataInformers(ctx context.Context, s *scene) error {
	client, err := metadata.NewForConfig(s.config)
	if err != nil {
		return err
	}
	made, err := s.configMap(ctx, "one", map[string]string{"k": "v"})
	if err != nil {
		return err
	}
	got, err := client.Resource(configMaps).Namespace(s.namespace).Get(ctx, "one", metav1.GetOptions{})
	if err != nil || got.UID != made.UID {
		return fmt.Errorf("get: %v %v", got, err)
	}
	watcher, err := client.Resource(configMaps).Namespace(s.namespace).Watch(ctx, metav1.ListOptions{ResourceVersion: made.ResourceVersion})
	if err != nil {
		return err
	}
	defer watcher.Stop()
	if err := client.Resource(configMaps).Namespace(s.namespace).Delete(ctx, "one", metav1.DeleteOptions{}); err != nil {
		return err
	}
	event := <-watcher.ResultChan()
	if _, ok := event.Object.(*metav1.PartialObjectMetadata); event.Type != watch.Deleted || !ok {
		return fmt.Errorf("event %v %T", event.Type, event.Object)
	}
	return nil
}

func watchList(ctx context.Context, s *scene) error {
	for i := 0; i < 3; i++ {
		if _, err := s.configMap(ctx, fmt.Sprintf("w-%d", i), nil); err != nil {
			return err
		}
	}
	yes := true
	watcher, err := s.typed.CoreV1().ConfigMaps(s.namespace).Watch(ctx, metav1.ListOptions{
		SendInitialEvents: &yes, AllowWatchBookmarks: true, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan, LabelSelector: "made=here",
	})
	if err != nil {
		return err
	}
	defer watcher.Stop()
	seen := 0
	for event := range watcher.ResultChan() {
		switch event.Type {
		case watch.Added:
			seen++
		case watch.Bookmark:
			annotations := event.Object.(*corev1.ConfigMap).Annotations
			if annotations[metav1.InitialEventsAnnotationKey] != "true" || seen != 3 {
				return fmt.Errorf("bookmark after %d: %v", seen, annotations)
			}
			return nil
		default:
			return fmt.Errorf("event %v", event)
		}
	}
	return errors.New("the watch ended")
}

func retryWatcher(ctx context.Context, s *scene) error {
	list, err := s.typed.CoreV1().ConfigMaps(s.namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	one := int64(1)
	watcher, err := toolswatch.NewRetryWatcherWithContext(ctx, list.ResourceVersion, &cache.ListWatch{
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.TimeoutSeconds = &one
			return s.typed.CoreV1().ConfigMaps(s.namespace).Watch(ctx, options)
		},
	})
	if err != nil {
		return err
	}
	defer watcher.Stop()
	for i := 0; i < 4; i++ {
		name := fmt.Sprintf("r-%d", i)
		if _, err := s.configMap(ctx, name, nil); err != nil {
			return err
		}
		for {
			event := <-watcher.ResultChan()
			found, ok := event.Object.(*corev1.ConfigMap)
			if !ok {
				return fmt.Errorf("event %v", event)
			}
			if found.Name == name {
				break
			}
		}
		time.Sleep(700 * time.Millisecond)
	}
	return nil
}

func pages(ctx context.Context, s *scene) error {
	for i := 0; i < 23; i++ {
		if _, err := s.configMap(ctx, fmt.Sprintf("p-%02d", i), nil); err != nil {
			return err
		}
	}
	requests := 0
	reader := pager.New(func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		requests++
		options.LabelSelector = "made=here"
		return s.typed.CoreV1().ConfigMaps(s.namespace).List(ctx, options)
	})
	reader.PageSize = 5
	names := map[string]bool{}
	err := reader.EachListItem(ctx, metav1.ListOptions{}, func(object runtime.Object) error {
		names[object.(*corev1.ConfigMap).Name] = true
		return nil
	})
	if err != nil || len(names) != 23 || requests != 5 {
		return fmt.Errorf("%d names in %d requests: %v", len(names), requests, err)
	}
	return nil
}

func applyAndExtract(ctx context.Context, s *scene) error {
	client := s.typed.CoreV1().ConfigMaps(s.namespace)
	wanted := coreapply.ConfigMap("applied", s.namespace).WithData(map[string]string{"a": "1", "b": "2"}).WithLabels(map[string]string{"l": "x"})
	if _, err := client.Apply(ctx, wanted, metav1.ApplyOptions{FieldManager: "one"}); err != nil {
		return err
	}
	if _, err := client.Patch(ctx, "applied", types.MergePatchType, []byte(`{"data":{"c":"3"}}`), metav1.PatchOptions{FieldManager: "two"}); err != nil {
		return err
	}
	found, err := client.Get(ctx, "applied", metav1.GetOptions{})
	if err != nil {
		return err
	}
	extracted, err := coreapply.ExtractConfigMap(found, "one")
	if err != nil || len(extracted.Data) != 2 || extracted.Labels["l"] != "x" {
		return fmt.Errorf("extracted %v: %v", extracted, err)
	}
	less := coreapply.ConfigMap("applied", s.namespace).WithData(map[string]string{"a": "1"})
	changed, err := client.Apply(ctx, less, metav1.ApplyOptions{FieldManager: "one"})
	if err != nil || len(changed.Data) != 2 || changed.Data["c"] != "3" || len(changed.Labels) != 0 {
		return fmt.Errorf("applied less: %v %v", changed, err)
	}
	return nil
}

func applyConflicts(ctx context.Context, s *scene) error {
	client := s.typed.CoreV1().ConfigMaps(s.namespace)
	by := func(value, manager string, force bool) error {
		_, err := client.Apply(ctx, coreapply.ConfigMap("c", s.namespace).WithData(map[string]string{"a": value}), metav1.ApplyOptions{FieldManager: manager, Force: force})
		return err
	}
	if err := by("1", "one", false); err != nil {
		return err
	}
	err := by("2", "two", false)
	if !apierrors.IsConflict(err) || !apierrors.HasStatusCause(err, metav1.CauseTypeFieldManagerConflict) {
		return fmt.Errorf("a second manager: %v", err)
	}
	if want := `Apply failed with 1 conflict: conflict with "one": .data.a`; err.Error() != want {
		return fmt.Errorf("said %q, not %q", err, want)
	}
	return by("2", "two", true)
}

func conflictsAreRetried(ctx context.Context, s *scene) error {
	if _, err := s.configMap(ctx, "n", map[string]string{"n": ""}); err != nil {
		return err
	}
	client := s.typed.CoreV1().ConfigMaps(s.namespace)
	done := make(chan error, 8)
	for worker := 0; worker < 8; worker++ {
		go func() {
			done <- retry.RetryOnConflict(patient, func() error {
				found, err := client.Get(ctx, "n", metav1.GetOptions{})
				if err != nil {
					return err
				}
				found.Data["n"] += "x"
				_, err = client.Update(ctx, found, metav1.UpdateOptions{})
				return err
			})
		}()
	}
	for worker := 0; worker < 8; worker++ {
		if err := <-done; err != nil {
			return err
		}
	}
	found, err := client.Get(ctx, "n", metav1.GetOptions{})
	if err != nil || found.Data["n"] != "xxxxxxxx" {
		return fmt.Errorf("%v %v", found.Data, err)
	}
	return nil
}

func preconditions(ctx context.Context, s *scene) error {
	made, err := s.configMap(ctx, "p", nil)
	if err != nil {
		return err
	}
	client := s.typed.CoreV1().ConfigMaps(s.namespace)
	other := types.UID("other")
	if err := client.Delete(ctx, "p", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &other}}); !apierrors.IsConflict(err) {
		return fmt.Errorf("another uid: %v", err)
	}
	return client.Delete(ctx, "p", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &made.UID, ResourceVersion: &made.ResourceVersion}})
}

func scaleClient(ctx context.Context, s *scene) error {
	groups, err := restmapper.GetAPIGroupResources(s.discovery)
	if err != nil {
		return err
	}
	mapper := restmapper.NewDiscoveryRESTMapper(groups)
	mapping, err := mapper.RESTMapping(schema.GroupKind{Group: "apps", Kind: "Deployment"})
	if err != nil {
		return err
	}
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "d"},
		"spec": map[string]any{"replicas": int64(0), "selector": map[string]any{"matchLabels": map[string]any{"a": "b"}},
			"template": map[string]any{"metadata": map[string]any{"labels": map[string]any{"a": "b"}},
				"spec": map[string]any{"containers": []any{map[string]any{"name": "c", "image": "nginx"}}}}},
	}}
	if _, err := s.dynamic.Resource(mapping.Resource).Namespace(s.namespace).Create(ctx, object, metav1.CreateOptions{}); err != nil {
		return err
	}
	scales, err := scale.NewForConfig(s.config, mapper, dynamic.LegacyAPIPathResolverFunc, scale.NewDiscoveryScaleKindResolver(s.discovery))
	if err != nil {
		return err
	}
	resource := mapping.Resource.GroupResource()
	return retry.RetryOnConflict(patient, func() error {
		found, err := scales.Scales(s.namespace).Get(ctx, resource, "d", metav1.GetOptions{})
		if err != nil || found.Status.Selector != "a=b" {
			return fmt.Errorf("scale %v: %w", found, err)
		}
		found.Spec.Replicas = 2
		changed, err := scales.Scales(s.namespace).Update(ctx, resource, found, metav1.UpdateOptions{})
		if err == nil && changed.Spec.Replicas != 2 {
			return fmt.Errorf("scaled %v", changed)
		}
		return err
	})
}

type collected struct{ texts []string }

func (c *collected) HandleWarningHeaderWithContext(_ context.Context, code int, _ string, text string) {
	if code == 299 {
		c.texts = append(c.texts, text)
	}
}

func fieldValidation(ctx context.Context, s *scene) error {
	config := rest.CopyConfig(s.config)
	said := &collected{}
	config.WarningHandlerWithContext = said
	client := kubernetes.NewForConfigOrDie(config)
	body := []byte(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"f"},"dat":{"a":"b"}}`)
	err := client.CoreV1().RESTClient().Post().Namespace(s.namespace).Resource("configmaps").Param("fieldValidation", "Warn").Body(body).Do(ctx).Error()
	if err != nil || len(said.texts) != 1 || said.texts[0] != `unknown field "dat"` {
		return fmt.Errorf("warned %v: %v", said.texts, err)
	}
	err = client.CoreV1().RESTClient().Put().Namespace(s.namespace).Resource("configmaps").Name("f").Param("fieldValidation", "Strict").Body(body).Do(ctx).Error()
	if !apierrors.IsBadRequest(err) {
		return fmt.Errorf("strict: %v", err)
	}
	return nil
}

func dryRun(ctx context.Context, s *scene) error {
	client := s.typed.CoreV1().ConfigMaps(s.namespace)
	made, err := client.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "dry"}}, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	if err != nil || made.UID == "" {
		return fmt.Errorf("%v %v", made, err)
	}
	if _, err := client.Get(ctx, "dry", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		return fmt.Errorf("it is there: %v", err)
	}
	return nil
}

func expired(ctx context.Context, s *scene) error {
	_, err := s.typed.CoreV1().ConfigMaps(s.namespace).List(ctx, metav1.ListOptions{Limit: 1, Continue: "bm90IGEgdG9rZW4="})
	if !apierrors.IsBadRequest(err) {
		return fmt.Errorf("a continue token of nobody: %v", err)
	}
	_, err = s.typed.CoreV1().ConfigMaps(s.namespace).List(ctx, metav1.ListOptions{ResourceVersion: "999999999999"})
	if !apierrors.IsTimeout(err) && !apierrors.IsServerTimeout(err) {
		return fmt.Errorf("a version of the future: %v", err)
	}
	return nil
}

func deleteCollection(ctx context.Context, s *scene) error {
	for i := 0; i < 5; i++ {
		if _, err := s.configMap(ctx, fmt.Sprintf("d-%d", i), nil); err != nil {
			return err
		}
	}
	client := s.typed.CoreV1().ConfigMaps(s.namespace)
	if err := client.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "made=here"}); err != nil {
		return err
	}
	left, err := client.List(ctx, metav1.ListOptions{LabelSelector: "made=here"})
	if err != nil || len(left.Items) != 0 {
		return fmt.Errorf("%d left: %v", len(left.Items), err)
	}
	return nil
}
