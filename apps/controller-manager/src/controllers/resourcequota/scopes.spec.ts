import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '@orrery/apimachinery';
import type { ResourceQuota, ResourceRef } from '@orrery/api';
import { resources } from '@orrery/api';
import { quotaStatus } from './resourcequota.decide.js';
import { isInScope } from './scopes.js';

const quota = (
  ...scopes: (string | [scopeName: string, operator: string, ...values: string[]])[]
) =>
  ({
    metadata: { name: 'q' },
    spec: {
      scopes: scopes.filter((scope) => typeof scope === 'string'),
      scopeSelector: {
        matchExpressions: scopes
          .filter((scope) => typeof scope !== 'string')
          .map(([scopeName, operator, ...values]) => ({ scopeName, operator, values })),
      },
    },
  }) as unknown as ResourceQuota;

const object = (spec: object, status: object = {}): KubeObject =>
  ({ metadata: { name: 'o' }, spec: { containers: [], ...spec }, status }) as KubeObject;

const affinity = (term: object): object => ({
  affinity: {
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term }],
    },
  },
});

const ATTRIBUTES = 'VolumeAttributesClass';
const pods = resources.pods as ResourceRef;
const claims = resources.persistentvolumeclaims as ResourceRef;

describe('isInScope()', () => {
  it.each([
    {
      name: 'a quota without scopes counts all',
      quota: quota(),
      ref: claims,
      object: object({}),
      want: true,
    },
    {
      name: 'pods with a deadline are Terminating',
      quota: quota('Terminating'),
      ref: pods,
      object: object({ activeDeadlineSeconds: 5 }),
      want: true,
    },
    {
      name: 'others are not',
      quota: quota('Terminating'),
      ref: pods,
      object: object({}),
      want: false,
    },
    {
      name: 'affinity to other namespaces',
      quota: quota('CrossNamespacePodAffinity'),
      ref: pods,
      object: object(affinity({ namespaces: ['x'] })),
      want: true,
    },
    {
      name: 'affinity to selected namespaces',
      quota: quota('CrossNamespacePodAffinity'),
      ref: pods,
      object: object(affinity({ namespaceSelector: {} })),
      want: true,
    },
    {
      name: 'affinity at home is none',
      quota: quota('CrossNamespacePodAffinity'),
      ref: pods,
      object: object(affinity({})),
      want: false,
    },
    {
      name: 'a priority class of the list',
      quota: quota(['PriorityClass', 'In', 'high']),
      ref: pods,
      object: object({ priorityClassName: 'high' }),
      want: true,
    },
    {
      name: 'a priority class not of the list',
      quota: quota(['PriorityClass', 'NotIn', 'high']),
      ref: pods,
      object: object({ priorityClassName: 'high' }),
      want: false,
    },
    {
      name: 'no priority class',
      quota: quota(['PriorityClass', 'DoesNotExist']),
      ref: pods,
      object: object({}),
      want: true,
    },
    {
      name: 'claims have no scope of pods',
      quota: quota('NotBestEffort'),
      ref: claims,
      object: object({}),
      want: false,
    },
    {
      name: 'the attributes class of a claim',
      quota: quota([ATTRIBUTES, 'In', 'gold']),
      ref: claims,
      object: object({ volumeAttributesClassName: 'gold' }),
      want: true,
    },
    {
      name: 'the attributes class that a claim still has',
      quota: quota([ATTRIBUTES, 'In', 'gold']),
      ref: claims,
      object: object(
        { volumeAttributesClassName: 'tin' },
        { currentVolumeAttributesClassName: 'gold' },
      ),
      want: true,
    },
    {
      name: 'no attributes class',
      quota: quota([ATTRIBUTES, 'Exists']),
      ref: claims,
      object: object({}),
      want: false,
    },
    {
      name: 'services have no scope',
      quota: quota('BestEffort'),
      ref: resources.services as ResourceRef,
      object: object({}),
      want: false,
    },
  ])('$name', ({ quota: one, ref, object: of, want }) => {
    expect(isInScope(one, ref, of)).toBe(want);
  });
});

describe('quotaStatus()', () => {
  it('counts devices by class, and what it is told of foreign kinds', () => {
    const gpus = 'gpu.deviceclass.resource.k8s.io/devices';
    const hard = { [gpus]: '9', 'count/widgets.example.com': '5', 'count/gears.example.com': '5' };
    const requests = [
      { name: 'a', exactly: { deviceClassName: 'gpu', count: 2 } },
      {
        name: 'b',
        firstAvailable: [
          { name: 'x', deviceClassName: 'gpu' },
          { name: 'y', deviceClassName: 'gpu', count: 3 },
        ],
      },
    ];
    const claim = object({ devices: { requests } });
    const world = [{ ref: resources.resourceclaims as ResourceRef, objects: [claim] }];
    const one = {
      metadata: { name: 'q' },
      spec: { hard },
      status: { used: { 'count/gears.example.com': '4' } },
    };
    const found = quotaStatus(one, world, 0, new Map([['count/widgets.example.com', 2]]));
    expect(found.used).toEqual({
      [gpus]: '5',
      'count/widgets.example.com': '2',
      'count/gears.example.com': '4',
    });
  });
});
