import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { issueCertificate } from './certificate.js';
import type { CertificateAuthority, IssueOptions } from './certificate.js';
import { generateKeyPair, privateKeyToPem, publicKeyToPem } from './keys.js';
import { toKubeconfig } from './kubeconfig.js';
import {
  ensureCa,
  ensureCertificate,
  kubeconfigIsCurrent,
  renewalOf,
  writePrivate,
} from './pki-store.js';

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
  /** When the first of the control plane's certificates wants renewal, in milliseconds since the epoch. */
  readonly renewAt: number;
  kubeletConf(node: string): string;
}

/** Names of the certificates below pki/. */
const SIGNED = ['apiserver', 'health', 'apiserver-kubelet-client', 'front-proxy-client'];

interface Client {
  readonly path: string;
  readonly user: string;
  readonly commonName: string;
  readonly organizations?: readonly string[];
}

async function ensureKubeconfig(
  options: ClusterPkiOptions,
  ca: CertificateAuthority,
  c: Client,
): Promise<void> {
  const issue: IssueOptions = {
    commonName: c.commonName,
    ...(c.organizations ? { organizations: c.organizations } : {}),
    usages: ['clientAuth'],
    now: options.now,
  };
  if (kubeconfigIsCurrent(c.path, ca, options.server, issue)) return;
  const credentials = await issueCertificate(ca, issue);
  writePrivate(
    c.path,
    toKubeconfig({
      clusterName: options.clusterName ?? 'kubernetes',
      server: options.server,
      caPem: ca.certPem,
      userName: c.user,
      credentials,
    }),
  );
}

async function ensureServiceAccountKey(pki: string): Promise<void> {
  if (existsSync(join(pki, 'sa.key')) && existsSync(join(pki, 'sa.pub'))) return;
  const keys = await generateKeyPair();
  writePrivate(join(pki, 'sa.key'), privateKeyToPem(keys.privateKey));
  writePrivate(join(pki, 'sa.pub'), publicKeyToPem(keys.publicKey));
}

function ensureServerCertificate(
  options: ClusterPkiOptions,
  pki: string,
  ca: CertificateAuthority,
): Promise<void> {
  const { now, apiserverSans } = options;
  const domain = options.clusterDomain ?? 'cluster.local';
  return ensureCertificate(join(pki, 'apiserver'), ca, {
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
}

/** What the controller manager and the scheduler serve health with, who else would make themselves one at each start. */
const ensureHealth = (
  { now, apiserverSans }: ClusterPkiOptions,
  pki: string,
  ca: CertificateAuthority,
): Promise<void> =>
  ensureCertificate(join(pki, 'health'), ca, {
    commonName: 'health',
    usages: ['serverAuth'],
    now,
    sans: { dns: ['localhost'], ips: apiserverSans.ips },
  });

/** The front proxy has a CA of its own, so that no client of the cluster can pass for it. */
async function ensureFrontProxy(pki: string, now: number): Promise<void> {
  const ca = await ensureCa(join(pki, 'front-proxy-ca'), 'front-proxy-ca', now);
  await ensureCertificate(join(pki, 'front-proxy-client'), ca, {
    commonName: 'front-proxy-client',
    usages: ['clientAuth'],
    now,
  });
}

function ensureNode(
  options: ClusterPkiOptions,
  ca: CertificateAuthority,
  node: PkiNode,
): readonly Promise<void>[] {
  const home = join(options.dir, 'nodes', node.name);
  const user = `system:node:${node.name}`;
  return [
    ensureKubeconfig(options, ca, {
      path: join(home, 'kubelet.conf'),
      user,
      commonName: user,
      organizations: ['system:nodes'],
    }),
    ensureCertificate(join(home, 'pki', 'kubelet'), ca, {
      commonName: user,
      organizations: ['system:nodes'],
      usages: ['serverAuth'],
      now: options.now,
      sans: { dns: [node.name], ips: node.ips },
    }),
  ];
}

function controlPlaneClients(conf: (name: string) => string): readonly Client[] {
  return [
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
}

/** Of the control plane: a node renews its own. */
const firstRenewal = (pki: string, clients: readonly Client[]): number =>
  Math.min(
    ...SIGNED.map((name) => renewalOf(join(pki, `${name}.crt`))),
    ...clients.map(({ path }) => renewalOf(path)),
  );

/** The results of all; a failure is thrown after the rest has ended too, so that nothing goes on writing. */
async function together<T extends readonly unknown[]>(
  tasks: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(tasks);
  return Promise.all(tasks);
}

/** Everything that the cluster's CA signs. */
function ensureSigned(
  options: ClusterPkiOptions,
  pki: string,
  ca: CertificateAuthority,
  clients: readonly Client[],
): readonly Promise<void>[] {
  return [
    ensureServerCertificate(options, pki, ca),
    ensureHealth(options, pki, ca),
    ensureCertificate(join(pki, 'apiserver-kubelet-client'), ca, {
      commonName: 'kube-apiserver-kubelet-client',
      organizations: ['system:masters'],
      usages: ['clientAuth'],
      now: options.now,
    }),
    ...clients.map((client) => ensureKubeconfig(options, ca, client)),
    ...options.nodes.flatMap((node) => ensureNode(options, ca, node)),
  ];
}

/**
 * Makes the certificates, keys and kubeconfigs of a cluster under kubeadm's file names, side by side. Keeps
 * everything that exists and is still good, so it may run at every start; files have mode 0600.
 */
export async function createClusterPki(options: ClusterPkiOptions): Promise<ClusterPki> {
  const { dir, now } = options;
  const pki = join(dir, 'pki');
  const conf = (name: string): string => join(dir, `${name}.conf`);
  const [ca] = await together([
    ensureCa(join(pki, 'ca'), 'kubernetes', now),
    ensureFrontProxy(pki, now),
    ensureServiceAccountKey(pki),
  ] as const);
  const clients = controlPlaneClients(conf);
  await together(ensureSigned(options, pki, ca, clients));
  return {
    pkiDir: pki,
    caPem: ca.certPem,
    adminConf: conf('admin'),
    controllerManagerConf: conf('controller-manager'),
    schedulerConf: conf('scheduler'),
    renewAt: firstRenewal(pki, clients),
    kubeletConf: (node) => join(dir, 'nodes', node, 'kubelet.conf'),
  };
}
