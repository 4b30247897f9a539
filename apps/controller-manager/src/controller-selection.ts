import { ConfigError } from '@orrery/component';
import type { ControllerManagerOptions } from './config/options.js';
import type { ControllerEntry } from './controller-entry.js';

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
  nodeipam: 'node-ipam-controller',
  nodelifecycle: 'node-lifecycle-controller',
  podgc: 'pod-garbage-collector-controller',
  'pv-protection': 'persistentvolume-protection-controller',
  'pvc-protection': 'persistentvolumeclaim-protection-controller',
  'root-ca-cert-publisher': 'root-ca-certificate-publisher-controller',
  service: 'service-lb-controller',
  tokencleaner: 'token-cleaner-controller',
};

/** The controllers that --controllers asks for. Throws ConfigError for a name that is none. */
export function selectControllers(
  all: readonly ControllerEntry[],
  options: ControllerManagerOptions,
): ControllerEntry[] {
  const wanted = new Set<string>();
  const refused = new Set<string>();
  for (const term of options.controllers) {
    const name = term.replace(/^-/, '');
    if (name !== '*' && !all.some((entry) => isNamed(entry, name)))
      throw new ConfigError(
        `--controllers: ${JSON.stringify(name)} is not one of ${all.map((e) => e.name).join(', ')}`,
      );
    (term.startsWith('-') ? refused : wanted).add(name);
  }
  const asked = (entry: ControllerEntry): boolean => {
    if ([...refused].some((name) => isNamed(entry, name))) return false;
    if ([...wanted].some((name) => isNamed(entry, name))) return true;
    return wanted.has('*') && entry.offByDefault !== true;
  };
  return all.filter((entry) => asked(entry) && (entry.enabled?.(options) ?? true));
}

const isNamed = (entry: ControllerEntry, name: string): boolean =>
  entry.name === name || shortName(entry.name) === name || ALIASES[name] === entry.name;
