import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '@orrery/apimachinery';
import { findKind } from '@orrery/api';
import type { KindDescriptor } from '@orrery/api';
import type { Entry } from '@orrery/storage';
import { encodeObject, representationOf, toStorable } from './representation.js';

const ingress = findKind('networking.k8s.io', 'v1', 'ingresses') as KindDescriptor;
const autoscaler = findKind('autoscaling', 'v2', 'horizontalpodautoscalers') as KindDescriptor;

/** A value as it lies in etcd; `parsed` counts how often it was taken apart. */
function entryOf(object: KubeObject): { entry: Entry; parsed: () => number } {
  const bytes = encodeObject(object);
  const { kind, apiVersion } = object;
  let count = 0;
  const entry = {
    bytes,
    // The comma behind the type belongs to what follows.
    typeEnd: JSON.stringify({ kind, apiVersion }).length,
    get object() {
      count += 1;
      return object;
    },
  };
  return { entry: entry as unknown as Entry, parsed: () => count };
}

describe('representationOf()', () => {
  it('is the entry itself, unread, where it is stored as it is served', () => {
    const { entry, parsed } = entryOf({
      kind: 'Ingress',
      apiVersion: 'networking.k8s.io/v1',
      metadata: { name: 'a' },
    });
    expect(representationOf(ingress, entry)).toBe(entry);
    expect(parsed()).toBe(0);
  });

  it('is the current version of what was stored in one that upstream has removed', () => {
    const { entry } = entryOf({
      kind: 'Ingress',
      apiVersion: 'extensions/v1beta1',
      metadata: { name: 'a' },
      spec: { backend: { serviceName: 's', servicePort: 80 } },
    } as KubeObject);
    const made = representationOf(ingress, entry);
    expect(made.object).toMatchObject({
      apiVersion: 'networking.k8s.io/v1',
      spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } },
    });
    expect(JSON.parse(made.bytes.toString())).toEqual(made.object);
    expect(representationOf(ingress, entry)).toBe(made);
  });

  it('is the stored version of what was stored in another that is served', () => {
    const { entry } = entryOf({
      kind: 'HorizontalPodAutoscaler',
      apiVersion: 'autoscaling/v1',
      metadata: { name: 'a' },
      spec: { maxReplicas: 3, targetCPUUtilizationPercentage: 50 },
    } as KubeObject);
    expect(representationOf(autoscaler, entry).object).toMatchObject({
      apiVersion: 'autoscaling/v2',
      spec: { metrics: [{ resource: { name: 'cpu', target: { averageUtilization: 50 } } }] },
    });
  });

  it('leaves alone what no version is known of', () => {
    const { entry } = entryOf({
      kind: 'Ingress',
      apiVersion: 'example.com/v1',
      metadata: { name: 'a' },
    });
    expect(representationOf(ingress, entry)).toBe(entry);
  });
});

describe('toStorable()', () => {
  const given = (spec: object): KubeObject =>
    ({
      kind: 'Ingress',
      apiVersion: 'networking.k8s.io/v1',
      metadata: { name: 'a', resourceVersion: '7', selfLink: '/a', labels: { b: 'c' } },
      spec,
    }) as KubeObject;

  it('is the value, and what parsing it would give, without a version', () => {
    const { value, object } = toStorable(
      ingress,
      given({ rules: [{ host: 'h' }, null, 1.5, true] }),
    );
    expect(JSON.parse(value.toString())).toStrictEqual(object);
    expect(object?.metadata).toStrictEqual({ name: 'a', labels: { b: 'c' } });
  });

  it.each([
    { name: 'undefined', spec: { rules: [{ host: undefined }] } },
    { name: 'no number', spec: { rules: [Number.NaN] } },
    { name: 'an object that is no plain one', spec: { at: new Date(0) } },
  ])('is the value alone where the object holds $name', ({ spec }) => {
    const { value, object } = toStorable(ingress, given(spec));
    expect(JSON.parse(value.toString())).toMatchObject({ metadata: { name: 'a' } });
    expect(object).toBeUndefined();
  });
});
