import { beforeAll, describe, expect, it } from '@jest/globals';
import type { EndpointSlice, Service } from '@orrery/api';
import { Indexer } from '@orrery/informers';
import { RCODE, TYPE } from './message.js';
import { ClusterZone, canonical, reversedAddress } from './zone.js';

const service = (name: string, spec: Service['spec'], namespace = 'shop'): Service => ({
  metadata: { name, namespace },
  spec,
});

const SERVICES = [
  service('web', {
    clusterIP: '10.0.0.7',
    clusterIPs: ['10.0.0.7', 'fd00::7'],
    ports: [{ name: 'http', port: 80 }],
  }),
  service('db', { clusterIP: 'None', ports: [{ name: 'sql', port: 5432 }] }),
  service('early', { clusterIP: 'None', publishNotReadyAddresses: true, ports: [] }),
  service('far', { type: 'ExternalName', externalName: 'example.com', ports: [] }),
  service('alias', { type: 'ExternalName', externalName: 'web.shop.svc.cluster.local', ports: [] }),
];

const slice = (name: string): EndpointSlice => ({
  metadata: {
    name: `${name}-1`,
    namespace: 'shop',
    labels: { 'kubernetes.io/service-name': name },
  },
  addressType: 'IPv4',
  endpoints: [
    { addresses: ['10.1.0.1'], hostname: 'db-0', conditions: { ready: true } },
    { addresses: ['10.1.0.2'], conditions: { ready: true } },
    { addresses: ['10.1.0.3'], conditions: { ready: false } },
  ],
  ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }],
});

describe('the names of a cluster', () => {
  let zone: ClusterZone;

  beforeAll(() => {
    const services = new Indexer<Service>();
    const slices = new Indexer<EndpointSlice>();
    for (const one of SERVICES) services.set(one);
    for (const name of ['db', 'early']) slices.set(slice(name));
    zone = new ClusterZone('cluster.local', { services, slices });
  });

  const said = (name: string, type: number): unknown => {
    const answer = zone.resolve(name, type);
    if (!answer) return undefined;
    if (answer.rcode !== RCODE.noError) return answer.rcode;
    return answer.answers.map(({ data }) => {
      if (data.type === TYPE.SRV) return `${data.port} ${data.target}`;
      if ('address' in data) return data.address;
      if ('text' in data) return data.text;
      return 'target' in data ? data.target : '';
    });
  };

  it.each([
    { name: 'web.shop.svc.cluster.local', type: TYPE.A, want: ['10.0.0.7'] },
    { name: 'web.shop.svc.cluster.local', type: TYPE.AAAA, want: ['fd00::7'] },
    { name: 'web.shop.svc.cluster.local', type: TYPE.TXT, want: [] },
    { name: 'none.shop.svc.cluster.local', type: TYPE.A, want: RCODE.nameError },
    { name: 'shop.svc.cluster.local', type: TYPE.A, want: [] },
    { name: 'nowhere.svc.cluster.local', type: TYPE.A, want: RCODE.nameError },
    { name: 'cluster.local', type: TYPE.A, want: [] },
    { name: 'example.com', type: TYPE.A, want: undefined },
    { name: 'dns-version.cluster.local', type: TYPE.TXT, want: ['1.1.0'] },
    { name: 'db.shop.svc.cluster.local', type: TYPE.A, want: ['10.1.0.1', '10.1.0.2'] },
    { name: 'db-0.db.shop.svc.cluster.local', type: TYPE.A, want: ['10.1.0.1'] },
    { name: '10-1-0-2.db.shop.svc.cluster.local', type: TYPE.A, want: ['10.1.0.2'] },
    { name: '10-1-0-3.db.shop.svc.cluster.local', type: TYPE.A, want: RCODE.nameError },
    { name: '10-1-0-3.early.shop.svc.cluster.local', type: TYPE.A, want: ['10.1.0.3'] },
    { name: 'far.shop.svc.cluster.local', type: TYPE.A, want: ['example.com'] },
    { name: 'far.shop.svc.cluster.local', type: TYPE.CNAME, want: ['example.com'] },
    {
      name: 'alias.shop.svc.cluster.local',
      type: TYPE.A,
      want: ['web.shop.svc.cluster.local', '10.0.0.7'],
    },
    {
      name: '_http._tcp.web.shop.svc.cluster.local',
      type: TYPE.SRV,
      want: ['80 web.shop.svc.cluster.local'],
    },
    { name: '_http._udp.web.shop.svc.cluster.local', type: TYPE.SRV, want: RCODE.nameError },
    {
      name: '_sql._tcp.db.shop.svc.cluster.local',
      type: TYPE.SRV,
      want: ['5432 db-0.db.shop.svc.cluster.local', '5432 10-1-0-2.db.shop.svc.cluster.local'],
    },
    { name: '10-1-0-9.shop.pod.cluster.local', type: TYPE.A, want: ['10.1.0.9'] },
    { name: 'name.shop.pod.cluster.local', type: TYPE.A, want: RCODE.nameError },
    { name: '7.0.0.10.in-addr.arpa', type: TYPE.PTR, want: ['web.shop.svc.cluster.local'] },
    {
      name: '1.0.1.10.in-addr.arpa',
      type: TYPE.PTR,
      want: ['db-0.db.shop.svc.cluster.local', 'db-0.early.shop.svc.cluster.local'],
    },
    { name: '9.9.9.9.in-addr.arpa', type: TYPE.PTR, want: undefined },
  ])('answers $name ($type)', ({ name, type, want }) => {
    expect(said(name, type)).toEqual(want);
  });

  it('sends the addresses of SRV targets along', () => {
    const answer = zone.resolve('_sql._tcp.db.shop.svc.cluster.local', TYPE.SRV);
    expect(answer?.additional?.map(({ name }) => name)).toEqual([
      'db-0.db.shop.svc.cluster.local',
      '10-1-0-2.db.shop.svc.cluster.local',
    ]);
  });

  it('reads addresses backwards', () => {
    const six = `${'7.0.0.0'}.${'0.'.repeat(24)}0.0.d.f.ip6.arpa`;
    expect(canonical(reversedAddress(six) ?? '')).toBe('fd00::7');
    expect(reversedAddress('web.shop')).toBeUndefined();
  });
});
