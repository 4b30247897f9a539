import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SystemClock } from '@orrery/component';
import { issueCertificate, parseCa, toKubeconfig } from '@orrery/pki';
import { orreryLine, quote } from '../e2e/harness/index.js';
import type { BackgroundCommand, Cluster } from '../e2e/harness/index.js';

export interface ContainerdNode {
  readonly name: string;
  readonly ip: string;
  readonly socket: string;
  readonly folder: string;
}

/** A kubelet of ours on somebody else's runtime, as a further node of the cluster. */
export async function startNode(
  cluster: Cluster,
  node: ContainerdNode,
): Promise<() => BackgroundCommand> {
  const pki = (name: string): string => readFileSync(join(cluster.dir, 'pki', name), 'utf8');
  const ca = parseCa({ certPem: pki('ca.crt'), keyPem: pki('ca.key') });
  const now = new SystemClock().now();
  const subject = { commonName: `system:node:${node.name}`, organizations: ['system:nodes'] };
  const client = await issueCertificate(ca, { ...subject, usages: ['clientAuth'], now });
  const serving = await issueCertificate(ca, {
    ...subject,
    usages: ['serverAuth'],
    sans: { dns: [node.name], ips: [node.ip] },
    now,
  });
  mkdirSync(node.folder, { recursive: true });
  const file = (name: string, content: string): string => {
    writeFileSync(join(node.folder, name), content, { mode: 0o600 });
    return join(node.folder, name);
  };
  const line = orreryLine(
    'kubelet',
    `--kubeconfig=${file(
      'kubelet.conf',
      toKubeconfig({
        clusterName: 'kubernetes',
        server: `https://127.${cluster.block}.0.1:6443`,
        caPem: ca.certPem,
        userName: subject.commonName,
        credentials: client,
      }),
    )}`,
    `--hostname-override=${node.name}`,
    `--node-ip=${node.ip}`,
    `--root-dir=${join(node.folder, 'kubelet')}`,
    `--container-runtime-endpoint=unix://${node.socket}`,
    `--tls-cert-file=${file('kubelet.crt', serving.certPem)}`,
    `--tls-private-key-file=${file('kubelet.key', serving.keyPem)}`,
    `--client-ca-file=${file('ca.crt', ca.certPem)}`,
  );
  return () => cluster.shellBackground(`${line} 2>> ${quote(join(node.folder, 'kubelet.log'))}`);
}
