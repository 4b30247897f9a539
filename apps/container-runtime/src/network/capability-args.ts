import type { PodSandboxConfig } from '@orrery/cri';

const SUFFIXES: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
};

/** Bits a second of `kubernetes.io/ingress-bandwidth` and its like; undefined for what is no quantity. */
function bandwidth(text: string | undefined): number | undefined {
  const [, digits, suffix = ''] = /^(\d+)([kMG]i?|Ki)?$/.exec(text ?? '') ?? [];
  const factor = SUFFIXES[suffix];
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}

/**
 * What the pod gives plugins that declare a capability, by the names of the CNI conventions: portMappings, bandwidth,
 * dns, io.kubernetes.cri.pod-annotations.
 */
export function capabilityArgs(config: PodSandboxConfig): Record<string, unknown> {
  const portMappings = config.portMappings
    .filter(({ hostPort }) => hostPort > 0)
    .map(({ hostPort, containerPort, protocol, hostIp }) => ({
      hostPort,
      containerPort,
      protocol: protocol.toLowerCase(),
      hostIP: hostIp,
    }));
  const ingressRate = bandwidth(config.annotations['kubernetes.io/ingress-bandwidth']);
  const egressRate = bandwidth(config.annotations['kubernetes.io/egress-bandwidth']);
  const dns = config.dnsConfig;
  return {
    ...(portMappings.length > 0 && { portMappings }),
    ...((ingressRate ?? egressRate) !== undefined && {
      bandwidth: {
        ...(ingressRate !== undefined && { ingressRate, ingressBurst: 2 ** 31 - 1 }),
        ...(egressRate !== undefined && { egressRate, egressBurst: 2 ** 31 - 1 }),
      },
    }),
    ...(dns && { dns: { servers: dns.servers, searches: dns.searches, options: dns.options } }),
    'io.kubernetes.cri.pod-annotations': config.annotations,
  };
}
