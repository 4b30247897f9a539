// Client-go as programs use it, against one cluster: each check does one thing that a controller or a tool does, and fails with a
// reason. Built by run.mjs with the Go packages of a distribution; KUBECONFIG names the cluster.
package main

import (
	"context"
	"fmt"
	"os"
	"sort"
	"time"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Every check gets clients of its own namespace's making; it ends by the context.
type scene struct {
	config    *rest.Config
	typed     kubernetes.Interface
	dynamic   dynamic.Interface
	discovery discovery.DiscoveryInterface
	namespace string
}

type check func(ctx context.Context, s *scene) error

var checks = map[string]check{}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

func main() {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	must(err)
	config.QPS, config.Burst = 200, 400
	typed := kubernetes.NewForConfigOrDie(config)
	names := make([]string, 0, len(checks))
	for name := range checks {
		if len(os.Args) < 2 || contains(os.Args[1:], name) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	failed := 0
	for index, name := range names {
		ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
		s := &scene{
			config:    config,
			typed:     typed,
			dynamic:   dynamic.NewForConfigOrDie(config),
			discovery: typed.Discovery(),
			namespace: fmt.Sprintf("client-go-%d-%d", os.Getpid(), index),
		}
		err := s.open(ctx)
		if err == nil {
			err = checks[name](ctx, s)
		}
		s.close()
		cancel()
		if err != nil {
			failed++
			fmt.Printf("failed %s: %v\n", name, err)
		} else {
			fmt.Printf("passed %s\n", name)
		}
	}
	fmt.Printf("%d passed, %d failed\n", len(names)-failed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}

func contains(words []string, word string) bool {
	for _, each := range words {
		if each == word {
			return true
		}
	}
	return false
}
