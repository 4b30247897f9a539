import type { FieldError, KubeObject } from '@orrery/apimachinery';
import { FieldPath, invalid, newInvalid } from '@orrery/apimachinery';
import type { Service, ServiceSpec } from '@orrery/api';
import type { Finish, HookCall, StoreHooks } from '../store-deps.js';
import { AllocationError, ClusterIps } from './cluster-ips.js';
import type { AllocatorDeps } from './cluster-ips.js';
import { initFamilies } from './ip-families.js';
import { familyOf, splitRanges } from './ip-range.js';
import { NodePorts } from './node-ports.js';

const SPEC = FieldPath.of('spec');
const NONE = 'None';

const needsIp = ({ type, clusterIP }: ServiceSpec): boolean =>
  type !== 'ExternalName' && clusterIP !== NONE;
const needsPorts = (spec: ServiceSpec): boolean =>
  spec.type === 'NodePort' ||
  (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);
const needsHealthPort = (spec: ServiceSpec): boolean =>
  spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';

function ipsOf(spec: ServiceSpec | undefined): readonly string[] {
  if (!spec || !needsIp(spec)) return [];
  const { clusterIP = '', clusterIPs = [] } = spec;
  return (clusterIPs.length > 0 ? clusterIPs : [clusterIP]).filter((ip) => ip !== '');
}

function portsOf(spec: ServiceSpec | undefined): number[] {
  const ports = (spec?.ports ?? []).map((port) => port.nodePort ?? 0);
  return [...new Set([...ports, spec?.healthCheckNodePort ?? 0])].filter((port) => port > 0);
}

/** What one request has taken, to be given back when nothing is written. */
interface Taken {
  readonly ips: string[];
  readonly ports: number[];
}

/** Allocates and releases the cluster IPs and node ports of Services around their writes. */
export class ServiceAllocation implements StoreHooks {
  /** One a family, the cluster's own first. */
  private readonly ips: readonly ClusterIps[];
  private readonly ports: NodePorts;

  constructor(
    deps: AllocatorDeps,
    ranges: { readonly serviceCidr: string; readonly nodePorts: string },
  ) {
    this.ips = splitRanges(ranges.serviceCidr).map((cidr) => new ClusterIps(deps, cidr));
    this.ports = new NodePorts(deps, ranges.nodePorts);
  }

  beginCreate(object: KubeObject, call: HookCall): Promise<Finish> {
    return this.begin(object, undefined, call);
  }

  beginUpdate(object: KubeObject, old: KubeObject, call: HookCall): Promise<Finish> {
    return this.begin(object, old, call);
  }

  async afterDelete(object: KubeObject): Promise<void> {
    const { spec } = object as Service;
    await this.releaseIps(ipsOf(spec));
    await this.ports.release(portsOf(spec));
  }

  private async begin(
    object: KubeObject,
    old: KubeObject | undefined,
    { dryRun }: HookCall,
  ): Promise<Finish> {
    const service = object as Service;
    const before = (old as Service | undefined)?.spec;
    const spec = (service.spec ??= {});
    const taken: Taken = { ips: [], ports: [] };
    const giveBack = async (): Promise<void> => {
      await this.releaseIps(taken.ips);
      await this.ports.release(taken.ports);
    };
    try {
      await this.allocateIps(service, before, taken, dryRun);
      await this.allocatePorts(service, before, taken, dryRun);
    } catch (error) {
      if (!dryRun) await giveBack();
      throw error;
    }
    return async (written) => {
      if (dryRun) return;
      if (!written) await giveBack();
      else await this.releaseDropped(spec, before);
    };
  }

  private async releaseDropped(spec: ServiceSpec, before: ServiceSpec | undefined): Promise<void> {
    const ips = ipsOf(spec);
    await this.releaseIps(ipsOf(before).filter((ip) => !ips.includes(ip)));
    const kept = new Set(portsOf(spec));
    await this.ports.release(portsOf(before).filter((port) => !kept.has(port)));
  }

  private async releaseIps(ips: readonly string[]): Promise<void> {
    for (const ip of ips) await this.allocatorOf(familyOf(ip))?.release(ip);
  }

  private allocatorOf(family: string): ClusterIps | undefined {
    return this.ips.find(({ range }) => range.family === family);
  }

  private async allocateIps(
    service: Service,
    before: ServiceSpec | undefined,
    taken: Taken,
    dryRun: boolean,
  ): Promise<void> {
    const { spec } = service;
    const configured = this.ips.map(({ range }) => range.family);
    initFamilies(service, before, configured);
    if (!spec || spec.type === 'ExternalName') return;
    if (spec.clusterIP === NONE) {
      spec.clusterIPs ??= [NONE];
      return;
    }
    const held = ipsOf(before);
    const ips = [...(spec.clusterIPs ?? [])];
    for (const [i, family] of (spec.ipFamilies ?? []).entries()) {
      const wanted = ips[i] || (i === 0 ? (spec.clusterIP ?? '') : '');
      if (wanted !== '' && held.includes(wanted)) continue;
      const ip = await this.takeIp(service, family, wanted, dryRun);
      if (!dryRun) taken.ips.push(ip);
      ips[i] = ip;
    }
    spec.clusterIP = ips[0] ?? '';
    spec.clusterIPs = ips;
  }

  private async takeIp(
    service: Service,
    family: string,
    wanted: string,
    dryRun: boolean,
  ): Promise<string> {
    const { metadata, spec } = service;
    const owner = { namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
    const path = SPEC.child('clusterIPs');
    const given = (spec?.clusterIPs ?? []).filter((ip) => ip !== '');
    return this.guarded(service, path, given, async () => {
      const allocator = this.allocatorOf(family);
      if (!allocator) throw new AllocationError(`${family} is not configured on this cluster`);
      if (wanted === '') return allocator.allocateNext(owner, dryRun);
      await allocator.allocate(wanted, owner, dryRun);
      return wanted;
    });
  }

  private async allocatePorts(
    service: Service,
    before: ServiceSpec | undefined,
    taken: Taken,
    dryRun: boolean,
  ): Promise<void> {
    const { spec } = service;
    if (!spec) return;
    const held = new Set(portsOf(before));
    const ports = spec.ports ?? [];
    const take = async (path: FieldPath, port: number): Promise<number> => {
      if (held.has(port)) return port;
      const got = await this.guarded(service, path, port, async () => {
        if (port === 0) return this.ports.allocateNext(dryRun);
        await this.ports.allocate(port, dryRun);
        return port;
      });
      held.add(got);
      if (!dryRun) taken.ports.push(got);
      return got;
    };
    for (const [i, port] of ports.entries()) {
      if (!port.nodePort && !needsPorts(spec)) continue;
      const path = SPEC.child('ports').index(i).child('nodePort');
      // One number serves several protocols of one port, as upstream's multi-protocol allocation.
      const twin = ports.find(
        (other) => other !== port && other.port === port.port && other.nodePort,
      );
      port.nodePort = await take(path, port.nodePort || (twin?.nodePort ?? 0));
    }
    if (needsHealthPort(spec)) {
      const path = SPEC.child('healthCheckNodePort');
      spec.healthCheckNodePort = await take(path, spec.healthCheckNodePort ?? 0);
    }
  }

  /** Turns an allocation that failed into a finding on its field. */
  private async guarded<T>(
    { metadata }: Service,
    path: FieldPath,
    value: unknown,
    allocate: () => Promise<T>,
  ): Promise<T> {
    try {
      return await allocate();
    } catch (error) {
      if (!(error instanceof AllocationError)) throw error;
      const finding: FieldError = invalid(path, value, error.message);
      throw newInvalid({ group: '', kind: 'Service' }, metadata.name ?? '', [finding]);
    }
  }
}
