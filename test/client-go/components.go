package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"sync/atomic"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/certificate/csr"
)

var zero = intstr.FromInt32(0)

var definitions = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

func init() {
	checks["discovery, cached and OpenAPI"] = discover
	checks["custom resources"] = customResources
	checks["custom resources in CBOR"] = customResourcesInCBOR
	checks["leader election"] = leaderElection
	checks["events of both groups"] = bothEvents
	checks["tokens and reviews"] = tokens
	checks["signing requests"] = signingRequests
	checks["rights and impersonation"] = rights
	checks["eviction"] = eviction
}

func discover(_ context.Context, s *scene) error {
	cached := memory.NewMemCacheClient(s.discovery)
	groups, lists, err := cached.ServerGroupsAndResources()
	if err != nil || len(groups) < 20 || len(lists) < 20 {
		return fmt.Errorf("%d groups, %d lists: %v", len(groups), len(lists), err)
	}
	preferred, err := cached.ServerPreferredNamespacedResources()
	if err != nil || len(preferred) == 0 {
		return fmt.Errorf("preferred: %v", err)
	}
	document, err := s.discovery.OpenAPISchema()
	if err != nil || len(document.GetDefinitions().GetAdditionalProperties()) < 400 {
		return fmt.Errorf("OpenAPI v2: %v", err)
	}
	paths, err := s.discovery.OpenAPIV3().Paths()
	if err != nil {
		return err
	}
	for name, path := range paths {
		if _, err := path.Schema("application/json"); err != nil {
			return fmt.Errorf("OpenAPI v3 %s: %w", name, err)
		}
	}
	return nil
}

func (s *scene) definition(ctx context.Context, plural, kind, group string) error {
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": map[string]any{"name": plural + "." + group},
		"spec": map[string]any{"group": group, "scope": "Namespaced", "names": map[string]any{"plural": plural, "kind": kind},
			"versions": []any{map[string]any{"name": "v1", "served": true, "storage": true,
				"subresources": map[string]any{"status": map[string]any{}},
				"schema": map[string]any{"openAPIV3Schema": map[string]any{"type": "object", "properties": map[string]any{
					"spec":   map[string]any{"type": "object", "properties": map[string]any{"size": map[string]any{"type": "integer", "default": int64(3), "maximum": int64(9)}}},
					"status": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}}}}},
	}}
	if _, err := s.dynamic.Resource(definitions).Create(ctx, object, metav1.CreateOptions{}); err != nil {
		return err
	}
	return s.eventually(ctx, "the definition is established", func() (bool, error) {
		found, err := s.dynamic.Resource(definitions).Get(ctx, plural+"."+group, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		conditions, _, _ := unstructured.NestedSlice(found.Object, "status", "conditions")
		for _, each := range conditions {
			if condition := each.(map[string]any); condition["type"] == "Established" && condition["status"] == "True" {
				return true, nil
			}
		}
		return false, nil
	})
}

func customResources(ctx context.Context, s *scene) error {
	group := s.namespace + ".example.com"
	if err := s.definition(ctx, "things", "Thing", group); err != nil {
		return err
	}
	defer func() {
		_ = s.dynamic.Resource(definitions).Delete(context.Background(), "things."+group, metav1.DeleteOptions{})
	}()
	things := s.dynamic.Resource(schema.GroupVersionResource{Group: group, Version: "v1", Resource: "things"}).Namespace(s.namespace)
	thing := &unstructured.Unstructured{Object: map[string]any{"apiVersion": group + "/v1", "kind": "Thing", "metadata": map[string]any{"name": "t"}, "spec": map[string]any{}}}
	made, err := things.Create(ctx, thing, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if size, _, _ := unstructured.NestedInt64(made.Object, "spec", "size"); size != 3 {
		return fmt.Errorf("default: %v", made.Object)
	}
	_ = unstructured.SetNestedField(made.Object, int64(10), "spec", "size")
	if _, err := things.Update(ctx, made, metav1.UpdateOptions{}); !apierrors.IsInvalid(err) {
		return fmt.Errorf("too large: %v", err)
	}
	_ = unstructured.SetNestedField(made.Object, int64(3), "spec", "size")
	_ = unstructured.SetNestedField(made.Object, "ok", "status", "state")
	told, err := things.UpdateStatus(ctx, made, metav1.UpdateOptions{})
	if err != nil || told.GetGeneration() != 1 {
		return fmt.Errorf("status: %v", err)
	}
	applied, err := things.Apply(ctx, "t", &unstructured.Unstructured{Object: map[string]any{"apiVersion": group + "/v1", "kind": "Thing", "metadata": map[string]any{"name": "t"}, "spec": map[string]any{"size": int64(4)}}}, metav1.ApplyOptions{FieldManager: "me", Force: true})
	if err != nil || applied.GetGeneration() != 2 {
		return fmt.Errorf("apply: %v", err)
	}
	return nil
}

// A client that asks for CBOR goes on with JSON where the server refuses it.
func customResourcesInCBOR(ctx context.Context, s *scene) error {
	config := rest.CopyConfig(s.config)
	config.ContentType = "application/cbor"
	config.AcceptContentTypes = "application/cbor;q=1,application/json;q=0.9"
	client := kubernetes.NewForConfigOrDie(config)
	_, err := client.CoreV1().ConfigMaps(s.namespace).Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "c"}}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsUnsupportedMediaType(err) {
		return err
	}
	_, err = client.CoreV1().ConfigMaps(s.namespace).List(ctx, metav1.ListOptions{})
	return err
}

func leaderElection(ctx context.Context, s *scene) error {
	var leads atomic.Int32
	elect := func(ctx context.Context, name string, started chan string) {
		lock := &resourcelock.LeaseLock{LeaseMeta: metav1.ObjectMeta{Name: "lock", Namespace: s.namespace}, Client: s.typed.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{Identity: name}}
		leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{Lock: lock, LeaseDuration: 3 * time.Second, RenewDeadline: 2 * time.Second,
			RetryPeriod: 300 * time.Millisecond, ReleaseOnCancel: true,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(ctx context.Context) { leads.Add(1); started <- name },
				OnStoppedLeading: func() {},
			}})
	}
	started := make(chan string, 2)
	first, stop := context.WithCancel(ctx)
	go elect(first, "a", started)
	if who := <-started; who != "a" {
		return fmt.Errorf("%s leads", who)
	}
	second, end := context.WithCancel(ctx)
	defer end()
	go elect(second, "b", started)
	time.Sleep(time.Second)
	if leads.Load() != 1 {
		return fmt.Errorf("%d lead", leads.Load())
	}
	stop()
	select {
	case who := <-started:
		if who != "b" {
			return fmt.Errorf("%s leads", who)
		}
	case <-ctx.Done():
		return fmt.Errorf("nobody follows")
	}
	return nil
}

func bothEvents(ctx context.Context, s *scene) error {
	made, err := s.configMap(ctx, "subject", nil)
	if err != nil {
		return err
	}
	made.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}
	legacy := record.NewBroadcaster()
	defer legacy.Shutdown()
	legacy.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: s.typed.CoreV1().Events(s.namespace)})
	recorder := legacy.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "client-go"})
	for i := 0; i < 3; i++ {
		recorder.Event(made, corev1.EventTypeNormal, "Old", "said three times")
	}
	young := events.NewBroadcaster(&events.EventSinkImpl{Interface: s.typed.EventsV1()})
	defer young.Shutdown()
	if err := young.StartRecordingToSinkWithContext(ctx); err != nil {
		return err
	}
	young.NewRecorder(scheme.Scheme, "example.com/client-go").Eventf(made, nil, corev1.EventTypeWarning, "Young", "Looking", "note %d", 1)
	return s.eventually(ctx, "events of both groups are read by each", func() (bool, error) {
		core, err := s.typed.CoreV1().Events(s.namespace).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.name=subject"})
		if err != nil {
			return false, err
		}
		group, err := s.typed.EventsV1().Events(s.namespace).List(ctx, metav1.ListOptions{FieldSelector: "regarding.name=subject"})
		if err != nil {
			return false, err
		}
		counted := false
		for _, each := range core.Items {
			counted = counted || (each.Reason == "Old" && each.Count == 3)
		}
		return counted && len(core.Items) == 2 && len(group.Items) == 2, nil
	})
}

func tokens(ctx context.Context, s *scene) error {
	hour := int64(3600)
	token, err := s.typed.CoreV1().ServiceAccounts(s.namespace).CreateToken(ctx, "default", &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &hour}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	review, err := s.typed.AuthenticationV1().TokenReviews().Create(ctx, &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token.Status.Token}}, metav1.CreateOptions{})
	want := "system:serviceaccount:" + s.namespace + ":default"
	if err != nil || !review.Status.Authenticated || review.Status.User.Username != want {
		return fmt.Errorf("review %v: %v", review, err)
	}
	config := rest.AnonymousClientConfig(s.config)
	config.BearerToken = token.Status.Token
	client := kubernetes.NewForConfigOrDie(config)
	self, err := client.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil || self.Status.UserInfo.Username != want {
		return fmt.Errorf("self %v: %v", self, err)
	}
	_, err = client.CoreV1().Secrets(s.namespace).List(ctx, metav1.ListOptions{})
	if !apierrors.IsForbidden(err) {
		return fmt.Errorf("secrets of a service account: %v", err)
	}
	return nil
}

func signingRequests(ctx context.Context, s *scene) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "jane", Organization: []string{"devs"}}}, key)
	if err != nil {
		return err
	}
	request := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
	name, uid, err := csr.RequestCertificateWithContext(ctx, s.typed, request, s.namespace, certificatesv1.KubeAPIServerClientSignerName, nil, []certificatesv1.KeyUsage{certificatesv1.UsageClientAuth}, key)
	if err != nil {
		return err
	}
	defer func() {
		_ = s.typed.CertificatesV1().CertificateSigningRequests().Delete(context.Background(), name, metav1.DeleteOptions{})
	}()
	found, err := s.typed.CertificatesV1().CertificateSigningRequests().Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	found.Status.Conditions = append(found.Status.Conditions, certificatesv1.CertificateSigningRequestCondition{Type: certificatesv1.CertificateApproved, Status: corev1.ConditionTrue, Reason: "Test", Message: "by a test"})
	if _, err := s.typed.CertificatesV1().CertificateSigningRequests().UpdateApproval(ctx, name, found, metav1.UpdateOptions{}); err != nil {
		return err
	}
	chain, err := csr.WaitForCertificate(ctx, s.typed, name, uid)
	if err != nil {
		return err
	}
	config := rest.AnonymousClientConfig(s.config)
	config.CertData = chain
	config.KeyData = pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	self, err := kubernetes.NewForConfigOrDie(config).AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil || self.Status.UserInfo.Username != "jane" {
		return fmt.Errorf("%v %v", self, err)
	}
	return nil
}

func rights(ctx context.Context, s *scene) error {
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "reader"}, Rules: []rbacv1.PolicyRule{{Verbs: []string{"get", "list"}, APIGroups: []string{""}, Resources: []string{"configmaps"}}}}
	if _, err := s.typed.RbacV1().Roles(s.namespace).Create(ctx, role, metav1.CreateOptions{}); err != nil {
		return err
	}
	binding := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "reader"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "reader"}, Subjects: []rbacv1.Subject{{Kind: "User", Name: "jane", APIGroup: rbacv1.GroupName}}}
	if _, err := s.typed.RbacV1().RoleBindings(s.namespace).Create(ctx, binding, metav1.CreateOptions{}); err != nil {
		return err
	}
	config := rest.CopyConfig(s.config)
	config.Impersonate = rest.ImpersonationConfig{UserName: "jane"}
	jane := kubernetes.NewForConfigOrDie(config)
	if _, err := jane.CoreV1().ConfigMaps(s.namespace).List(ctx, metav1.ListOptions{}); err != nil {
		return err
	}
	if _, err := jane.CoreV1().ConfigMaps(s.namespace).Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "x"}}, metav1.CreateOptions{}); !apierrors.IsForbidden(err) {
		return fmt.Errorf("jane creates: %v", err)
	}
	review, err := s.typed.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{User: "jane", ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: s.namespace, Verb: "get", Resource: "configmaps"}}}, metav1.CreateOptions{})
	if err != nil || !review.Status.Allowed {
		return fmt.Errorf("%v %v", review, err)
	}
	rules, err := jane.AuthorizationV1().SelfSubjectRulesReviews().Create(ctx, &authorizationv1.SelfSubjectRulesReview{Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: s.namespace}}, metav1.CreateOptions{})
	if err != nil || rules.Status.Incomplete || len(rules.Status.ResourceRules) == 0 {
		return fmt.Errorf("%v %v", rules, err)
	}
	return nil
}

func eviction(ctx context.Context, s *scene) error {
	if _, err := s.runningPod(ctx, "kept", "nginx"); err != nil {
		return err
	}
	one := metav1.ObjectMeta{Name: "kept"}
	budget := &policyv1.PodDisruptionBudget{ObjectMeta: one, Spec: policyv1.PodDisruptionBudgetSpec{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "kept"}}}}
	budget.Spec.MaxUnavailable = &zero
	if _, err := s.typed.PolicyV1().PodDisruptionBudgets(s.namespace).Create(ctx, budget, metav1.CreateOptions{}); err != nil {
		return err
	}
	evict := func() error {
		return s.typed.CoreV1().Pods(s.namespace).EvictV1(ctx, &policyv1.Eviction{ObjectMeta: one})
	}
	err := s.eventually(ctx, "the budget refuses", func() (bool, error) {
		err := evict()
		return apierrors.IsTooManyRequests(err) && apierrors.HasStatusCause(err, policyv1.DisruptionBudgetCause), nil
	})
	if err != nil {
		return err
	}
	if err := s.typed.PolicyV1().PodDisruptionBudgets(s.namespace).Delete(ctx, "kept", metav1.DeleteOptions{}); err != nil {
		return err
	}
	return evict()
}
