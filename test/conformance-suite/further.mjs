import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';

// Which specs of e2e.test 1.20.2 and 1.28.0 beyond conformance are left out, each with the reason.
const LEFT_OUT = [
  [/SCTPConnectivity/, 'sends by SCTP, which Services refuse by name'],
  [
    /should prevent Ingress creation if more than 1 IngressClass/,
    'of two default IngressClasses the newest is taken since 1.26, and nothing refused',
  ],
  [/SCTP HostPort/, 'looks in iptables for a hostPort of SCTP, which is not forwarded'],
  [/preserve source pod IP/, "a pod behind a Service sees the relay's address"],
  [
    /DNS (configMap|should support configurable pod resolv\.conf)/,
    "gives CoreDNS a Corefile, which this catalogue's coredns does not read",
  ],
  [/\[sig-windows\]|\bntfs\b|Windows/, 'for nodes with Windows'],
  [
    /should contain necessary checks/,
    "wants names of the API server's health checks that have changed since: apiservice-status-available-controller",
  ],
  [
    /HostPathType Socket/,
    'needs an nc(1) that listens on Unix sockets; programs are those of this machine',
  ],
  [
    /should enable privileged commands/,
    'makes a dummy network device, of which not every kernel knows',
  ],
  [
    /should check kube-proxy urls/,
    'asks localhost of a node, which in mode loopback is the machine of all nodes',
  ],
  [
    /through an HTTP proxy/,
    'in mode loopback the API server has a loopback address, for which Go asks no proxy',
  ],
  [
    /should ensure a single API token exists/,
    'wants the controllers to make token Secrets by themselves, which they have not done since 1.24',
  ],
  [
    /IPv4 Service Type ClusterIP with leading zeros/,
    'asks for an address with leading zeros, which is refused since 1.36',
  ],
  [
    /\[Feature:NodeLogQuery\]/,
    'compares with what journalctl(1) tells over SSH; queries of logs are not modelled by the kubelet',
  ],
  [
    /\[Feature:InPlacePodVerticalScaling\]/,
    'changes the resources of a pod by the pod itself, which is refused since 1.32: it goes by pods/resize',
  ],
  [
    /\[Feature:DynamicResourceAllocation\]/,
    'asks for resource.k8s.io/v1alpha2, of which nothing is left since 1.31',
  ],
  [
    /\[Feature:StorageVersionAPI\]/,
    'asks for internal.apiserver.k8s.io, an alpha API that is off unless asked for',
  ],
  [
    /should drop INVALID conntrack entries/,
    "sends a packet that the kernel's conntrack drops: kube-proxy relays in user space, and no packet of a pod passes the kernel",
  ],
  [
    /primary UID belongs to some groups in the image/,
    "asks for groups of an image's /etc/group; containers have that of this machine",
  ],
  [
    /pod failure policy to not count some failures towards the backoffLimit Ignore exit code 137/,
    'wants a shell that SIGTERM does not end, being the first process of its namespace',
  ],
  [
    /OpenAPI V3 for Aggregated APIServer/,
    'runs the program of the image sample-apiserver, which cannot be pulled',
  ],
  [
    /should support continue listing from the last key if the original version has been compacted away/,
    'waits for a compaction after five minutes; what was is kept for longer (--history-retention)',
  ],
  [/CLOSE_WAIT/, 'needs conntrack(8) and connections in the kernel: kube-proxy relays them'],
  [/seccomp runtime\/default|AppArmor/, 'needs seccomp filters or AppArmor, which are not set'],
  [
    /should support (unsafe )?sysctls/,
    "runs busybox's sysctl; containers have the programs of this machine",
  ],
  [
    /race condition when used for git_repo/,
    'mounts gitRepo volumes, which this kubelet refuses by name',
  ],
  [
    /RuntimeClass with (scheduling|a configured handler)/,
    "names dockershim's handler; the runtime has its default alone",
  ],
  [/\[Flaky\]/, 'named flaky by upstream'],
  [
    /\[Disruptive\]|\bSSH\b|crictl|Firewall rule|\[Feature:(Reboot|Recreate|Upgrade|.*Upgrade|.*Downgrade|Downgrade|HAMaster|KubeletSecurity)\]/i,
    "works on the nodes' machines by ssh",
  ],
  [
    /\[sig-(cluster-lifecycle|cloud-provider|cloud-provider-gcp|scalability|ui)\]|vsphere|\[Feature:(ClusterSize|GPU|GKE|NEG|kubemci|Stackdriver|CustomMetrics|CloudProvider|Elasticsearch|ClusterAutoscaler)|GCE|\bPD\b|Pod Disks|Regional|Multi-AZ|GPU|load.?balancer|\bLB\b|ESIPP|L7|Stackdriver|Cluster size|AWS|Metadata Concealment|Kibana|Node Auto Repairs|Addon|Ports Security/i,
    'for a cloud provider',
  ],
  [
    /\[Driver: (aws|azure-disk|azure-file|ceph|cinder|gcepd|gluster|iscsi|nfs|rbd|vsphere|pd\.csi\.storage\.gke\.io|windows-gcepd)\]|\bNFS|Gluster|iSCSI|Ceph|Dynamic Provisioning/i,
    'needs a storage system of its own',
  ],
  [
    /\[Driver: csi-hostpath\]|CSI |[Ff]lexvolume|Mounted volume expand|\[Testpattern: (Dynamic PV|Dynamic Snapshot|Pre-provisioned Snapshot|CSI|Generic)/,
    'needs a storage driver whose programs are in images that cannot be pulled',
  ],
  [
    /\[sig-storage\].*block|LocalVolumeType: gce|blockfs|gce-localssd|\((ext3|ext4|xfs)\)/,
    'needs block devices, which this machine may not make',
  ],
  [
    /\[Driver: (emptydir|hostPath|hostPathSymlink)\] \[Testpattern: Pre-provisioned|\[Driver: local\].*\[Testpattern: Inline/,
    'the driver has no volumes of this kind: the spec leaves itself out',
  ],
  [
    /\[Feature:(StatefulSet|Example|HPA|Networking-|PerformanceDNS|NoSNAT|IngressScale|.*ResourceUsageTracking|PodSecurityPolicy|IPv6DualStackAlphaFeature|BootstrapTokens|Dashboard)|clustered applications/,
    'needs images that cannot be pulled, or a feature that has been removed or is off',
  ],
];

/** What only some networks of `orrery up` hold. */
const BY_NETWORK = [
  [
    /\[Feature:NetworkPolicy\]/,
    ['netns'],
    "pods' own traffic is judged with --network netns alone",
  ],
  [
    /internalTrafficPolicy=Local|fallback to local terminating endpoints/,
    ['netns'],
    'in mode loopback a program asks from 127.0.0.1, which is no node: who is local to it cannot be told',
  ],
];

/** Whether pods can enter the namespaces of the machine's first process, as root of this machine. */
function canEnterMachine() {
  try {
    readlinkSync('/proc/1/ns/mnt');
    return true;
  } catch {
    return false;
  }
}

/** Whether what is mounted in one namespace is seen in another. */
const sharesMounts = () =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .some((line) => / \/ \/ [^-]* shared:/.test(line));

/** Whether /bin/sh has what busybox's has beyond POSIX: [[, let, $RANDOM. */
const knowsBrackets = () => spawnSync('/bin/sh', ['-c', '[[ -d / ]]']).status === 0;

/** What only some machines give. */
const BY_MACHINE = [
  [
    /tasks sometimes fail and are not locally restarted|\] volumeIO should write files|host IP and pod IP as an env var if pod uses host network|pod failure policy to not count (some failures|the failure) towards|Daemon set \[Serial\] should surge pods/,
    knowsBrackets,
    "needs [[, let or $RANDOM of busybox's shell; a container's shell is that of this machine, which has none of them",
  ],
  [
    /PersistentVolumes-local|\[Driver: local\]|should propagate mounts to the host/,
    canEnterMachine,
    "enters the mount namespace of the machine's first process by nsenter(1), which this machine refuses",
  ],
  [
    /should propagate mounts to the host/,
    sharesMounts,
    'needs a machine whose root file system is a shared mount',
  ],
];

/** Why a spec beyond conformance is left out in a cluster of this network; undefined when it is not. */
export const furtherReason = (name, network) =>
  LEFT_OUT.find(([pattern]) => pattern.test(name))?.[1] ??
  BY_NETWORK.find(
    ([pattern, networks]) => pattern.test(name) && !networks.includes(network),
  )?.[2] ??
  BY_MACHINE.find(([pattern, isSo]) => pattern.test(name) && !isSo())?.[2];
