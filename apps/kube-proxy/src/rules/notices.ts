import type { Service } from '@orrery/api';
import { ownedExternalIps } from './frontends.js';
import { isSkipped, serviceRules } from './service-rules.js';
import type { RuleContext } from './service-rules.js';

/** Something about a service that its owner is told in an event. */
export interface Notice {
  readonly type: 'Normal' | 'Warning';
  readonly reason:
    'ProtocolNotSupported' | 'ExternalIPNotOwned' | 'EndpointNotDialled' | 'PortRemapped';
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

function notDialled(refused: readonly string[]): Notice[] {
  if (refused.length === 0) return [];
  const message = `endpoints ${refused.join(', ')} are not dialled: outside of the pods' range only a port of a hostNetwork pod is, which the endpoint names as its targetRef`;
  return [{ type: 'Warning', reason: 'EndpointNotDialled', message }];
}

/** What of a service is not served, or not where it says, by name; `refused`: endpoints that are not dialled. Pure. */
export const noticesOf = (
  service: Service,
  context: RuleContext,
  seen: { reachablePort: (port: number) => number; refused?: readonly string[] },
): readonly Notice[] =>
  isSkipped(service)
    ? []
    : [
        ...refusals(service, context),
        ...notDialled(seen.refused ?? []),
        ...remapped(service, context, seen.reachablePort),
      ];
