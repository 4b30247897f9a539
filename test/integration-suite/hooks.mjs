// What is changed in a copy of Kubernetes' source so that its integration tests start another API server.

const IMPORT = '"k8s.io/kubernetes/test/otherserver"';

/** The text with each piece put in behind its anchor; an anchor that is not there once is an error. */
function withPieces(file, text, pieces) {
  return pieces.reduce((all, { before, piece }) => {
    const at = all.indexOf(before);
    if (at < 0 || all.includes(before, at + 1))
      throw new Error(`${file}: ${JSON.stringify(before)} is not there once: another release?`);
    return all.slice(0, at) + piece + all.slice(at);
  }, text);
}

const flagSet = (name, options) => `	${name} := pflag.NewFlagSet("test", pflag.ContinueOnError)
	for _, set := range ${options}.Flags().FlagSets {
		${name}.AddFlagSet(set)
	}
`;

const TEST_SERVER = [
  { before: '	testutil "k8s.io/kubernetes/test/utils"\n', piece: `	${IMPORT}\n` },
  {
    before: '	completedOptions, err := s.Complete()\n',
    piece: `${flagSet('defaults', 'options.NewServerRunOptions()')}	given := otherserver.Given(t, fs, defaults)\n`,
  },
  {
    before: '	config, err := app.NewConfig(completedOptions)\n',
    piece: `	if otherserver.Program != "" {
		if instanceOptions.StorageVersionWrapFunc != nil {
			return result, fmt.Errorf("wraps the manager of storage versions, which only a server that is linked in has")
		}
		clientConfig, stop := otherserver.Start(t, given, result.TmpDir, s.SecureServing.Listener)
		client, err := kubernetes.NewForConfig(clientConfig)
		if err != nil {
			return result, err
		}
		if !instanceOptions.SkipHealthzCheck {
			if err := wait.Poll(50*time.Millisecond, time.Minute, func() (bool, error) {
				status := 0
				client.CoreV1().RESTClient().Get().AbsPath("/readyz").Do(context.TODO()).StatusCode(&status)
				return status == 200, nil
			}); err != nil {
				stop()
				return result, fmt.Errorf("failed to wait for /readyz: %v", err)
			}
		}
		etcdClient, err := clientv3.New(clientv3.Config{Endpoints: storageConfig.Transport.ServerList, DialTimeout: 20 * time.Second})
		if err != nil {
			stop()
			return result, err
		}
		result.ClientConfig, result.ServerOpts = clientConfig, s
		result.EtcdClient, result.EtcdStoragePrefix = etcdClient, storageConfig.Prefix
		result.TearDownFn = func() {
			stop()
			close(stopCh)
			os.RemoveAll(result.TmpDir)
			etcdClient.Close()
		}
		return result, nil
	}
`,
  },
];

const FRAMEWORK = [
  { before: '	"k8s.io/kubernetes/test/utils"\n', piece: `	"github.com/spf13/pflag"\n	${IMPORT}\n` },
  {
    before: '	completedOptions, err := opts.Complete()\n',
    piece: `${flagSet('flags', 'opts')}${flagSet('defaults', 'options.NewServerRunOptions()')}	given := otherserver.Given(t, flags, defaults)\n`,
  },
  {
    before: '	kubeAPIServerConfig, _, _, err := app.CreateKubeAPIServerConfig(completedOptions)\n',
    piece: `	if otherserver.Program != "" {
		if setup.ModifyServerConfig != nil {
			t.Log("changes the config of a server that is linked in: not passed on")
		}
		config, stop := otherserver.Start(t, given, certDir, listener)
		other, err := client.NewForConfig(config)
		if err != nil {
			t.Fatal(err)
		}
		if err := wait.PollImmediate(50*time.Millisecond, time.Minute, func() (bool, error) {
			status := 0
			other.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).StatusCode(&status)
			return status == http.StatusOK, nil
		}); err != nil {
			stop()
			t.Fatal(err)
		}
		return other, config, func() {
			cancel()
			stop()
			os.RemoveAll(certDir)
		}
	}
`,
  },
];

// The key of service-account tokens is read by a server that starts later than the function ends.
const KEY_GOES = '	defer os.RemoveAll(saSigningKeyFile.Name())\n';

/** By file: how its text is changed. */
export const HOOKS = {
  'cmd/kube-apiserver/app/testing/testserver.go': (text, file) =>
    withPieces(file, text.replace(KEY_GOES, ''), TEST_SERVER),
  'test/integration/framework/test_server.go': (text, file) => withPieces(file, text, FRAMEWORK),
};
