package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/client-go/util/exec"
)

func init() {
	checks["exec over WebSocket and SPDY"] = execBothWays
	checks["port-forward over WebSocket and SPDY"] = forwardBothWays
	checks["logs are followed"] = followLogs
	checks["proxy of pods and services"] = proxies
}

func (s *scene) execURL(pod string, options *corev1.PodExecOptions) *url.URL {
	return s.typed.CoreV1().RESTClient().Post().Resource("pods").Namespace(s.namespace).Name(pod).SubResource("exec").
		VersionedParams(options, scheme.ParameterCodec).URL()
}

func execBothWays(ctx context.Context, s *scene) error {
	if _, err := s.runningPod(ctx, "shell", "busybox", "sleep", "1000"); err != nil {
		return err
	}
	where := func(stdin bool, command ...string) *url.URL {
		return s.execURL("shell", &corev1.PodExecOptions{Command: command, Stdin: stdin, Stdout: true, Stderr: true})
	}
	ways := map[string]func(*url.URL) (remotecommand.Executor, error){
		"websocket": func(at *url.URL) (remotecommand.Executor, error) {
			return remotecommand.NewWebSocketExecutor(s.config, "GET", at.String())
		},
		"spdy": func(at *url.URL) (remotecommand.Executor, error) {
			return remotecommand.NewSPDYExecutor(s.config, "POST", at)
		},
	}
	for name, way := range ways {
		executor, err := way(where(true, "sh", "-c", "cat; echo apart >&2; exit 7"))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		var out, apart bytes.Buffer
		sent := strings.Repeat("0123456789abcdef", 64*1024)
		err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: strings.NewReader(sent), Stdout: &out, Stderr: &apart})
		exit, ok := err.(exec.CodeExitError)
		if !ok || exit.Code != 7 || out.String() != sent || apart.String() != "apart\n" {
			return fmt.Errorf("%s: %d of %d bytes, %q, %v", name, out.Len(), len(sent), apart.String(), err)
		}
		executor, err = way(where(false, "no-such-program"))
		if err != nil {
			return err
		}
		err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: &out, Stderr: &apart})
		if err == nil {
			return fmt.Errorf("%s: a program that is not there ran", name)
		}
	}
	return nil
}

func forwardBothWays(ctx context.Context, s *scene) error {
	if _, err := s.runningPod(ctx, "web", "nginx"); err != nil {
		return err
	}
	at := s.typed.CoreV1().RESTClient().Post().Resource("pods").Namespace(s.namespace).Name("web").SubResource("portforward").URL()
	tunnel, err := portforward.NewSPDYOverWebsocketDialer(at, s.config)
	if err != nil {
		return err
	}
	transport, upgrader, err := spdy.RoundTripperFor(s.config)
	if err != nil {
		return err
	}
	plain := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, at)
	for name, dialer := range map[string]httpstream.Dialer{"websocket": tunnel, "spdy": plain} {
		stop, ready := make(chan struct{}), make(chan struct{})
		forwarder, err := portforward.New(dialer, []string{"0:80"}, stop, ready, io.Discard, io.Discard)
		if err != nil {
			return err
		}
		ended := make(chan error, 1)
		go func() { ended <- forwarder.ForwardPorts() }()
		select {
		case <-ready:
		case err := <-ended:
			return fmt.Errorf("%s: %v", name, err)
		}
		ports, err := forwarder.GetPorts()
		if err != nil {
			return err
		}
		for i := 0; i < 5; i++ {
			answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/", ports[0].Local))
			if err != nil || answer.StatusCode != http.StatusOK {
				return fmt.Errorf("%s: %v %v", name, answer, err)
			}
			_, _ = io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
		}
		close(stop)
		if err := <-ended; err != nil {
			return fmt.Errorf("%s ended: %w", name, err)
		}
	}
	return nil
}

func followLogs(ctx context.Context, s *scene) error {
	if _, err := s.runningPod(ctx, "talks", "busybox", "sh", "-c", "for i in 1 2 3 4 5; do echo line $i; sleep 0.3; done"); err != nil {
		return err
	}
	stream, err := s.typed.CoreV1().Pods(s.namespace).GetLogs("talks", &corev1.PodLogOptions{Follow: true, Timestamps: true}).Stream(ctx)
	if err != nil {
		return err
	}
	defer stream.Close()
	text, err := io.ReadAll(stream)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if err != nil || len(lines) < 5 {
		return fmt.Errorf("%q %v", text, err)
	}
	if _, err := time.Parse(time.RFC3339Nano, strings.Fields(lines[0])[0]); err != nil {
		return err
	}
	return nil
}

func proxies(ctx context.Context, s *scene) error {
	if _, err := s.runningPod(ctx, "web", "nginx"); err != nil {
		return err
	}
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "web"}, Ports: []corev1.ServicePort{{Port: 80, Name: "http"}}}}
	if _, err := s.typed.CoreV1().Services(s.namespace).Create(ctx, service, metav1.CreateOptions{}); err != nil {
		return err
	}
	if _, err := s.typed.CoreV1().Pods(s.namespace).ProxyGet("http", "web", "80", "/", nil).DoRaw(ctx); err != nil {
		return fmt.Errorf("pod: %w", err)
	}
	return s.eventually(ctx, "the service answers through the proxy", func() (bool, error) {
		_, err := s.typed.CoreV1().Services(s.namespace).ProxyGet("http", "web", "http", "/", nil).DoRaw(ctx)
		return err == nil, nil
	})
}
