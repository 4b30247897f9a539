import type { Json } from '../replica.js';
import { labels } from './kind-row.js';

const probe = { initialDelaySeconds: 1, periodSeconds: 2, timeoutSeconds: 3, failureThreshold: 4 };
const term = { matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] };
const podTerm = { labelSelector: { matchLabels: labels }, topologyKey: 'kubernetes.io/hostname' };

const container: Json = {
  name: 'web',
  image: 'nginx:1',
  command: ['/bin/web'],
  args: ['--port', '80'],
  workingDir: '/srv',
  ports: [{ name: 'web', containerPort: 80, protocol: 'TCP' }],
  env: [
    { name: 'A', value: '1' },
    { name: 'B', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
    { name: 'C', valueFrom: { secretKeyRef: { name: 's', key: 'k', optional: true } } },
    { name: 'D', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
  ],
  envFrom: [{ prefix: 'P_', configMapRef: { name: 'c', optional: true } }],
  resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m', memory: '1Gi' } },
  resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }],
  volumeMounts: [
    { name: 'scratch', mountPath: '/scratch', subPath: 'a' },
    { name: 'config', mountPath: '/etc/web', readOnly: true },
  ],
  livenessProbe: { ...probe, httpGet: { path: '/', port: 'web', scheme: 'HTTP' } },
  readinessProbe: { ...probe, tcpSocket: { port: 80 } },
  startupProbe: { ...probe, exec: { command: ['true'] } },
  lifecycle: { preStop: { exec: { command: ['sleep', '1'] } } },
  terminationMessagePolicy: 'FallbackToLogsOnError',
  imagePullPolicy: 'IfNotPresent',
  securityContext: {
    runAsNonRoot: true,
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  },
};

/** A pod that says as much as is legal together. */
export const maximalPodSpec: Json = {
  initContainers: [{ name: 'init', image: 'busybox', restartPolicy: 'Always' }],
  containers: [container, { name: 'side', image: 'busybox' }],
  volumes: [
    { name: 'scratch', emptyDir: { sizeLimit: '1Gi' } },
    { name: 'config', configMap: { name: 'c', items: [{ key: 'k', path: 'p' }], optional: true } },
    { name: 'secret', secret: { secretName: 's', defaultMode: 256 } },
    { name: 'host', hostPath: { path: '/var', type: 'Directory' } },
    { name: 'claim', persistentVolumeClaim: { claimName: 'c', readOnly: true } },
    {
      name: 'all',
      projected: {
        sources: [
          { serviceAccountToken: { audience: 'a', expirationSeconds: 3600, path: 'token' } },
          { downwardAPI: { items: [{ path: 'l', fieldRef: { fieldPath: 'metadata.labels' } }] } },
        ],
      },
    },
  ],
  restartPolicy: 'OnFailure',
  terminationGracePeriodSeconds: 5,
  activeDeadlineSeconds: 1000,
  dnsPolicy: 'None',
  dnsConfig: {
    nameservers: ['10.0.0.10'],
    searches: ['x.y'],
    options: [{ name: 'ndots', value: '2' }],
  },
  nodeSelector: { disk: 'ssd' },
  serviceAccountName: 'builder',
  automountServiceAccountToken: false,
  shareProcessNamespace: true,
  securityContext: {
    runAsUser: 1000,
    runAsGroup: 1000,
    fsGroup: 2000,
    fsGroupChangePolicy: 'OnRootMismatch',
    supplementalGroups: [3000],
    sysctls: [{ name: 'net.core.somaxconn', value: '1' }],
  },
  imagePullSecrets: [{ name: 'pull' }],
  hostname: 'host',
  subdomain: 'sub',
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] },
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: term }],
    },
    podAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 5, podAffinityTerm: podTerm }],
    },
    podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [podTerm] },
  },
  schedulerName: 'other',
  tolerations: [
    { key: 'k', operator: 'Equal', value: 'v', effect: 'NoExecute', tolerationSeconds: 9 },
  ],
  hostAliases: [{ ip: '10.0.0.1', hostnames: ['a.b'] }],
  readinessGates: [{ conditionType: 'example.com/ready' }],
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: 'zone',
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: labels },
      minDomains: 2,
      nodeTaintsPolicy: 'Honor',
    },
  ],
  os: { name: 'linux' },
  enableServiceLinks: false,
};
