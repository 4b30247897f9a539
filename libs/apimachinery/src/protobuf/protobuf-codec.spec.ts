import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SchemaRegistry } from '../schema/schema-registry.js';
import type { Schema } from '../schema/schema.js';
import { finish } from '../steps.js';
import { ProtobufCodec } from './protobuf-codec.js';
import { ProtobufError } from './protobuf-error.js';

const load = (name: string): object =>
  JSON.parse(
    readFileSync(new URL(`../../../api/src/gen/${name}`, import.meta.url), 'utf8'),
  ) as object;
const registry = new SchemaRegistry(load('schemas.json') as Record<string, Schema>);
const codec = new ProtobufCodec(load('protobuf.json'), registry);

const isError = (run: () => unknown): boolean => {
  try {
    run();
    return false;
  } catch (error) {
    if (error instanceof ProtobufError) return true;
    throw error;
  }
};

const pod = {
  kind: 'Pod',
  apiVersion: 'v1',
  metadata: {
    name: 'web-0',
    labels: { app: 'web', __proto__x: '' },
    creationTimestamp: '2024-01-01T00:00:00Z',
    ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'n', uid: 'u', controller: false }],
    managedFields: [{ manager: 'm', fieldsType: 'FieldsV1', fieldsV1: { 'f:a': {} } }],
  },
  spec: {
    terminationGracePeriodSeconds: 0,
    hostNetwork: true,
    securityContext: { runAsUser: 0, runAsNonRoot: false },
    volumes: [
      { name: 'v', configMap: { name: 'c', defaultMode: 420 } },
      { name: 'e', emptyDir: { sizeLimit: '1Gi' } },
    ],
    containers: [
      {
        name: 'c',
        image: 'i',
        env: [{ name: 'E', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } }],
        ports: [{ containerPort: 80, protocol: 'TCP' }],
        resources: { limits: { cpu: '100m', memory: '128Mi' } },
        livenessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 10 },
        readinessProbe: { tcpSocket: { port: 80 } },
      },
    ],
    ephemeralContainers: [{ name: 'd', image: 'i', targetContainerName: 'c' }],
  },
};

describe('ProtobufCodec', () => {
  it('keeps times of zero among the values of a map, which are null in JSON', () => {
    const budget = {
      kind: 'PodDisruptionBudget',
      apiVersion: 'policy/v1',
      status: { disruptedPods: { a: null, b: '2024-01-01T00:00:00Z' } },
    };
    const { object } = codec.decode(codec.encode(budget));
    expect(object).toMatchObject(budget);
  });

  it.each<{ name: string; object: object }>([
    { name: 'a pod', object: pod },
    {
      name: 'a deployment',
      object: {
        kind: 'Deployment',
        apiVersion: 'apps/v1',
        metadata: { name: 'd' },
        spec: {
          replicas: 0,
          strategy: { rollingUpdate: { maxSurge: '25%', maxUnavailable: 1 } },
        },
      },
    },
    {
      name: 'a secret',
      object: { kind: 'Secret', apiVersion: 'v1', data: { a: 'aGk=', b: '' }, type: 'Opaque' },
    },
    {
      name: 'a lease',
      object: {
        kind: 'Lease',
        apiVersion: 'coordination.k8s.io/v1',
        spec: { holderIdentity: '', renewTime: '2024-01-01T00:00:00.123456Z', leaseTransitions: 0 },
      },
    },
    {
      name: 'a status',
      object: {
        kind: 'Status',
        apiVersion: 'v1',
        status: 'Failure',
        code: 404,
        reason: 'NotFound',
      },
    },
    {
      name: 'delete options of a group',
      object: { kind: 'DeleteOptions', apiVersion: 'policy/v1', gracePeriodSeconds: 0 },
    },
    {
      name: 'a review with extra values',
      object: {
        kind: 'TokenReview',
        apiVersion: 'authentication.k8s.io/v1',
        status: { user: { username: 'u', extra: { a: ['b', 'c'] } } },
      },
    },
    {
      name: 'a list',
      object: {
        kind: 'NamespaceList',
        apiVersion: 'v1',
        metadata: { resourceVersion: '5' },
        items: [{ metadata: { name: 'a' }, spec: { finalizers: ['kubernetes'] } }],
      },
    },
    {
      name: 'a custom resource definition',
      object: {
        kind: 'CustomResourceDefinition',
        apiVersion: 'apiextensions.k8s.io/v1',
        spec: {
          group: 'g',
          versions: [
            {
              name: 'v1',
              served: true,
              storage: false,
              schema: {
                openAPIV3Schema: {
                  type: 'object',
                  'x-kubernetes-preserve-unknown-fields': true,
                  properties: {
                    a: { type: 'array', items: { type: 'string', default: 'x' }, maxItems: 0 },
                    b: { additionalProperties: { type: 'string' } },
                    c: { additionalProperties: false },
                  },
                },
              },
            },
          ],
        },
      },
    },
  ])('round-trips $name', ({ object }) => {
    expect(codec.decode(codec.encode(object)).object).toEqual(object);
  });

  it('drops the zeros that Go writes for plain fields', () => {
    const bytes = codec.encode({
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { name: 'a', namespace: '', generation: 0 },
      spec: { hostNetwork: false, nodeName: '' },
    });
    expect(codec.decode(bytes).object).toEqual({
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { name: 'a' },
      spec: {},
    });
  });

  it('frames watch events', () => {
    const frame = codec.encodeWatchFrame('ADDED', pod);
    expect(frame.readUInt32BE(0)).toBe(frame.length - 4);
    expect(codec.decodeWatchFrame(frame)).toEqual({ type: 'ADDED', object: pod });
  });

  it('gives a value or a ProtobufError for hostile bytes', () => {
    const good = codec.encode(pod);
    const bytes = fc.uint8Array({ maxLength: 64 });
    fc.assert(
      fc.property(bytes, fc.nat(good.length), (noise, at) => {
        const mixed = Buffer.concat([good.subarray(0, at), noise, good.subarray(at)]);
        expect(typeof isError(() => codec.decode(mixed))).toBe('boolean');
        expect(typeof isError(() => codec.decode(good.subarray(0, at)))).toBe('boolean');
      }),
      { numRuns: 500 },
    );
  });

  it('refuses wrong types, unknown kinds and endless nesting', () => {
    expect(isError(() => codec.encode({ ...pod, spec: 1 }))).toBe(true);
    expect(isError(() => codec.encode({ kind: 'Foo', apiVersion: 'v1' }))).toBe(true);
    expect(isError(() => codec.decode(Buffer.from('{}')))).toBe(true);
    let schema: object = { type: 'string' };
    for (let i = 0; i < 500; i += 1) schema = { items: schema };
    const versions = [{ name: 'v', schema: { openAPIV3Schema: schema } }];
    const crd = {
      kind: 'CustomResourceDefinition',
      apiVersion: 'apiextensions.k8s.io/v1',
      spec: { versions },
    };
    expect(isError(() => codec.encode(crd))).toBe(true);
  });
});

/** A full value of a schema: every field set to something that is not Go's zero. */
function sample(schema: Schema | undefined, depth: number): unknown {
  const special = Object.entries(SAMPLES).find(([name]) => schema?.$ref?.endsWith(`.${name}`));
  if (special) return special[1];
  const resolved = registry.deref(schema);
  if (!resolved || depth > 9) return undefined;
  switch (resolved.type) {
    case 'string':
      return resolved.format === 'byte' ? 'aGk=' : 'x';
    case 'integer':
    case 'number':
      return 7;
    case 'boolean':
      return true;
    case 'array': {
      const item = sample(resolved.items, depth + 1);
      return item === undefined ? undefined : [item];
    }
    default:
      return sampleObject(resolved, depth);
  }
}

const SAMPLES = {
  Time: '2024-01-01T00:00:00Z',
  MicroTime: '2024-01-01T00:00:00.5Z',
  Quantity: '5',
  IntOrString: 'a',
  Duration: '5s',
};

function sampleObject(schema: Schema, depth: number): unknown {
  const values = schema.additionalProperties;
  const isKind = 'x-kubernetes-group-version-kind' in schema;
  const fields = Object.entries(schema.properties ?? {}).filter(
    ([key]) => !isKind || (key !== 'kind' && key !== 'apiVersion'),
  );
  if (typeof values === 'object') fields.push(['key', values]);
  const entries = fields
    .map(([key, field]) => [key, sample(field, depth + 1)] as const)
    .filter(([, value]) => value !== undefined);
  return typeof values === 'object' && entries.length === 0
    ? undefined
    : Object.fromEntries(entries);
}

describe('encodeListSteps()', () => {
  it.each([
    {
      name: 'a list of objects',
      head: { apiVersion: 'v1', kind: 'ConfigMapList', metadata: { resourceVersion: '7' } },
      items: [{ metadata: { name: 'a' }, data: { x: 'y' } }, { metadata: { name: 'b' } }, {}],
    },
    {
      name: 'an empty list',
      head: { apiVersion: 'apps/v1', kind: 'DeploymentList', metadata: {} },
      items: [],
    },
    {
      name: 'a list of metadata',
      head: { apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadataList', metadata: {} },
      items: [{ metadata: { name: 'a', labels: { a: 'b' } } }],
    },
  ])('writes $name as encode() does, one step an item', ({ head, items }) => {
    const steps = codec.encodeListSteps(head, items);
    let turns = 0;
    let next = steps.next();
    for (; !next.done; next = steps.next()) turns += 1;
    expect(turns).toBe(items.length);
    expect(Buffer.concat(next.value)).toEqual(codec.encode({ ...head, items }));
  });

  it('refuses a list that has no message', () => {
    const head = { apiVersion: 'meta.k8s.io/v1', kind: 'Table' };
    expect(() => finish(codec.encodeListSteps(head, []))).toThrow(ProtobufError);
  });
});

describe('every kind of the schema', () => {
  const kinds = registry.names().filter((name) => {
    const [gvk] = (registry.resolve(name) as { 'x-kubernetes-group-version-kind'?: unknown[] })[
      'x-kubernetes-group-version-kind'
    ] ?? [undefined];
    return gvk !== undefined && name.startsWith('io.k8s.api.');
  });
  it.each(kinds)('%s survives protobuf', (name) => {
    const [, group = '', version = '', kind = ''] =
      /^io\.k8s\.api\.(\w+)\.(\w+)\.(\w+)$/.exec(name) ?? [];
    const apiVersion = group === 'core' ? version : `${group}/${version}`;
    const object = { ...(sample(registry.resolve(name), 0) as object), apiVersion, kind };
    const normal = registry.normalize(object, name);
    const { object: decoded } = codec.decode(codec.encode(normal));
    expect(registry.normalize(decoded, name)).toEqual(normal);
  });
});
