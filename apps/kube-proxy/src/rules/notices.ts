import type { Service } from '@orrery/api';
import { ownedExternalIps } from './frontends.js';
import { isSkipped, serviceRules } from './service-rules.js';
import type { RuleContext } from './service-rules.js';

/** Something about a service that its owner is told in an event. */
export interface Notice {
  readonly type: 'Normal' | 'Warning';
  readonly reason: 'ProtocolNotSupported' | 'ExternalIPNotOwned' | 'PortRemapped';
  readonly message: string;
}

function refusals(service: Service, context: RuleContext): Notice[] {
  const sctp = (service.spec.ports ?? []).filter((port) => port.protocol === 'SCTP');
  const owned = ownedExternalIps(service, context.ownedAddresses);
  const foreign = (service.spec.externalIPs ?? []).filter((address) => !owned.includes(address));
  return [
    ...sctp.map((port): Notice => ({
      type: 'Warning',
      reason: 'ProtocolNotSupported',
      message: `port ${port.port}/SCTP is not served: SCTP is not modelled`,
    })),
    ...(foreign.length > 0
      ? [
          {
            type: 'Warning',
            reason: 'ExternalIPNotOwned',
            message: `externalIPs ${foreign.join(', ')} are not served on ${context.nodeName}: not an address of this node`,
          } as const,
        ]
      : []),
  ];
}

/** Ports that answer elsewhere because this machine refuses them. */
function remapped(
  service: Service,
  context: RuleContext,
  reachablePort: (port: number) => number,
): Notice[] {
  const ports = new Set<number>();
  for (const { frontends } of serviceRules(service, [], context))
    for (const { port } of frontends) if (reachablePort(port) !== port) ports.add(port);
  return [...ports].map((port) => ({
    type: 'Normal',
    reason: 'PortRemapped',
    message: `port ${port} answers on ${reachablePort(port)}: this machine allows no listener below 1024`,
  }));
}

/** What of a service is not served, or not where it says, by name. Pure. */
export const noticesOf = (
  service: Service,
  context: RuleContext,
  reachablePort: (port: number) => number,
): readonly Notice[] =>
  isSkipped(service)
    ? []
    : [...refusals(service, context), ...remapped(service, context, reachablePort)];
