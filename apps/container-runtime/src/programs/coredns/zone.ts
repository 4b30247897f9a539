import type { Endpoint, EndpointSlice, Service } from '@orrery/api';
import type { Lister } from '@orrery/informers';
import { RCODE, TYPE } from './message.js';
import type { Answer, RecordData, ResourceRecord } from './message.js';

/** How long clients may keep what they are told (CoreDNS plugin/kubernetes: ttl 30 in kubeadm's Corefile). */
const TTL = 30;
const DNS_VERSION = '1.1.0';
const SERVICE_OF = 'kubernetes.io/service-name';

export interface ZoneSources {
  readonly services: Lister<Service>;
  readonly slices: Lister<EndpointSlice>;
}

interface NamedEndpoint {
  readonly host: string;
  readonly addresses: readonly string[];
  readonly ports: NonNullable<EndpointSlice['ports']>;
}

const addressRecord = (address: string): RecordData => ({
  type: address.includes(':') ? TYPE.AAAA : TYPE.A,
  address,
});

const isHeadless = ({ spec }: Service): boolean => spec.clusterIP === 'None';

const clusterIpsOf = ({ spec }: Service): readonly string[] =>
  spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP]);

/** `10.0.0.1` of `1.0.0.10.in-addr.arpa`; undefined when the name is no address. */
export function reversedAddress(name: string): string | undefined {
  const v4 = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\.in-addr\.arpa$/.exec(name);
  if (v4) return v4.slice(1).reverse().join('.');
  const v6 = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(name)?.[1];
  return v6
    ?.split('.')
    .reverse()
    .join('')
    .replace(/(.{4})(?=.)/g, '$1:');
}

/** The same address in the same words. */
export function canonical(address: string): string {
  return address.includes(':') ? new URL(`http://[${address}]/`).hostname.slice(1, -1) : address;
}

/**
 * What the names of a cluster's domain mean (Kubernetes DNS-Based Service Discovery 1.1.0), as seen by caches of its
 * Services and EndpointSlices.
 */
export class ClusterZone {
  constructor(
    private readonly zone: string,
    private readonly sources: ZoneSources,
  ) {}

  /** Undefined for names of other domains. */
  resolve(name: string, type: number): Answer | undefined {
    const address = reversedAddress(name);
    if (address !== undefined) return this.pointer(name, address);
    if (name !== this.zone && !name.endsWith(`.${this.zone}`)) return undefined;
    const labels = name.slice(0, -this.zone.length - 1).split('.');
    const found = this.find(labels.filter((label) => label !== ''));
    if (!found) return this.nothing(RCODE.nameError);
    const records = found.filter(
      (data) => data.type === type || type === TYPE.ANY || data.type === TYPE.CNAME,
    );
    if (records.length === 0) return this.nothing(RCODE.noError);
    const answers = records.flatMap((data): ResourceRecord[] => [
      { name, ttl: TTL, data },
      ...(data.type === TYPE.CNAME && type !== TYPE.CNAME ? this.behind(data.target, type) : []),
    ]);
    return { rcode: RCODE.noError, answers, additional: this.addressesOf(records) };
  }

  /** What an alias of this zone stands for. */
  private behind(target: string, type: number): readonly ResourceRecord[] {
    const name = target.toLowerCase().replace(/\.$/, '');
    return this.resolve(name, type)?.answers ?? [];
  }

  /** Addresses of the targets of SRV records. */
  private addressesOf(records: readonly RecordData[]): ResourceRecord[] {
    const targets = records.flatMap((data) => (data.type === TYPE.SRV ? [data.target] : []));
    return [...new Set(targets)].flatMap((target) => {
      const found = this.find(target.slice(0, -this.zone.length - 1).split('.')) ?? [];
      return found
        .filter(({ type }) => type === TYPE.A || type === TYPE.AAAA)
        .map((data): ResourceRecord => ({ name: target, ttl: TTL, data }));
    });
  }

  private nothing(rcode: number): Answer {
    const data = { type: TYPE.SOA, zone: this.zone, serial: 1 } as const;
    return { rcode, answers: [], authority: [{ name: this.zone, ttl: TTL, data }] };
  }

  /** All records of a name below the zone; undefined when there is no such name. */
  private find(labels: readonly string[]): RecordData[] | undefined {
    if (labels.length === 0) return [];
    if (labels.join('.') === 'dns-version') return [{ type: TYPE.TXT, text: DNS_VERSION }];
    const kind = labels.at(-1);
    const namespace = labels.at(-2);
    if (kind === 'pod') return podRecords(labels);
    if (kind !== 'svc') return undefined;
    if (namespace === undefined) return [];
    const name = labels.at(-3);
    if (name === undefined) return this.hasServices(namespace) ? [] : undefined;
    const service = this.sources.services.get({ namespace, name });
    return service && this.serviceRecords(service, labels.slice(0, -3));
  }

  private hasServices(namespace: string): boolean {
    return this.sources.services.list().some(({ metadata }) => metadata.namespace === namespace);
  }

  private serviceRecords(service: Service, below: readonly string[]): RecordData[] | undefined {
    const [first, second] = below;
    if (service.spec.type === 'ExternalName')
      return first === undefined && service.spec.externalName
        ? [{ type: TYPE.CNAME, target: service.spec.externalName }]
        : undefined;
    const endpoints = isHeadless(service) ? this.endpointsOf(service) : [];
    if (first === undefined)
      return isHeadless(service)
        ? endpoints.flatMap(({ addresses }) => addresses.map(addressRecord))
        : clusterIpsOf(service).map(addressRecord);
    if (first.startsWith('_') && second?.startsWith('_') && below.length === 2)
      return this.portRecords(service, endpoints, first.slice(1), second.slice(1));
    const host = below.length === 1 && endpoints.filter((one) => one.host === first);
    return host && host.length > 0
      ? host.flatMap(({ addresses }) => addresses.map(addressRecord))
      : undefined;
  }

  private portRecords(
    service: Service,
    endpoints: readonly NamedEndpoint[],
    port: string,
    protocol: string,
  ): RecordData[] | undefined {
    const fits = (one: { name?: string; protocol?: string }): boolean =>
      one.name === port && (one.protocol ?? 'TCP').toLowerCase() === protocol;
    const { name = '', namespace = '' } = service.metadata;
    const base = `${name}.${namespace}.svc.${this.zone}`;
    const targets = isHeadless(service)
      ? endpoints.flatMap(({ host, ports }) =>
          ports.filter(fits).map((one) => ({ target: `${host}.${base}`, port: one.port ?? 0 })),
        )
      : (service.spec.ports ?? []).filter(fits).map((one) => ({ target: base, port: one.port }));
    const weight = Math.max(1, Math.floor(100 / Math.max(1, targets.length)));
    return targets.length === 0
      ? undefined
      : targets.map((target) => ({ type: TYPE.SRV, weight, ...target }));
  }

  private endpointsOf({ metadata, spec }: Service): NamedEndpoint[] {
    const isPublished = ({ conditions }: Endpoint): boolean =>
      spec.publishNotReadyAddresses === true || conditions?.ready !== false;
    return this.sources.slices
      .list()
      .filter(
        (slice) =>
          slice.metadata.namespace === metadata.namespace &&
          slice.metadata.labels?.[SERVICE_OF] === metadata.name,
      )
      .flatMap((slice) =>
        (slice.endpoints ?? []).filter(isPublished).map((endpoint) => ({
          host: hostOf(endpoint),
          addresses: endpoint.addresses,
          ports: slice.ports ?? [],
        })),
      );
  }

  /** The name of a Service or of an endpoint with that address; undefined leaves the question to others. */
  private pointer(name: string, address: string): Answer | undefined {
    const wanted = canonical(address);
    const services = this.sources.services.list();
    const nameOf = ({ metadata }: Service): string =>
      `${metadata.name ?? ''}.${metadata.namespace ?? ''}.svc.${this.zone}`;
    const own = services.filter((service) =>
      clusterIpsOf(service).some((ip) => ip !== 'None' && canonical(ip) === wanted),
    );
    const targets =
      own.length > 0
        ? own.map(nameOf)
        : services.filter(isHeadless).flatMap((service) =>
            this.endpointsOf(service)
              .filter(({ addresses }) => addresses.some((one) => canonical(one) === wanted))
              .map(({ host }) => `${host}.${nameOf(service)}`),
          );
    if (targets.length === 0) return undefined;
    const answers = targets.map((target): ResourceRecord => ({
      name,
      ttl: TTL,
      data: { type: TYPE.PTR, target },
    }));
    return { rcode: RCODE.noError, answers };
  }
}

/** The name of an endpoint below its Service: its own, or its address with dashes. */
const hostOf = ({ hostname, addresses }: Endpoint): string =>
  hostname ?? (addresses[0] ?? '').replaceAll(/[.:]/g, '-');

/** `10-0-0-1.default.pod` is 10.0.0.1, whoever has that address. */
function podRecords(labels: readonly string[]): RecordData[] | undefined {
  const [dashed = ''] = labels;
  if (labels.length < 3) return [];
  if (labels.length > 3) return undefined;
  if (/^\d+-\d+-\d+-\d+$/.test(dashed))
    return [{ type: TYPE.A, address: dashed.replaceAll('-', '.') }];
  return /^[0-9a-f-]+$/.test(dashed) && dashed.includes('--')
    ? [{ type: TYPE.AAAA, address: dashed.replaceAll('-', ':') }]
    : undefined;
}
