import { join } from 'node:path';
import { KUBERNETES_VERSION, joinHostPort } from '@orrery/component';
import type { ProcessSpec } from '../supervisor/managed-process.js';
import { compileCache } from './compile-cache.js';
import { nodeName } from './layout.js';
import { NODE_NETWORK, nodeNetwork, runtimeNetworkFlags, withinNode } from './node-namespaces.js';
import type { NamespacedNetwork } from './node-namespaces.js';
import type { Addresses, ClusterFiles } from './layout.js';

/** `grouped` = API server, controllers and nodes; `isolated` = a process a component; `single` = one for all. */
export type Grouping = 'grouped' | 'isolated' | 'single';

/** Everything that decides which processes a cluster has. */
export interface PlanInput {
  readonly files: ClusterFiles;
  readonly addresses: Addresses;
  readonly etcdMembers: number;
  /** Their numbers, where they are not 1 to `etcdMembers`: members were removed. */
  readonly etcdNumbers?: readonly number[];
  readonly nodes: number;
  /** How the components share processes. */
  readonly grouping: Grouping;
  /** Where the API server and node ports answer as well, for others than this machine. */
  readonly publish?: string;
  /** The one process of all components is started before its files are there: it waits for their completion of this name. */
  readonly completion?: string;
  /** Undefined: loopback. */
  readonly network?: NamespacedNetwork;
  /** A second controller manager and scheduler that wait for the leases. */
  readonly standby: boolean;
  /** Further flags by component, as `--x=y`. */
  readonly extraArgs: Readonly<Record<string, readonly string[]>>;
  readonly componentDir: string;
  readonly nodeBinary: string;
}

/** A component to run: its app and flags. */
export interface Instance {
  /** Unique name: of its process when isolated, of its log and pid files always. */
  readonly name: string;
  readonly app: string;
  readonly args: readonly string[];
}

export const API_PORT = 6443;
export const CONTROLLER_MANAGER_PORT = 10257;
export const SCHEDULER_PORT = 10259;
/** Added for each further replica of the two. */
export const REPLICA_PORTS = 1000;

/** The API server's URL. */
export const apiServerUrl = ({ apiServer }: Addresses): string =>
  `https://${joinHostPort(apiServer, API_PORT)}`;

/** The numbers of etcd's members, from which their names, addresses and folders follow. */
export const etcdNumbers = ({
  etcdNumbers: kept,
  etcdMembers,
}: Pick<PlanInput, 'etcdNumbers' | 'etcdMembers'>): readonly number[] =>
  kept ?? numbers(etcdMembers);

export const etcdEndpoints = (
  input: Pick<PlanInput, 'addresses' | 'etcdNumbers' | 'etcdMembers'>,
): string[] => etcdNumbers(input).map((n) => etcdClientUrl(input, n));

export const etcdClientUrl = ({ addresses }: Pick<PlanInput, 'addresses'>, n: number): string =>
  `http://${addresses.etcdMember(n)}:2379`;

/** The process, static pod and log of etcd's member `n`. */
export const etcdProcessName = (n: number): string => (n === 1 ? 'etcd' : `etcd-${n}`);

const extra = (input: PlanInput, component: string): readonly string[] =>
  input.extraArgs[component] ?? [];

export function apiServer(input: PlanInput): Instance {
  const { addresses, files } = input;
  return {
    name: 'kube-apiserver',
    app: 'kube-apiserver',
    args: [
      `--etcd-servers=${etcdEndpoints(input).join(',')}`,
      `--bind-address=${addresses.apiServer}`,
      `--advertise-address=${addresses.apiServer}`,
      `--secure-port=${API_PORT}`,
      `--tls-cert-file=${files.pki('apiserver.crt')}`,
      `--tls-private-key-file=${files.pki('apiserver.key')}`,
      `--client-ca-file=${files.pki('ca.crt')}`,
      `--service-account-key-file=${files.pki('sa.pub')}`,
      `--service-account-signing-key-file=${files.pki('sa.key')}`,
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      `--service-cluster-ip-range=${addresses.serviceCidr}`,
      `--cluster-cidr=${addresses.podCidr}`,
      '--authorization-mode=Node,RBAC',
      // As kubeadm: a node may change itself and its pods alone.
      '--enable-admission-plugins=NodeRestriction',
      '--enable-bootstrap-token-auth=true',
      `--kubelet-client-certificate=${files.pki('apiserver-kubelet-client.crt')}`,
      `--kubelet-client-key=${files.pki('apiserver-kubelet-client.key')}`,
      // As kubeadm, no --kubelet-certificate-authority: a node that joins serves with a certificate of its own making.
      // As kubeadm: names of nodes may be in no DNS.
      '--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname',
      `--requestheader-client-ca-file=${files.pki('front-proxy-ca.crt')}`,
      `--proxy-client-cert-file=${files.pki('front-proxy-client.crt')}`,
      `--proxy-client-key-file=${files.pki('front-proxy-client.key')}`,
      ...extra(input, 'kube-apiserver'),
    ],
  };
}

export function controllerManager(input: PlanInput, replica: number): Instance {
  const { addresses, files } = input;
  const suffix = replica === 1 ? '' : `-${replica}`;
  return {
    name: `kube-controller-manager${suffix}`,
    app: 'kube-controller-manager',
    args: [
      `--kubeconfig=${join(files.dir, 'controller-manager.conf')}`,
      `--cluster-cidr=${addresses.podCidr}`,
      '--allocate-node-cidrs=true',
      `--service-cluster-ip-range=${addresses.serviceCidr}`,
      `--root-ca-file=${files.pki('ca.crt')}`,
      `--service-account-private-key-file=${files.pki('sa.key')}`,
      `--cluster-signing-cert-file=${files.pki('ca.crt')}`,
      `--cluster-signing-key-file=${files.pki('ca.key')}`,
      '--controllers=*,bootstrapsigner,tokencleaner',
      `--local-path-dir=${files.node('{node}', 'local-path')}`,
      `--load-balancer-pool=${addresses.loadBalancerPool}`,
      '--leader-elect=true',
      ...health(files, 'controller-manager.conf'),
      `--bind-address=${addresses.apiServer}`,
      `--secure-port=${CONTROLLER_MANAGER_PORT + (replica - 1) * REPLICA_PORTS}`,
      ...extra(input, 'kube-controller-manager'),
    ],
  };
}

/** Who may read the metrics is asked of the API server, as kubeadm sets it up; the certificate is there already. */
const health = (files: ClusterFiles, kubeconfig: string): readonly string[] => [
  `--authentication-kubeconfig=${join(files.dir, kubeconfig)}`,
  `--authorization-kubeconfig=${join(files.dir, kubeconfig)}`,
  `--tls-cert-file=${files.pki('health.crt')}`,
  `--tls-private-key-file=${files.pki('health.key')}`,
];

export function scheduler(input: PlanInput, replica: number): Instance {
  const { addresses, files } = input;
  const suffix = replica === 1 ? '' : `-${replica}`;
  return {
    name: `kube-scheduler${suffix}`,
    app: 'kube-scheduler',
    args: [
      `--kubeconfig=${join(files.dir, 'scheduler.conf')}`,
      '--leader-elect=true',
      ...health(files, 'scheduler.conf'),
      `--bind-address=${addresses.apiServer}`,
      `--secure-port=${SCHEDULER_PORT + (replica - 1) * REPLICA_PORTS}`,
      ...extra(input, 'kube-scheduler'),
    ],
  };
}

const CONTROL_PLANE_TAINTS =
  '--register-with-taints=node-role.kubernetes.io/control-plane=:NoSchedule,node-role.kubernetes.io/master=:NoSchedule';
const CONTROL_PLANE = ['--node-labels=node.kubernetes.io/exclude-from-external-load-balancers='];

export function containerRuntime(input: PlanInput, i: number): Instance {
  const { files, addresses } = input;
  const name = nodeName(i);
  return {
    name: `container-runtime-${name}`,
    app: 'container-runtime',
    args: [
      `--listen=unix://${files.criSocket(name)}`,
      `--root=${files.node(name, 'runtime')}`,
      `--node-ip=${addresses.node(i)}`,
      ...(addresses.node6 ? [`--node-ip-2=${addresses.node6(i)}`] : []),
      `--component-dir=${input.componentDir}`,
      `--adopt-dir=${files.dir}`,
      `--kubeconfig=${files.node(name, 'kubelet.conf')}`,
      ...runtimeNetworkFlags(input, i),
      ...extra(input, 'container-runtime'),
    ],
  };
}

/** The kubelet of node `i`; by default the first node is the control plane's. */
export function kubelet(input: PlanInput, i: number, isControlPlane = i === 1): Instance {
  const { files, addresses } = input;
  const name = nodeName(i);
  return {
    name: `kubelet-${name}`,
    app: 'kubelet',
    args: [
      `--kubeconfig=${files.node(name, 'kubelet.conf')}`,
      `--hostname-override=${name}`,
      `--node-ip=${[addresses.node(i), ...(addresses.node6 ? [addresses.node6(i)] : [])].join(',')}`,
      `--address=${addresses.node(i)}`,
      // Nodes with a network of their own are annotated by its agent, once it is there.
      ...(input.network ? [] : ['--node-annotations=orrery.dev/network=loopback']),
      `--root-dir=${files.node(name, 'kubelet')}`,
      `--system-logs-dir=${files.logs()}`,
      `--container-runtime-endpoint=unix://${files.criSocket(name)}`,
      `--pod-manifest-path=${files.node(name, 'manifests')}`,
      `--cluster-dns=${addresses.dns}`,
      '--cluster-domain=cluster.local',
      `--tls-cert-file=${files.node(name, 'pki', 'kubelet.crt')}`,
      `--tls-private-key-file=${files.node(name, 'pki', 'kubelet.key')}`,
      `--client-ca-file=${files.pki('ca.crt')}`,
      ...(isControlPlane ? CONTROL_PLANE : []),
      // The only node of a cluster must take pods.
      ...(isControlPlane && input.nodes > 1 ? [CONTROL_PLANE_TAINTS] : []),
      ...extra(input, 'kubelet'),
    ],
  };
}

const nodeRanges = ({ apiServer, node6 }: Addresses): string[] => [
  apiServer.includes(':') ? `${apiServer}/64` : `${apiServer}/24`,
  ...(node6 ? [`${node6(1)}/64`] : []),
];

/** The dataplane of this host, or of one node with a network of its own. */
export function dataplane(input: PlanInput, node?: string): Instance {
  const { files, addresses } = input;
  return {
    name: node === undefined ? 'dataplane' : `dataplane-${node}`,
    app: 'dataplane',
    args: [
      `--listen=unix://${files.dataplaneSocket(node)}`,
      // Pods of the host network have their node's address.
      `--cluster-cidr=${addresses.podCidr}`,
      `--node-cidr=${nodeRanges(addresses).join(',')}`,
      ...extra(input, 'dataplane'),
    ],
  };
}

/** Node ports that `publish` is for; those that Services are given by themselves are seldom among them. */
export const PUBLISHED_NODE_PORTS = '30000-30031';

/** Relays from the published address to the API server and to the nodes. */
function relays(input: PlanInput): Instance[] {
  const { addresses, publish } = input;
  if (publish === undefined) return [];
  const nodes = numbers(input.nodes).map((i) => `--to=${addresses.node(i)}`);
  const listen = (ports: number | string): string => `--listen=${publish}:${ports}`;
  return [
    {
      name: 'relay',
      app: 'relay',
      args: [listen(API_PORT), `--to=${joinHostPort(addresses.apiServer, API_PORT)}`],
    },
    {
      name: 'relay-node-ports',
      app: 'relay',
      args: [listen(PUBLISHED_NODE_PORTS), '--check=none', ...nodes],
    },
  ];
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

/** Components that share a process. */
export interface Group {
  readonly name: string;
  readonly instances: Instance[];
  /** The node in whose network it runs; undefined: this host's. */
  readonly node?: string;
}

/** For each node its dataplane, and a process for all else that a node has. */
function nodeGroups(input: PlanInput): Group[] {
  const { network } = input;
  if (!network) return [];
  const backend = network.mode === 'routed' ? 'routed' : network.backend;
  return Array.from({ length: input.nodes }, (_, index) => index + 1).flatMap((i) => {
    const node = nodeName(i);
    return [
      { name: `dataplane-${node}`, node, instances: [dataplane(input, node)] },
      {
        name: `nodes-${node}`,
        node,
        instances: [nodeNetwork(input, i, backend), containerRuntime(input, i), kubelet(input, i)],
      },
    ];
  });
}

/** Every component of the cluster but etcd, by the process that carries it, in the order of start. */
export function processes(input: PlanInput): Group[] {
  const managers = numbers(input.standby ? 2 : 1).map((replica) => ({
    name: replica === 1 ? 'controllers' : `controllers-${replica}`,
    instances: [controllerManager(input, replica), scheduler(input, replica)],
  }));
  const nodes = {
    name: 'nodes',
    instances: numbers(input.nodes).flatMap((i) => [containerRuntime(input, i), kubelet(input, i)]),
  };
  const groups: Group[] = [
    ...(input.network ? [] : [{ name: 'dataplane', instances: [dataplane(input)] }]),
    ...[{ name: 'kube-apiserver', instances: [apiServer(input)] }, ...managers].map((group) => ({
      ...group,
      ...(input.network && { node: nodeName(1) }),
    })),
    ...(input.network ? nodeGroups(input) : [nodes]),
    ...(input.publish === undefined ? [] : [{ name: 'relays', instances: relays(input) }]),
  ];
  if (input.grouping === 'grouped') return groups;
  if (input.grouping === 'single')
    return [{ name: 'components', instances: groups.flatMap(({ instances }) => instances) }];
  return groups.flatMap(({ instances, ...group }) =>
    instances.map((instance) => ({ ...group, name: instance.name, instances: [instance] })),
  );
}

/** The process of one group: the bundle itself for one component, `orrery run FILE` for several. */
export const toProcess = (input: PlanInput, group: Group): ProcessSpec =>
  withinNode(input, group.node, bareProcess(input, group));

/**
 * Young objects get 16 MB instead of up to 64: 200 MB less for the control plane after 3,000 pods, at the same CPU time
 * (`npm run bench control-plane`).
 */
const NODE_FLAGS = ['--max-semi-space-size=16'];

/**
 * Each read of a socket begins with 64 kB. glibc learns to cut these from its heap, where what is left of them lies between objects that live
 * long; with a fixed threshold they are pages of their own, which go back: 50 MB of the control plane's memory after 3,000 pods.
 */
const MALLOC = { MALLOC_MMAP_THRESHOLD_: '32768' };

/** Components that are part of the `orrery` program, without a bundle of their own. */
const OF_PROGRAM: readonly string[] = [NODE_NETWORK, 'relay'];

function bareProcess(input: PlanInput, group: Group): ProcessSpec {
  const { files, componentDir, nodeBinary } = input;
  const pidFiles = group.instances.map((instance) => files.pidFile(instance.name));
  const first = group.instances[0];
  const env = { ...MALLOC, NODE_COMPILE_CACHE: compileCache(componentDir) };
  if (group.instances.length === 1 && first) {
    const program = OF_PROGRAM.includes(first.app)
      ? [join(componentDir, 'orrery.js'), first.app]
      : [join(componentDir, `${first.app}.js`)];
    return {
      name: group.name,
      command: nodeBinary,
      args: [...NODE_FLAGS, ...program, ...first.args],
      env,
      logFile: files.logs(`${first.name}.log`),
      pidFiles,
    };
  }
  return {
    name: group.name,
    command: nodeBinary,
    args: [
      ...NODE_FLAGS,
      join(componentDir, 'orrery.js'),
      ...(input.completion === undefined ? [] : [`--after-init=${files.dir},${input.completion}`]),
      'run',
      files.run(`${group.name}.json`),
    ],
    env: { ...env, ORRERY_LOG_DIR: files.logs() },
    logFile: files.logs(`${group.name}.log`),
    pidFiles: [...pidFiles, files.pidFile(group.name)],
  };
}

/** The tag of the control plane's images, e.g. v1.36.4. */
export const IMAGE_TAG = KUBERNETES_VERSION.replace(/\+.*/, '');
