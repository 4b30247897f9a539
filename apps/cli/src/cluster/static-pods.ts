import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pod } from '@orrery/api';
import { encodeYaml } from '@orrery/apimachinery';
import { joinHostPort } from '@orrery/component';
import {
  API_PORT,
  IMAGE_TAG,
  apiServer,
  controllerManager,
  etcdClientUrl,
  etcdNumbers,
  etcdProcessName,
  scheduler,
} from './plan.js';
import type { Instance, PlanInput } from './plan.js';
import { nodeName } from './layout.js';

const ETCD_MANIFEST = /^etcd(-\d+)?\.yaml$/;
const ETCD_IMAGE = 'registry.k8s.io/etcd:3.5.24-0';

interface StaticPod {
  readonly name: string;
  readonly component: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly probe?: { readonly port: number; readonly path: string };
}

/**
 * A pod of the control plane as kubeadm writes it; its container is the process that the supervisor runs
 * (annotation orrery.dev/process).
 */
function toPod(pod: StaticPod, host: string): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: pod.name,
      namespace: 'kube-system',
      labels: { component: pod.component, tier: 'control-plane' },
      annotations: { 'orrery.dev/process': pod.name, ...pod.annotations },
    },
    spec: {
      hostNetwork: true,
      priorityClassName: 'system-node-critical',
      securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: pod.component,
          image: pod.image,
          imagePullPolicy: 'IfNotPresent',
          command: [...pod.command],
          ...(pod.probe
            ? {
                livenessProbe: {
                  failureThreshold: 8,
                  initialDelaySeconds: 10,
                  periodSeconds: 10,
                  timeoutSeconds: 15,
                  httpGet: { host, path: pod.probe.path, port: pod.probe.port, scheme: 'HTTPS' },
                },
              }
            : {}),
          resources: { requests: { cpu: '100m' } },
        },
      ],
    },
  };
}

const fromInstance = (instance: Instance): StaticPod => ({
  name: instance.name,
  component: instance.app,
  image: `registry.k8s.io/${instance.app}:${IMAGE_TAG}`,
  command: [instance.app, ...instance.args],
});

/** The manifests of the first node: etcd's members and the control plane, standbys included. */
export function staticPods(input: PlanInput, standby: boolean): StaticPod[] {
  const endpoint = joinHostPort(input.addresses.apiServer, API_PORT);
  const members = etcdNumbers(input).map((n) => {
    const url = etcdClientUrl(input, n);
    return {
      name: etcdProcessName(n),
      component: 'etcd',
      image: ETCD_IMAGE,
      command: ['etcd', `--advertise-client-urls=${url}`],
      annotations: { 'kubeadm.kubernetes.io/etcd.advertise-client-urls': url },
    };
  });
  const replicas = standby ? [1, 2] : [1];
  return [
    ...members,
    {
      ...fromInstance(apiServer(input)),
      annotations: { 'kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint': endpoint },
      probe: { port: API_PORT, path: '/livez' },
    },
    ...replicas.map((replica) => fromInstance(controllerManager(input, replica))),
    ...replicas.map((replica) => fromInstance(scheduler(input, replica))),
  ];
}

/** Writes one manifest a static pod into the first node's manifest folder; those of removed etcd members go. */
export function writeStaticPods(input: PlanInput): void {
  const dir = input.files.node(nodeName(1), 'manifests');
  mkdirSync(dir, { recursive: true });
  const pods = staticPods(input, input.standby);
  const wanted = new Set(pods.map(({ name }) => `${name}.yaml`));
  for (const file of readdirSync(dir))
    if (ETCD_MANIFEST.test(file) && !wanted.has(file)) rmSync(join(dir, file));
  for (const pod of pods)
    writeFileSync(
      input.files.node(nodeName(1), 'manifests', `${pod.name}.yaml`),
      encodeYaml(toPod(pod, input.addresses.apiServer)),
    );
}
