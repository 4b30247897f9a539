// Upstream's apiextensions-apiserver alone: it serves definitions and custom resources from an etcd of its own, and asks our
// API server, as the core one, who a token is and which namespaces there are.
import { mkdirSync, writeFileSync } from 'node:fs';
import { Side, TOKEN, scratch } from '../../bench/api/servers.mjs';

const kubeconfig = (server) => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'core', cluster: { server, 'insecure-skip-tls-verify': true } }],
  users: [{ name: 'admin', user: { token: TOKEN } }],
  contexts: [{ name: 'core', context: { cluster: 'core', user: 'admin' } }],
  'current-context': 'core',
});

class ExtensionSide extends Side {
  get flags() {
    const core = scratch('core.kubeconfig');
    return [
      `--etcd-servers=http://${this.etcd}:2379`,
      `--bind-address=${this.host}`,
      '--secure-port=6443',
      `--cert-dir=${scratch('certificates')}`,
      ...['authentication-', 'authorization-', ''].map((of) => `--${of}kubeconfig=${core}`),
      '--authentication-skip-lookup',
      '--enable-priority-and-fairness=false',
    ];
  }
}

/** Its side, beside a core API server at `core` (a URL). */
export function extensionSide(program, number, core) {
  mkdirSync(scratch('certificates'));
  writeFileSync(scratch('core.kubeconfig'), JSON.stringify(kubeconfig(core)));
  return new ExtensionSide('upstream', number, program, []);
}
