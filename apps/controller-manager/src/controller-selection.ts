import { ConfigError } from '@orrery/component';
import type { ControllerManagerOptions } from './config/options.js';
import type { ControllerEntry } from './controller-entry.js';
import { LEFT_OUT } from './left-out-controllers.js';

const shortName = (name: string): string => name.replace(/-controller$/, '');

/** Names of before 1.28, which upstream still takes (k8s kube-controller-manager/app: GetAliases). */
const ALIASES: Readonly<Record<string, string>> = {
  attachdetach: 'persistentvolume-attach-detach-controller',
  bootstrapsigner: 'bootstrap-signer-controller',
  csrapproving: 'certificatesigningrequest-approving-controller',
  csrcleaner: 'certificatesigningrequest-cleaner-controller',
  csrsigning: 'certificatesigningrequest-signing-controller',
  endpoint: 'endpoints-controller',
  endpointslicemirroring: 'endpointslice-mirroring-controller',
  garbagecollector: 'garbage-collector-controller',
  horizontalpodautoscaling: 'horizontal-pod-autoscaler-controller',
  'legacy-service-account-token-cleaner': 'legacy-serviceaccount-token-cleaner-controller',
  nodeipam: 'node-ipam-controller',
  nodelifecycle: 'node-lifecycle-controller',
  podgc: 'pod-garbage-collector-controller',
  'pv-protection': 'persistentvolume-protection-controller',
  'pvc-protection': 'persistentvolumeclaim-protection-controller',
  'resource-claim-controller': 'resourceclaim-controller',
  'root-ca-cert-publisher': 'root-ca-certificate-publisher-controller',
  service: 'service-lb-controller',
  'storage-version-gc': 'storageversion-garbage-collector-controller',
  tokencleaner: 'token-cleaner-controller',
};

/** The controllers that --controllers asks for. Throws ConfigError for a name that is none, or that is none of ours. */
export function selectControllers(
  all: readonly ControllerEntry[],
  options: ControllerManagerOptions,
): ControllerEntry[] {
  const wanted = new Set<string>();
  const refused = new Set<string>();
  for (const term of options.controllers) {
    const name = term.replace(/^-/, '');
    const isRefused = term.startsWith('-');
    if (name !== '*' && !all.some((entry) => isNamed(entry, name))) {
      checkLeftOut(name, isRefused, all);
      continue;
    }
    (isRefused ? refused : wanted).add(name);
  }
  const asked = (entry: ControllerEntry): boolean => {
    if ([...refused].some((name) => isNamed(entry, name))) return false;
    if ([...wanted].some((name) => isNamed(entry, name))) return true;
    return wanted.has('*') && entry.offByDefault !== true;
  };
  return all.filter((entry) => asked(entry) && (entry.enabled?.(options) ?? true));
}

/** Upstream's controllers that are not here may be refused, not asked for. */
function checkLeftOut(name: string, isRefused: boolean, all: readonly ControllerEntry[]): void {
  const reason = LEFT_OUT.get(name) ?? LEFT_OUT.get(`${name}-controller`);
  if (reason === undefined)
    throw new ConfigError(
      `--controllers: ${JSON.stringify(name)} is not one of ${all.map((e) => e.name).join(', ')}`,
    );
  if (!isRefused) throw new ConfigError(`--controllers: ${name} does not run here: ${reason}`);
}

const isNamed = (entry: ControllerEntry, name: string): boolean =>
  entry.name === name || shortName(entry.name) === name || ALIASES[name] === entry.name;
