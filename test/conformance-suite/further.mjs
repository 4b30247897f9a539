import { readFileSync, readlinkSync } from 'node:fs';

// Which specs of e2e.test 1.20.2 beyond conformance are left out, each with the reason.
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
    /tasks sometimes fail and are not locally restarted/,
    "needs $RANDOM of busybox's shell; a container's shell is that of this machine",
  ],
  [
    /\] volumeIO should write files/,
    "needs let of busybox's shell; a container's shell is that of this machine",
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
  [
    /should provide host IP and pod IP as an env var if pod uses host network/,
    "needs [[ of busybox's shell; a container's shell is that of this machine",
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
    /\[Driver: (aws|azure-disk|ceph|cinder|gcepd|gluster|iscsi|nfs|rbd|vsphere|pd\.csi\.storage\.gke\.io|windows-gcepd)\]|\bNFS|Gluster|iSCSI|Ceph|Dynamic Provisioning/i,
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

/** What only some machines give. */
const BY_MACHINE = [
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
