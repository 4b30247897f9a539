// Package otherserver starts the API server named by OTHER_APISERVER where a test would start the one it is linked with.
package otherserver

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/client-go/rest"
)

// Program and its first arguments; empty = tests start their own.
var Program = os.Getenv("OTHER_APISERVER")

// Logger is what a test can say.
type Logger interface {
	Logf(format string, args ...interface{})
	Fatalf(format string, args ...interface{})
}

const token = "loopback-of-tests"

// Flags that the test server has of its own, or that name features of another release.
var passedOver = map[string]bool{
	"bind-address": true, "cert-dir": true, "etcd-count-metric-poll-period": true, "feature-gates": true, "secure-port": true,
}

var knownFlags = sync.OnceValue(func() map[string]bool {
	help, err := command("--help").CombinedOutput()
	if err != nil {
		panic(fmt.Sprintf("%s --help: %v: %s", Program, err, help))
	}
	known := map[string]bool{}
	for _, word := range strings.Fields(string(help)) {
		if name, isFlag := strings.CutPrefix(word, "--"); isFlag {
			known[strings.SplitN(name, "=", 2)[0]] = true
		}
	}
	return known
})

func command(args ...string) *exec.Cmd {
	parts := strings.Fields(Program)
	return exec.Command(parts[0], append(parts[1:], args...)...)
}

// Given are the flags that differ from their defaults, as arguments; to be asked before options are completed.
// What only the test's own server knows is told of and passed over.
func Given(t Logger, flags, defaults *pflag.FlagSet) []string {
	if Program == "" {
		return nil
	}
	var args []string
	flags.VisitAll(func(f *pflag.Flag) {
		before := f.DefValue
		if one := defaults.Lookup(f.Name); one != nil {
			before = one.Value.String()
		}
		if f.Value.String() == before {
			return
		}
		if f.Name == "token-auth-file" || f.Name == "runtime-config" {
			args = append(args, "--"+f.Name+"="+f.Value.String())
			return
		}
		if passedOver[f.Name] || !knownFlags()[f.Name] {
			t.Logf("not passed on: --%s=%s", f.Name, f.Value.String())
			return
		}
		value := strings.Trim(f.Value.String(), "[]")
		if list, isList := f.Value.(pflag.SliceValue); isList {
			value = strings.Join(list.GetSlice(), ",")
		}
		args = append(args, "--"+f.Name+"="+value)
	})
	return args
}

// Start runs the program where listener is; what it says goes into a file of dir's parent. The answers are a client of
// system:masters and what ends it.
func Start(t Logger, args []string, dir string, listener net.Listener) (*rest.Config, func()) {
	port := listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	tokens := token + ",system:apiserver,uid-of-loopback,\"system:masters\"\n"
	var kept []string
	for _, arg := range args {
		if file, isTokens := strings.CutPrefix(arg, "--token-auth-file="); isTokens {
			more, err := os.ReadFile(file)
			if err != nil {
				t.Fatalf("%v", err)
			}
			tokens += string(more)
		} else if arg == "--runtime-config=api/all=true" {
			// Alpha APIs are another release's.
			kept = append(kept, "--runtime-config=api/beta=true")
		} else {
			kept = append(kept, arg)
		}
	}
	tokenFile := filepath.Join(dir, "tokens.csv")
	if err := os.WriteFile(tokenFile, []byte(tokens), 0o600); err != nil {
		t.Fatalf("%v", err)
	}
	kept = append(kept, "--secure-port="+strconv.Itoa(port), "--bind-address=127.0.0.1", "--token-auth-file="+tokenFile, "--cert-dir="+dir)
	cmd := command(kept...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	said, err := os.CreateTemp("", "other-apiserver-*.log")
	if err != nil {
		t.Fatalf("%v", err)
	}
	cmd.Stdout, cmd.Stderr = said, said
	t.Logf("API server: %s, log %s", strings.Join(kept, " "), said.Name())
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v", err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	address := fmt.Sprintf("127.0.0.1:%d", port)
	for since := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			break
		}
		select {
		case <-ended:
			text, _ := os.ReadFile(said.Name())
			t.Fatalf("the API server ended: %s", text)
		default:
		}
		if time.Since(since) > time.Minute {
			t.Fatalf("the API server does not listen")
		}
	}
	config := &rest.Config{Host: "https://" + address, BearerToken: token, QPS: 1000, Burst: 10000}
	config.TLSClientConfig.CAFile = filepath.Join(dir, "apiserver.crt")
	return config, func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		said.Close()
		os.Remove(said.Name())
	}
}
