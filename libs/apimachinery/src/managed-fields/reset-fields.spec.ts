import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '../object.js';
import { SchemaRegistry } from '../schema/schema-registry.js';
import type { Schema } from '../schema/schema.js';
import { trackUpdate } from './apply-patch.js';
import type { TrackOptions } from './apply-patch.js';
import { fieldsAt } from './field-set.js';

const file = new URL('../../../api/src/gen/schemas.json', import.meta.url);
const registry = new SchemaRegistry(
  JSON.parse(readFileSync(file, 'utf8')) as Record<string, Schema>,
);

type Fields = Record<string, unknown>;
type Of = Pick<TrackOptions, 'schemaName' | 'apiVersion'>;
const POD: Of = { schemaName: 'io.k8s.api.core.v1.Pod', apiVersion: 'v1' };

const write = (
  kind: Of,
  manager: string,
  fields: Fields,
  rest: Partial<TrackOptions> = {},
): KubeObject =>
  trackUpdate({
    ...kind,
    registry,
    manager,
    now: '2024-01-01T00:00:00Z',
    ...rest,
    new: { metadata: { name: 'x', ...rest.old?.metadata }, ...fields },
  });

const ownersOf = ({ metadata: { managedFields = [] } }: KubeObject): Fields =>
  Object.fromEntries(managedFields.map(({ manager = '', fieldsV1 }) => [manager, fieldsV1]));

describe('fields that a write cannot set', () => {
  const created = write(POD, 'author', { spec: { nodeName: 'n', priority: 1 } });

  it('stay with their owners, be they changed or left out', () => {
    const status = write(
      POD,
      'kubelet',
      { spec: { nodeName: 'other' }, status: { phase: 'Running' } },
      { old: created, subresource: 'status', ignored: fieldsAt(['spec']) },
    );
    expect(ownersOf(status)).toEqual({
      author: { 'f:spec': { 'f:nodeName': {}, 'f:priority': {} } },
      kubelet: { 'f:status': { 'f:phase': {} } },
    });
  });

  it('are all but those it is for', () => {
    const old = write(POD, 'author', {
      spec: { containers: [{ name: 'c', image: 'i', resources: {} }] },
    });
    const only = fieldsAt(['spec', 'containers', '*', 'resources']);
    const containers = [{ name: 'c', image: 'j', resources: { limits: { cpu: '1' } } }];
    const resized = write(
      POD,
      'resizer',
      { spec: { containers } },
      { old, only, subresource: 'resize' },
    );
    const c = 'k:{"name":"c"}';
    expect(ownersOf(resized)).toEqual({
      author: {
        'f:spec': {
          'f:containers': {
            [c]: { '.': {}, 'f:image': {}, 'f:name': {}, 'f:resources': {} },
          },
        },
      },
      resizer: {
        'f:spec': {
          'f:containers': { [c]: { 'f:resources': { 'f:limits': { '.': {}, 'f:cpu': {} } } } },
        },
      },
    });
  });
});

const WEBHOOKS: Of = {
  schemaName: 'io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration',
  apiVersion: 'admissionregistration.k8s.io/v1',
};
const LEVEL: Of = {
  schemaName: 'io.k8s.api.flowcontrol.v1.PriorityLevelConfiguration',
  apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
};
const EVENT: Of = { schemaName: 'io.k8s.api.core.v1.Event', apiVersion: 'v1' };
const REVISION: Of = {
  schemaName: 'io.k8s.api.apps.v1.ControllerRevision',
  apiVersion: 'apps/v1',
};

// Read from kube-apiserver 1.28.0.
describe('what Go has of every struct', () => {
  it.each<{ name: string; kind: Of; fields: Fields; want: Fields }>([
    {
      name: 'comes with the struct it lies in, where that is new',
      kind: WEBHOOKS,
      fields: { webhooks: [{ name: 'w', clientConfig: { url: 'u' } }] },
      want: {
        'f:webhooks': {
          '.': {},
          'k:{"name":"w"}': { '.': {}, 'f:clientConfig': { '.': {}, 'f:url': {} }, 'f:name': {} },
        },
      },
    },
    {
      name: 'comes with the pointer it lies in',
      kind: LEVEL,
      fields: { spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } } },
      want: {
        'f:spec': {
          'f:limited': { '.': {}, 'f:limitResponse': { '.': {}, 'f:type': {} } },
          'f:type': {},
        },
      },
    },
    {
      name: 'is no change while it is empty',
      kind: EVENT,
      fields: { source: {}, eventTime: null, reportingComponent: '', type: 'Normal' },
      want: { 'f:type': {} },
    },
    {
      name: 'is there before: what is in it alone is new',
      kind: EVENT,
      fields: { source: { host: 'h' } },
      want: { 'f:source': { 'f:host': {} } },
    },
    {
      name: 'is one field where it may hold anything',
      kind: REVISION,
      fields: { data: { a: { b: 1 } }, revision: 1 },
      want: { 'f:data': {}, 'f:revision': {} },
    },
  ])('$name', ({ kind, fields, want }) => {
    expect(ownersOf(write(kind, 'author', fields))).toEqual({ author: want });
  });

  it('stays when what is in it goes', () => {
    const old = write(EVENT, 'author', { source: { host: 'h' }, type: 'Normal' });
    const left = write(EVENT, 'other', { type: 'Normal' }, { old });
    expect(ownersOf(left)).toEqual({ author: { 'f:type': {} } });
  });
});
