import { randomInt } from 'node:crypto';
import type { ClusterRoleBinding, Secret } from '@orrery/api';
import { ConfigError } from '@orrery/component';

/** The group of those who join with the token, as kubeadm names it. */
const GROUP = 'system:bootstrappers:kubeadm:default-node-token';
const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';

const randomText = (length: number): string =>
  Array.from({ length }, () => LETTERS[randomInt(LETTERS.length)]).join('');

/** A new token, ID.SECRET (k8s staging/src/k8s.io/cluster-bootstrap/token/util/helpers.go:GenerateBootstrapToken). */
export const createBootstrapToken = (): string => `${randomText(6)}.${randomText(16)}`;

/** The Secret by which the API server knows the token (k8s pkg/apis/bootstraptoken). */
export function bootstrapTokenSecret(token: string): Secret {
  const [, id, secret] = /^([a-z0-9]{6})\.([a-z0-9]{16})$/.exec(token) ?? [];
  if (id === undefined || secret === undefined)
    throw new ConfigError('a bootstrap token has the form ID.SECRET of 6 and 16 letters or digits');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
    type: 'bootstrap.kubernetes.io/token',
    stringData: {
      'token-id': id,
      'token-secret': secret,
      'usage-bootstrap-authentication': 'true',
      'usage-bootstrap-signing': 'true',
      'auth-extra-groups': GROUP,
    },
  };
}

const binding = (name: string, role: string, group: string): ClusterRoleBinding => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: group }],
});

/** Who may ask for a node's certificate and is given it (k8s cmd/kubeadm/app/phases/bootstraptoken/node/tlsbootstrap.go). */
export const joiningNodes = (): readonly ClusterRoleBinding[] => [
  binding('kubeadm:kubelet-bootstrap', 'system:node-bootstrapper', GROUP),
  binding(
    'kubeadm:node-autoapprove-bootstrap',
    'system:certificates.k8s.io:certificatesigningrequests:nodeclient',
    GROUP,
  ),
  binding(
    'kubeadm:node-autoapprove-certificate-rotation',
    'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient',
    'system:nodes',
  ),
];
