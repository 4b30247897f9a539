import type { Namespace, NetworkPolicy, Pod } from '@orrery/api';

type Labels = Record<string, string>;

/** A running pod with one address; `ports` by name. */
export const pod = (
  namespaceName: string,
  name: string,
  ip: string,
  labels: Labels = {},
  ports: Readonly<Record<string, number>> = {},
): Pod => ({
  metadata: { namespace: namespaceName, name, labels },
  spec: {
    containers: [
      {
        name: 'c',
        ports: Object.entries(ports).map(([port, containerPort]) => ({
          name: port,
          containerPort,
        })),
      },
    ],
  },
  status: { phase: 'Running', podIP: ip, podIPs: [{ ip }] },
});

export const namespace = (name: string, labels: Labels = {}): Namespace => ({
  metadata: { name, labels },
  spec: {},
});

export const policy = (
  namespaceName: string,
  name: string,
  spec: NetworkPolicy['spec'],
): NetworkPolicy => ({ metadata: { namespace: namespaceName, name }, spec });
