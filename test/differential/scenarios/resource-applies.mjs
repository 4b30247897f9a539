// Server-side apply of a custom resource, in its order.
import { APPLY, COLLECTION, GROUP, MERGE, foo, get, patch, step } from '../custom.mjs';
import { FOOS } from '../foos.mjs';

const ap = (body, query, path = `${COLLECTION}/applied`) =>
  step('PATCH', `${path}?${query}`, body, APPLY);

const af = (more, rest) => foo('applied', more, rest);

const applies = [
  ap(af({ replicas: 1 }), ''),
  ap(
    af(
      {
        replicas: 1,
        name: 'abc',
        set: ['a', 'b'],
        keyed: [{ k: 'x', v: 1, w: 'q' }, { k: 'y' }],
        map: { a: 'b' },
        atomic: [1, 2],
        atomicMap: { a: 'b' },
        any: { p: { q: 1 }, l: [1] },
        deep: {},
        template: {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { labels: { a: 'b' } },
          spec: { containers: [{ name: 'x' }] },
        },
      },
      { metadata: { name: 'applied', labels: { l: 'm' }, annotations: { n: 'o' } } },
    ),
    'fieldManager=one',
  ),
  ap(af({ replicas: 2 }), 'fieldManager=two'),
  ap(
    af({
      replicas: 2,
      name: 'abd',
      set: ['b', 'c'],
      keyed: [{ k: 'x', v: 2 }, { k: 'z' }],
      map: { a: 'c', d: 'e' },
      atomic: [3],
      atomicMap: { b: 'c' },
      any: { p: { q: 2 }, l: [2] },
    }),
    'fieldManager=two',
  ),
  ap(
    af({
      replicas: 2,
      name: 'abd',
      set: ['b', 'c'],
      keyed: [{ k: 'x', v: 2 }, { k: 'z' }],
      map: { a: 'c', d: 'e' },
      atomic: [3],
      atomicMap: { b: 'c' },
      any: { p: { q: 2 }, l: [2] },
    }),
    'fieldManager=two&force=true',
  ),
  ap(af({ replicas: 2 }), 'fieldManager=two'),
  ap(af({}), 'fieldManager=one'),
  ap(af({ set: ['a', 'a'] }), 'fieldManager=one'),
  ap(af({ keyed: [{ k: 'a' }, { k: 'a' }] }), 'fieldManager=one'),
  ap(af({ keyed: [{ v: 1 }] }), 'fieldManager=one'),
  ap(af({ zz: 1 }), 'fieldManager=one'),
  ap(af({ zz: 1 }), 'fieldManager=one&fieldValidation=Strict'),
  ap(af({ zz: 1 }), 'fieldManager=one&fieldValidation=Warn'),
  ap(af({ replicas: 'x' }), 'fieldManager=one&force=true'),
  ap(af({ set: 'x' }), 'fieldManager=one'),
  ap(af({ set: [1, { a: 1 }] }), 'fieldManager=one'),
  ap(af({ keyed: [5] }), 'fieldManager=one'),
  ap(af({ map: 5 }), 'fieldManager=one'),
  ap(af(null), 'fieldManager=one'),
  ap(af({ nil: null, map: null }), 'fieldManager=three'),
  ap({ spec: {} }, 'fieldManager=one'),
  ap({ ...af({}), apiVersion: `${GROUP}/v1beta1` }, 'fieldManager=one'),
  ap({ ...af({}), kind: 'Other' }, 'fieldManager=one'),
  ap(af({}, { metadata: { name: 'else' } }), 'fieldManager=one'),
  ap(
    af({}, { metadata: { name: 'applied', managedFields: [{ manager: 'x' }] } }),
    'fieldManager=one',
  ),
  ap(af({}, { metadata: { name: 'applied', managedFields: [] } }), 'fieldManager=one'),
  ap(af({}, { metadata: { name: 'applied', uid: 'x' } }), 'fieldManager=one'),
  ap(af({}, { metadata: { name: 'applied', resourceVersion: '1' } }), 'fieldManager=one'),
  ap('a: [', 'fieldManager=one'),
  ap('[]', 'fieldManager=one'),
  ap('apiVersion: x\napiVersion: y', 'fieldManager=one'),
  ap(
    `apiVersion: ${GROUP}/v1\nkind: Foo\nmetadata: {name: applied}\nspec: {name: a, name: b}`,
    'fieldManager=one&fieldValidation=Strict',
  ),
  ap(af({}), `fieldManager=${'x'.repeat(200)}`),
  ap(af({}), 'fieldManager=one&force=x'),
  ap(af({}), 'fieldManager=one&dryRun=Bad'),
  ap(
    af(undefined, {
      status: { replicas: 3, phase: 'Up', conditions: [{ type: 'A', status: 'True' }] },
    }),
    'fieldManager=st',
    `${COLLECTION}/applied/status`,
  ),
  ap(
    af(undefined, { status: { replicas: 4, phase: 'Up' } }),
    'fieldManager=su',
    `${COLLECTION}/applied/status`,
  ),
  ap(
    af({ replicas: 7 }, { status: { replicas: 4 } }),
    'fieldManager=su&force=true',
    `${COLLECTION}/applied/status`,
  ),
  ap(
    {
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      metadata: { name: 'applied', namespace: 'default' },
      spec: { replicas: 9 },
    },
    'fieldManager=sc',
    `${COLLECTION}/applied/scale`,
  ),
  ap(
    {
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      metadata: { name: 'applied', namespace: 'default' },
      spec: { replicas: 9 },
    },
    'fieldManager=sc&force=true',
    `${COLLECTION}/applied/scale`,
  ),
  get(`${COLLECTION}/applied`),
  get(`${COLLECTION}/applied/scale`),
  patch(
    { spec: { keyed: [{ k: 'x', w: 'merged' }], set: ['n'] } },
    MERGE,
    `${COLLECTION}/applied?fieldManager=merger`,
  ),
  step('PUT', `${COLLECTION}/applied?fieldManager=putter`, af({ set: ['o'], any: { p: 5 } })),
  patch({ metadata: { managedFields: [] } }, MERGE, `${COLLECTION}/applied`),
  patch({ metadata: { managedFields: [{}] } }, MERGE, `${COLLECTION}/applied`),
  get(`${COLLECTION}/applied`),
  ap(
    { ...af({ name: 'beta' }), apiVersion: `${GROUP}/v1beta1` },
    'fieldManager=beta&force=true',
    `/apis/${GROUP}/v1beta1/namespaces/default/foos/applied`,
  ),
  ap(
    { ...af({ any: { free: [{ a: 1 }] }, what: { ever: [1] } }), apiVersion: `${GROUP}/v1alpha1` },
    'fieldManager=alpha&force=true',
    `/apis/${GROUP}/v1alpha1/namespaces/default/foos/applied`,
  ),
  get(`${COLLECTION}/applied`),
  step('DELETE', `${COLLECTION}/applied`),
];

export const scenarios = { 'resource-applies': [{ define: FOOS }, ...applies] };
