import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { SchemaRegistry } from './schema-registry.js';
import type { Schema } from './schema.js';

const file = new URL('../../../api/src/gen/schemas.json', import.meta.url);
const registry = new SchemaRegistry(
  JSON.parse(readFileSync(file, 'utf8')) as Record<string, Schema>,
);
const DEPLOYMENT = 'io.k8s.api.apps.v1.Deployment';

describe('SchemaRegistry', () => {
  it('follows references to a field', () => {
    const containers = registry.lookup(DEPLOYMENT, 'spec', 'template', 'spec', 'containers');
    expect(containers?.['x-kubernetes-patch-merge-key']).toBe('name');
    expect(registry.lookup(DEPLOYMENT, 'spec', 'template', 'spec', 'containers', 'image')).toEqual({
      type: 'string',
    });
  });

  describe('of types that are a schema or something else', () => {
    const CRD = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition';
    const withSchema = (openAPIV3Schema: unknown): object => ({
      spec: { versions: [{ schema: { openAPIV3Schema } }] },
    });

    it.each([
      {
        name: 'a list for the properties of items',
        schema: { items: { properties: [] } },
        typeError:
          'json: cannot unmarshal array into Go struct field JSONSchemaProps.spec.versions.schema.openAPIV3Schema.items.properties of type map[string]v1.JSONSchemaProps',
      },
      {
        name: 'a number for the type of additionalProperties',
        schema: { additionalProperties: { type: 5 } },
        typeError:
          'json: cannot unmarshal number into Go struct field JSONSchemaProps.spec.versions.schema.openAPIV3Schema.additionalProperties.type of type string',
      },
      {
        name: 'a text for additionalProperties',
        schema: { additionalProperties: 'x' },
        typeError: 'boolean or JSON schema expected',
      },
      {
        name: 'a number for a type below maps and lists, whose keys are not told',
        schema: { properties: { a: { items: { properties: { b: { type: 5 } } } } } },
        typeError:
          'json: cannot unmarshal number into Go struct field JSONSchemaProps.spec.versions.schema.openAPIV3Schema.properties.items.properties.type of type string',
      },
      { name: 'what nobody decodes strictly', schema: { items: { zzUnknown: 1 } } },
    ])('finds $name', ({ schema, typeError }) => {
      const found = registry.checkFields(withSchema(schema), CRD);
      expect(found.unknownFields).toEqual([]);
      expect(found.typeError).toBe(typeError);
    });

    it('knows structs without fields', () => {
      const withStatus = (status: unknown): object => ({
        spec: { versions: [{ subresources: { status } }] },
      });
      expect(registry.checkFields(withStatus([]), CRD).typeError).toBe(
        'json: cannot unmarshal array into Go struct field CustomResourceSubresources.spec.versions.subresources.status of type v1.CustomResourceSubresourceStatus',
      );
      const { unknownFields } = registry.checkFields(withStatus({ a: 1 }), CRD);
      expect(unknownFields).toEqual(['spec.versions[0].subresources.status.a']);
      expect(registry.normalize(withStatus({ a: 1 }), CRD)).toMatchObject(withStatus({}));
    });

    it('keeps what Go would write again', () => {
      const given = withSchema({
        items: { zzUnknown: 1, properties: { k: null }, nullable: false },
        additionalProperties: { additionalProperties: false },
        not: { items: 'x' },
      });
      expect(registry.normalize(given, CRD)).toMatchObject(
        withSchema({
          items: { properties: { k: {} } },
          additionalProperties: { additionalProperties: false },
          not: { items: null },
        }),
      );
      expect(JSON.stringify(registry.normalize(given, CRD))).not.toContain('zzUnknown');
    });
  });

  it.each<{ name: string; object: unknown; unknown?: string[]; typeError?: string }>([
    { name: 'a clean object', object: { spec: { replicas: 1 } } },
    {
      name: 'unknown fields',
      object: {
        bogus: 1,
        spec: { bogus: 1, template: { spec: { containers: [{ name: 'a', imag: 'x' }] } } },
      },
      unknown: ['bogus', 'spec.bogus', 'spec.template.spec.containers[0].imag'],
    },
    {
      name: 'a string for a number',
      object: { spec: { replicas: '3' } },
      typeError:
        'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    },
    {
      name: 'a number for a label',
      object: { metadata: { labels: { a: 1 } } },
      typeError:
        'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string',
    },
    // Of types that decode themselves the first failure is the one told; kube-apiserver 1.28.0 says so.
    {
      name: 'no time behind a number for a name',
      object: { metadata: { name: 5, creationTimestamp: 'x' } },
      typeError: 'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"',
    },
    {
      name: 'a number for a time behind a number for a name',
      object: { metadata: { name: 5, creationTimestamp: 7, deletionTimestamp: 'x' } },
      typeError:
        'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.creationTimestamp of type string',
    },
    {
      name: 'neither a number nor a text behind a text for a number',
      object: {
        spec: {
          replicas: '3',
          strategy: { rollingUpdate: { maxSurge: {}, maxUnavailable: true } },
        },
      },
      typeError:
        'json: cannot unmarshal object into Go struct field RollingUpdateDeployment.spec.strategy.rollingUpdate.maxSurge of type int32',
    },
    {
      name: 'an object for a list',
      object: { spec: { template: { spec: { containers: {} } } } },
      typeError:
        'json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container',
    },
    {
      name: 'a bad quantity',
      object: {
        spec: { template: { spec: { containers: [{ resources: { limits: { cpu: 'x' } } }] } } },
      },
      typeError:
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    },
    { name: 'prototype names', object: JSON.parse('{"__proto__":{}}'), unknown: ['__proto__'] },
  ])('finds $name', ({ object, unknown, typeError }) => {
    const problems = registry.checkFields(object, DEPLOYMENT);
    expect(problems.unknownFields).toEqual(unknown ?? []);
    expect(problems.typeError).toBe(typeError);
  });

  // apimachinery pkg/runtime/converter.go:fromUnstructured
  it.each([
    ['a string for a map', { metadata: { labels: 'x' } }, 'cannot restore map from string'],
    ['a list for a map', { metadata: { labels: [] } }, 'cannot restore map from slice'],
    ['a number for a label', { metadata: { labels: { a: 1 } } }, 'cannot convert int64 to string'],
    ['a bool for a label', { metadata: { labels: { a: true } } }, 'unrecognized type: string'],
    ['a string for a number', { spec: { replicas: '3' } }, 'unrecognized type: int32'],
    ['a fraction for a number', { spec: { replicas: 1.5 } }, 'cannot convert float64 to int32'],
    ['a number for a bool', { spec: { paused: 1 } }, 'unrecognized type: bool'],
    ['a string for a struct', { spec: { selector: 'x' } }, 'cannot restore struct from: string'],
    [
      'an object for a list',
      { spec: { template: { spec: { containers: {} } } } },
      'cannot restore slice from map',
    ],
  ])('words %s as the converter of unstructured objects does', (_, object, text) => {
    expect(registry.checkFields(object, DEPLOYMENT).conversionError).toBe(text);
  });

  it('drops unknown fields, nulls and the zeros that Go leaves out, and keeps the rest', () => {
    const given = JSON.parse(
      '{"bogus":1,"__proto__":{"a":1},"metadata":{"creationTimestamp":null,"name":"a","annotations":{"__proto__":"x"}},"spec":{"replicas":0,"paused":false,"template":{"spec":{"containers":[{"name":"c","resources":{"limits":{"cpu":1}}}]}}}}',
    ) as unknown;
    expect(JSON.stringify(registry.normalize(given, DEPLOYMENT))).toBe(
      '{"metadata":{"name":"a","annotations":{"__proto__":"x"}},"spec":{"replicas":0,"template":{"spec":{"containers":[{"name":"c","resources":{"limits":{"cpu":"1"}}}]},"metadata":{}},"selector":null,"strategy":{}},"status":{}}',
    );
  });

  it('keeps an empty list that says something else than none', () => {
    const HPA = 'io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler';
    const given = { spec: { metrics: [], behavior: { scaleUp: { policies: [] } } } };
    expect(registry.normalize(given, HPA)).toMatchObject({
      spec: { behavior: { scaleUp: { policies: [] } } },
    });
    expect(registry.normalize(given, HPA).spec.metrics).toBeUndefined();
  });

  it('leaves out empty lists and maps that may be absent, and keeps empty structs', () => {
    const given = {
      metadata: { name: 'a', ownerReferences: [], labels: {} },
      spec: { selector: {}, template: { spec: { containers: [], nodeSelector: {} } } },
    };
    expect(registry.normalize(given, DEPLOYMENT)).toEqual({
      metadata: { name: 'a' },
      spec: { selector: {}, strategy: {}, template: { metadata: {}, spec: { containers: null } } },
      status: {},
    });
  });

  it.each<[string, string, object, object]>([
    ['structs', 'core.v1.Service', {}, { spec: {}, status: { loadBalancer: {} } }],
    [
      'structs in structs, with their strings and numbers',
      'core.v1.NodeStatus',
      {},
      {
        daemonEndpoints: { kubeletEndpoint: { Port: 0 } },
        nodeInfo: expect.objectContaining({ kubeletVersion: '', machineID: '' }),
      },
    ],
    [
      'times as null',
      'core.v1.PodCondition',
      { type: 'A', status: 'True' },
      { type: 'A', status: 'True', lastProbeTime: null, lastTransitionTime: null },
    ],
    ['lists without omitempty as null', 'rbac.v1.Role', {}, { metadata: {}, rules: null }],
    ['pointers without omitempty as null', 'apps.v1.DaemonSetSpec', {}, { selector: null }],
    ['strings that are required', 'core.v1.Sysctl', { name: 'a' }, { name: 'a', value: '' }],
    [
      'strings that are optional, without omitempty',
      'core.v1.Event',
      {},
      { reportingComponent: '', reportingInstance: '', eventTime: null },
    ],
  ])('writes %s that nobody set, as Go does', (_, name, given, written) => {
    expect(registry.normalize(given, `io.k8s.api.${name}`)).toMatchObject(written);
  });

  it('makes zeros of the nulls among items and values', () => {
    const given = {
      metadata: { labels: { a: null }, finalizers: [null, 'a/b'] },
      spec: {
        containers: [null],
        nodeSelector: { b: null },
        securityContext: { supplementalGroups: [null, 5] },
      },
    };
    expect(registry.normalize(given, 'io.k8s.api.core.v1.Pod')).toMatchObject({
      metadata: { labels: { a: '' }, finalizers: ['', 'a/b'] },
      spec: {
        containers: [{ name: '', resources: {} }],
        nodeSelector: { b: '' },
        securityContext: { supplementalGroups: [0, 5] },
      },
    });
  });

  it('brings times to UTC seconds', () => {
    const given = { metadata: { creationTimestamp: '2024-01-01T02:00:00.5+02:00' } };
    expect(registry.normalize(given, DEPLOYMENT)).toMatchObject({
      metadata: { creationTimestamp: '2024-01-01T00:00:00Z' },
    });
  });

  it('compiles every definition, recursive ones included', () => {
    for (const name of registry.names()) {
      expect(registry.checkFields(null, name)).toBeDefined();
      expect(() => registry.normalize({}, name)).not.toThrow();
    }
  });
});
