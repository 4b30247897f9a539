import type {
  ClusterRole,
  ClusterRoleBinding,
  ConfigMap,
  DaemonSet,
  ServiceAccount,
} from '@orrery/api';
import { encodeYaml } from '@orrery/apimachinery';
import { IMAGE_TAG } from '../cluster/plan.js';

/** What kube-proxy's objects depend on. */
export interface KubeProxyAddon {
  readonly server: string;
  readonly clusterCidr: string;
  readonly dataplaneSocket: string;
  /** Address of the cluster's DNS; without it there is none. */
  readonly dns?: string;
}

const META = { name: 'kube-proxy', namespace: 'kube-system' };
const LABELS = { 'k8s-app': 'kube-proxy' };
const TOKENS = '/var/run/secrets/kubernetes.io/serviceaccount';

const configuration = (clusterCIDR: string): unknown => ({
  apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
  kind: 'KubeProxyConfiguration',
  bindAddress: '0.0.0.0',
  clientConnection: { kubeconfig: '/var/lib/kube-proxy/kubeconfig.conf' },
  clusterCIDR,
  configSyncPeriod: '15m0s',
  enableProfiling: false,
  healthzBindAddress: '',
  hostnameOverride: '',
  iptables: { masqueradeAll: false, minSyncPeriod: '0s', syncPeriod: '30s' },
  ipvs: {
    excludeCIDRs: null,
    minSyncPeriod: '0s',
    scheduler: '',
    strictARP: false,
    syncPeriod: '30s',
  },
  metricsBindAddress: '',
  mode: '',
  nodePortAddresses: null,
});

const kubeconfig = (server: string): unknown => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'default', cluster: { 'certificate-authority': `${TOKENS}/ca.crt`, server } }],
  contexts: [
    { name: 'default', context: { cluster: 'default', namespace: 'default', user: 'default' } },
  ],
  'current-context': 'default',
  users: [{ name: 'default', user: { tokenFile: `${TOKENS}/token` } }],
});

export const serviceAccount = (): ServiceAccount => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: META,
});

/** As kubeadm binds it (k8s cmd/kubeadm/app/phases/addons/proxy/proxy.go). */
export const roleBinding = (): ClusterRoleBinding => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: 'kubeadm:node-proxier' },
  roleRef: {
    apiGroup: 'rbac.authorization.k8s.io',
    kind: 'ClusterRole',
    name: 'system:node-proxier',
  },
  subjects: [{ kind: 'ServiceAccount', ...META }],
});

const POLICY_ROLE = 'orrery:network-policies';

/** What kube-proxy reads for NetworkPolicies, and for endpoints at addresses of nodes, beyond what upstream's may. */
export const policyRole = (): ClusterRole => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: POLICY_ROLE },
  rules: [
    { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: ['list', 'watch'] },
    { apiGroups: [''], resources: ['pods', 'namespaces', 'nodes'], verbs: ['list', 'watch'] },
  ],
});

export const policyRoleBinding = (): ClusterRoleBinding => ({
  ...roleBinding(),
  metadata: { name: POLICY_ROLE },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: POLICY_ROLE },
});

export const configMap = (addon: KubeProxyAddon): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { ...META, labels: { app: 'kube-proxy' } },
  data: {
    'config.conf': encodeYaml(configuration(addon.clusterCidr)),
    'kubeconfig.conf': encodeYaml(kubeconfig(addon.server)),
  },
});

export const daemonSet = (addon: KubeProxyAddon): DaemonSet => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { ...META, labels: LABELS },
  spec: {
    selector: { matchLabels: LABELS },
    updateStrategy: { type: 'RollingUpdate' },
    template: {
      metadata: { labels: LABELS },
      spec: {
        hostNetwork: true,
        nodeSelector: { 'kubernetes.io/os': 'linux' },
        priorityClassName: 'system-node-critical',
        serviceAccountName: 'kube-proxy',
        tolerations: [{ operator: 'Exists' }],
        containers: [
          {
            name: 'kube-proxy',
            image: `registry.k8s.io/kube-proxy:${IMAGE_TAG}`,
            imagePullPolicy: 'IfNotPresent',
            command: [
              '/usr/local/bin/kube-proxy',
              '--config=/var/lib/kube-proxy/config.conf',
              '--hostname-override=$(NODE_NAME)',
              `--dataplane=unix://${addon.dataplaneSocket}`,
            ],
            env: [{ name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }],
            securityContext: { privileged: true },
            volumeMounts: [{ mountPath: '/var/lib/kube-proxy', name: 'kube-proxy' }],
          },
        ],
        volumes: [{ name: 'kube-proxy', configMap: { name: 'kube-proxy' } }],
      },
    },
  },
});
