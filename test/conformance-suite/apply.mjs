import { spawnSync } from 'node:child_process';

/** Puts an object, or a List, into the cluster under test; throws what kubectl(1) says when it cannot. */
export function apply(kubeconfig, manifest) {
  const args = [`--kubeconfig=${kubeconfig}`, 'apply', '--validate=false', '-f', '-'];
  const { status, stderr } = spawnSync(process.env.KUBECTL_BIN ?? 'kubectl', args, {
    input: JSON.stringify(manifest),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`kubectl apply: ${stderr}`);
}
