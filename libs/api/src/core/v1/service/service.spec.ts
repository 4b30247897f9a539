import { describe, expect, it } from '@jest/globals';
import type { Service, ServiceSpec } from '../../../types.js';
import { ServiceKind } from './service.kind.js';

const context = { now: '2026-01-02T00:00:00Z', warn: () => undefined };

function service(spec: ServiceSpec): Service {
  const object: Service = { metadata: { name: 'web', namespace: 'default' }, spec };
  ServiceKind.setDefaults?.(object);
  return object;
}

describe('ServiceKind', () => {
  it('fills what kubectl shows of a plain service', () => {
    expect(service({ selector: { app: 'web' }, ports: [{ port: 80 }] }).spec).toEqual({
      selector: { app: 'web' },
      ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
      type: 'ClusterIP',
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
    });
  });

  it.each<{ name: string; spec: ServiceSpec; want: string }>([
    { name: 'no ports', spec: {}, want: 'spec.ports: Required value' },
    {
      name: 'two ports without names',
      spec: { ports: [{ port: 80 }, { port: 81, name: 'b' }] },
      want: 'spec.ports[0].name: Required value',
    },
    {
      name: 'a node port on a cluster IP',
      spec: { ports: [{ port: 80, nodePort: 30080 }] },
      want: "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
    },
  ])('refuses $name', ({ spec, want }) => {
    const findings = ServiceKind.strategy.validate?.(service(spec), context) ?? [];
    expect(findings.map(({ field, message }) => `${field}: ${message}`)).toEqual([want]);
  });

  it('keeps the allocated address and node port of an update that names none', () => {
    const old = service({ type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] });
    old.spec.clusterIP = '10.0.0.7';
    old.spec.clusterIPs = ['10.0.0.7'];
    const update = service({ type: 'NodePort', ports: [{ port: 80 }] });
    ServiceKind.strategy.prepareForUpdate?.(update, old, context);
    expect(update.spec.clusterIPs).toEqual(['10.0.0.7']);
    expect(update.spec.ports?.[0]?.nodePort).toBe(30080);
    expect(ServiceKind.strategy.validateUpdate?.(update, old, context)).toEqual([]);
  });

  it('refuses another address', () => {
    const old = service({ clusterIP: '10.0.0.7', clusterIPs: ['10.0.0.7'], ports: [{ port: 80 }] });
    const update = structuredClone(old);
    update.spec.clusterIP = '10.0.0.8';
    ServiceKind.strategy.prepareForUpdate?.(update, old, context);
    const findings = ServiceKind.strategy.validateUpdate?.(update, old, context) ?? [];
    expect(findings.map(({ field }) => field)).toEqual(['spec.clusterIPs[0]']);
  });

  it('says where it can be reached', () => {
    const object = service({ type: 'LoadBalancer', ports: [{ port: 80, nodePort: 30080 }] });
    expect(ServiceKind.columns.row(object, 0).slice(0, 5)).toEqual([
      'web',
      'LoadBalancer',
      '<none>',
      '<pending>',
      '80:30080/TCP',
    ]);
  });
});
