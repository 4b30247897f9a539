import type { EndpointSlice, Service, ServicePort } from '@orrery/api';
import type { Frontend, PolicyName, ServiceRule } from '@orrery/dataplane';
import { selectBackends } from './endpoint-selection.js';

/** What the rules of every service of a node depend on. */
export interface RuleContext {
  readonly nodeName: string;
  /** Addresses on which node ports answer. */
  readonly nodeAddresses: readonly string[];
  readonly policy: PolicyName;
}

const DEFAULT_AFFINITY_SECONDS = 10_800;

/** Services that this proxy leaves alone (k8s pkg/proxy/util/utils.go:ShouldSkipService). */
function isSkipped(service: Service): boolean {
  const { clusterIP, type } = service.spec;
  return !clusterIP || clusterIP === 'None' || type === 'ExternalName';
}

function affinityMs(service: Service): number {
  if (service.spec.sessionAffinity !== 'ClientIP') return 0;
  const seconds = service.spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
  return (seconds ?? DEFAULT_AFFINITY_SECONDS) * 1_000;
}

const clusterFrontends = (service: Service, port: ServicePort): Frontend[] =>
  (service.spec.clusterIPs ?? [service.spec.clusterIP ?? '']).map((address) => ({
    address,
    port: port.port,
    kind: 'clusterIP',
  }));

function externalFrontends(service: Service, port: ServicePort, context: RuleContext): Frontend[] {
  const nodePorts = port.nodePort
    ? context.nodeAddresses.map((address): Frontend => ({
        address,
        port: port.nodePort ?? 0,
        kind: 'nodePort',
      }))
    : [];
  const balancers = (service.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }): Frontend[] =>
    ip ? [{ address: ip, port: port.port, kind: 'loadBalancer' }] : [],
  );
  return [...nodePorts, ...balancers];
}

function portRules(
  service: Service,
  port: ServicePort,
  slices: readonly EndpointSlice[],
  context: RuleContext,
): ServiceRule[] {
  const protocol = port.protocol ?? 'TCP';
  if (protocol !== 'TCP' && protocol !== 'UDP') return [];
  const { namespace = '', name = '' } = service.metadata;
  const id = `${namespace}/${name}${port.name ? `:${port.name}` : ''}`;
  const select = (local: boolean): ServiceRule['backends'] =>
    selectBackends(slices, {
      portName: port.name ?? '',
      protocol,
      ...(local ? { onlyNode: context.nodeName } : {}),
    });
  const rule = (suffix: string, frontends: Frontend[], local: boolean): ServiceRule[] =>
    frontends.length === 0
      ? []
      : [
          {
            id: `${id}${suffix}`,
            protocol,
            frontends,
            policy: context.policy,
            affinityMs: affinityMs(service),
            backends: select(local),
            ...(namespace === 'default' && name === 'kubernetes' ? { trusted: true } : {}),
          },
        ];
  return [
    ...rule('', clusterFrontends(service, port), service.spec.internalTrafficPolicy === 'Local'),
    ...rule(
      ' external',
      externalFrontends(service, port, context),
      service.spec.externalTrafficPolicy === 'Local',
    ),
  ];
}

/** What the addresses and ports of one service should do on this node. Pure. */
export function serviceRules(
  service: Service,
  slices: readonly EndpointSlice[],
  context: RuleContext,
): readonly ServiceRule[] {
  if (isSkipped(service)) return [];
  return (service.spec.ports ?? []).flatMap((port) => portRules(service, port, slices, context));
}

/** What a service asks for that is not served, by name; for the log. */
export function unservedParts(service: Service): readonly string[] {
  const sctp = (service.spec.ports ?? []).filter((port) => port.protocol === 'SCTP');
  return [
    ...sctp.map((port) => `port ${port.port}/SCTP: SCTP is not modelled`),
    ...(service.spec.externalIPs?.length
      ? ['externalIPs: not served (CVE-2020-8554: an address must belong to this host)']
      : []),
  ];
}
