import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { issueCertificate } from './certificate.js';
import type { CertificateAuthority, IssueOptions } from './certificate.js';
import { generateKeyPair, privateKeyToPem, publicKeyToPem } from './keys.js';
import { toKubeconfig } from './kubeconfig.js';
import { ensureCa, ensureCertificate, kubeconfigIsCurrent, writePrivate } from './pki-store.js';

export interface PkiNode {
  readonly name: string;
  readonly ips: readonly string[];
}

export interface ClusterPkiOptions {
  /** The cluster's folder: certificates go below pki/, kubeconfigs beside it, a node's below nodes/<node>/. */
  readonly dir: string;
  /** Name in the kubeconfigs. Default kubernetes. */
  readonly clusterName?: string;
  /** Address of the API server, as kubeconfigs name it: https://127.1.0.1:6443. */
  readonly server: string;
  /** Beyond kubernetes, kubernetes.default, ….svc, ….svc.<clusterDomain> and localhost. */
  readonly apiserverSans: { readonly dns?: readonly string[]; readonly ips: readonly string[] };
  readonly clusterDomain?: string;
  readonly nodes: readonly PkiNode[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Where createClusterPki put things. */
export interface ClusterPki {
  readonly pkiDir: string;
  readonly caPem: string;
  readonly adminConf: string;
  readonly controllerManagerConf: string;
  readonly schedulerConf: string;
  kubeletConf(node: string): string;
}

interface Client {
  readonly path: string;
  readonly user: string;
  readonly commonName: string;
  readonly organizations?: readonly string[];
}

function ensureKubeconfig(options: ClusterPkiOptions, ca: CertificateAuthority, c: Client): void {
  const issue: IssueOptions = {
    commonName: c.commonName,
    ...(c.organizations ? { organizations: c.organizations } : {}),
    usages: ['clientAuth'],
    now: options.now,
  };
  if (kubeconfigIsCurrent(c.path, ca, options.server, issue)) return;
  writePrivate(
    c.path,
    toKubeconfig({
      clusterName: options.clusterName ?? 'kubernetes',
      server: options.server,
      caPem: ca.certPem,
      userName: c.user,
      credentials: issueCertificate(ca, issue),
    }),
  );
}

function ensureServiceAccountKey(pki: string): void {
  if (existsSync(join(pki, 'sa.key')) && existsSync(join(pki, 'sa.pub'))) return;
  const keys = generateKeyPair();
  writePrivate(join(pki, 'sa.key'), privateKeyToPem(keys.privateKey));
  writePrivate(join(pki, 'sa.pub'), publicKeyToPem(keys.publicKey));
}

function ensureServerCertificates(
  options: ClusterPkiOptions,
  pki: string,
  ca: CertificateAuthority,
): void {
  const { now, apiserverSans } = options;
  const domain = options.clusterDomain ?? 'cluster.local';
  ensureCertificate(join(pki, 'apiserver'), ca, {
    commonName: 'kube-apiserver',
    usages: ['serverAuth'],
    now,
    sans: {
      dns: [
        'kubernetes',
        'kubernetes.default',
        'kubernetes.default.svc',
        `kubernetes.default.svc.${domain}`,
        'localhost',
        ...(apiserverSans.dns ?? []),
      ],
      ips: apiserverSans.ips,
    },
  });
  ensureCertificate(join(pki, 'apiserver-kubelet-client'), ca, {
    commonName: 'kube-apiserver-kubelet-client',
    organizations: ['system:masters'],
    usages: ['clientAuth'],
    now,
  });
  ensureCertificate(
    join(pki, 'front-proxy-client'),
    ensureCa(join(pki, 'front-proxy-ca'), 'front-proxy-ca', now),
    { commonName: 'front-proxy-client', usages: ['clientAuth'], now },
  );
}

function ensureNode(options: ClusterPkiOptions, ca: CertificateAuthority, node: PkiNode): void {
  const home = join(options.dir, 'nodes', node.name);
  const user = `system:node:${node.name}`;
  ensureKubeconfig(options, ca, {
    path: join(home, 'kubelet.conf'),
    user,
    commonName: user,
    organizations: ['system:nodes'],
  });
  ensureCertificate(join(home, 'pki', 'kubelet'), ca, {
    commonName: user,
    organizations: ['system:nodes'],
    usages: ['serverAuth'],
    now: options.now,
    sans: { dns: [node.name], ips: node.ips },
  });
}

/**
 * Makes the certificates, keys and kubeconfigs of a cluster under kubeadm's file names. Keeps everything
 * that exists and is still good, so it may run at every start; files have mode 0600.
 */
export function createClusterPki(options: ClusterPkiOptions): ClusterPki {
  const { dir, now } = options;
  const pki = join(dir, 'pki');
  const ca = ensureCa(join(pki, 'ca'), 'kubernetes', now);
  ensureServerCertificates(options, pki, ca);
  ensureServiceAccountKey(pki);
  const conf = (name: string): string => join(dir, `${name}.conf`);
  const clients: readonly Client[] = [
    {
      path: conf('admin'),
      user: 'kubernetes-admin',
      commonName: 'kubernetes-admin',
      organizations: ['system:masters'],
    },
    {
      path: conf('controller-manager'),
      user: 'system:kube-controller-manager',
      commonName: 'system:kube-controller-manager',
      // All controllers act as this one user, where kubeadm gives each a service account of its own.
      organizations: ['system:masters'],
    },
    {
      path: conf('scheduler'),
      user: 'system:kube-scheduler',
      commonName: 'system:kube-scheduler',
    },
  ];
  for (const client of clients) ensureKubeconfig(options, ca, client);
  for (const node of options.nodes) ensureNode(options, ca, node);
  return {
    pkiDir: pki,
    caPem: ca.certPem,
    adminConf: conf('admin'),
    controllerManagerConf: conf('controller-manager'),
    schedulerConf: conf('scheduler'),
    kubeletConf: (node) => join(dir, 'nodes', node, 'kubelet.conf'),
  };
}
