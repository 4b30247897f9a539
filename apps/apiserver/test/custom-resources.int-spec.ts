import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, useEtcd } from '@orrery/testkit';
import { HookServer } from './hook-server.js';
import { startReplica } from './replica.js';
import type { Answer, Json, Replica } from './replica.js';

const etcd = useEtcd();
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const GROUP = 'example.com';

let api: Replica;

beforeAll(async () => {
  api = await startReplica({ etcd: etcd.endpoints, keyspace: etcd.keyspace });
}, 60_000);

afterAll(async () => {
  await api.close();
});

async function define(
  plural: string,
  kind: string,
  versions: Json[],
  more: Json = {},
): Promise<void> {
  const body = {
    metadata: { name: `${plural}.${GROUP}` },
    spec: { group: GROUP, scope: 'Namespaced', names: { plural, kind }, versions, ...more },
  };
  const made = await api.post(CRDS, body);
  expect([made.status, made.status === 201 ? '' : made.text]).toEqual([201, '']);
  await eventually(async () => {
    const { json } = await api.ask(`${CRDS}/${plural}.${GROUP}`);
    if (!JSON.stringify(json['status']).includes('"InitialNamesAccepted"'))
      throw new Error('not established');
  });
}

const version = (name: string, spec: Json, more: Json = {}): Json => ({
  name,
  served: true,
  storage: true,
  schema: { openAPIV3Schema: { type: 'object', properties: { spec } } },
  ...more,
});

const pathOf = (plural: string, v = 'v1'): string =>
  `/apis/${GROUP}/${v}/namespaces/default/${plural}`;

const object = (kind: string, name: string, spec: Json, v = 'v1'): Json => ({
  apiVersion: `${GROUP}/${v}`,
  kind,
  metadata: { name },
  spec,
});

const causesOf = ({ json }: Answer): string[] => {
  const { causes = [] } = (json['details'] ?? {}) as {
    causes?: { field: string; message: string }[];
  };
  return causes.map(({ field, message }) => `${field}: ${message}`);
};

describe('a custom resource', () => {
  const SPEC: Json = {
    type: 'object',
    required: ['size'],
    'x-kubernetes-validations': [
      { rule: 'self.size <= self.max', message: 'size is above max' },
      { rule: '!has(oldSelf.zone) || self.zone == oldSelf.zone', message: 'zone is fixed' },
    ],
    properties: {
      size: { type: 'integer', minimum: 1 },
      max: { type: 'integer', default: 10 },
      zone: { type: 'string', enum: ['a', 'b'] },
      at: { type: 'string', format: 'date-time' },
      tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
      template: {
        type: 'object',
        'x-kubernetes-embedded-resource': true,
        'x-kubernetes-preserve-unknown-fields': true,
      },
    },
  };

  beforeAll(async () => {
    await define('rooms', 'Room', [
      version('v1', SPEC, { selectableFields: [{ jsonPath: '.spec.zone' }] }),
    ]);
  }, 20_000);

  it('gets defaults, loses what is unknown and null', async () => {
    const { status, json, headers } = await api.post(
      pathOf('rooms'),
      object('Room', 'one', { size: 1, zone: 'a', nope: 1, at: null }),
    );
    expect([status, json['spec']]).toEqual([201, { size: 1, zone: 'a', max: 10 }]);
    expect(headers['warning']).toContain('unknown field \\"spec.nope\\"');
  });

  it.each<{ name: string; spec: Json; want: string[] }>([
    {
      name: 'by the schema, and says that rules were not looked at',
      spec: { size: 0, zone: 'c', at: 'now', tags: ['x', 'x'], template: {} },
      want: [
        'spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1',
        'spec.zone: Unsupported value: "c": supported values: "a", "b"',
        'spec.at: Invalid value: "now": spec.at in body must be of type date-time: "now"',
        'spec.template.apiVersion: Required value',
        'spec.template.kind: Required value',
        'spec.tags[1]: Duplicate value: "x"',
        '<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
      ],
    },
    {
      name: 'by a rule',
      spec: { size: 11 },
      want: ['spec: Invalid value: size is above max'],
    },
  ])('is refused $name', async ({ spec, want }) => {
    const refused = await api.post(pathOf('rooms'), object('Room', 'bad', spec));
    expect(refused.status).toBe(422);
    expect(causesOf(refused)).toEqual(want);
  });

  it('is held to its transition rules', async () => {
    await api.post(pathOf('rooms'), object('Room', 'fixed', { size: 1, zone: 'a' }));
    const refused = await api.patch(`${pathOf('rooms')}/fixed`, 'merge-patch+json', {
      spec: { zone: 'b' },
    });
    expect(causesOf(refused)).toEqual(['spec: Invalid value: zone is fixed']);
  });

  it('is found by its selectable fields', async () => {
    await api.post(pathOf('rooms'), object('Room', 'b1', { size: 1, zone: 'b' }));
    const { json } = await api.ask(`${pathOf('rooms')}?fieldSelector=spec.zone%3Db`);
    const items = json['items'] as { metadata: { name: string } }[];
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['b1']);
    const unknown = await api.ask(`${pathOf('rooms')}?fieldSelector=spec.size%3D1`);
    expect([unknown.status, unknown.json['message']]).toEqual([
      400,
      'field label not supported: spec.size',
    ]);
  });

  it('takes no strategic merge patch and speaks no protobuf', async () => {
    const path = `${pathOf('rooms')}/b1`;
    expect((await api.patch(path, 'strategic-merge-patch+json', {})).status).toBe(415);
    const accept = 'application/vnd.kubernetes.protobuf';
    expect((await api.ask(path, { headers: { accept } })).status).toBe(406);
  });

  it('may stay as wrong as it was when its schema becomes stricter', async () => {
    await define('desks', 'Desk', [
      version('v1', {
        type: 'object',
        properties: { n: { type: 'integer' }, m: { type: 'integer' } },
      }),
    ]);
    await api.post(pathOf('desks'), object('Desk', 'old', { n: 5, m: 1 }));
    const strict = {
      type: 'object',
      properties: { n: { type: 'integer', maximum: 3 }, m: { type: 'integer', maximum: 3 } },
    };
    const path = `${CRDS}/desks.${GROUP}`;
    await api.patch(path, 'merge-patch+json', { spec: { versions: [version('v1', strict)] } });
    await eventually(async () => {
      const { status } = await api.post(
        `${pathOf('desks')}?dryRun=All`,
        object('Desk', 'x', { n: 5 }),
      );
      if (status !== 422) throw new Error('not yet');
    });
    const set = (spec: Json): Promise<Answer> =>
      api.patch(`${pathOf('desks')}/old`, 'merge-patch+json', { spec });
    expect((await set({ m: 2 })).status).toBe(200);
    expect(causesOf(await set({ n: 6 }))).toEqual([
      'spec.n: Invalid value: 6: spec.n in body should be less than or equal to 3',
    ]);
  });
});

describe('the scale of a custom resource', () => {
  const path = `${pathOf('fleets')}/empty/scale`;

  beforeAll(async () => {
    const count = { type: 'object', properties: { replicas: { type: 'integer' } } };
    await define('fleets', 'Fleet', [
      version('v1', count, {
        subresources: {
          scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
        },
      }),
    ]);
    await api.post(pathOf('fleets'), object('Fleet', 'empty', {}));
  }, 20_000);

  it('is none where the object has no replicas, until they are set', async () => {
    const missing = await api.ask(path);
    expect([missing.status, missing.json['message']]).toEqual([
      500,
      'Internal error occurred: the spec replicas field ".spec.replicas" does not exist',
    ]);
    const label = { metadata: { labels: { a: 'b' } } };
    const untouched = await api.patch(path, 'merge-patch+json', label);
    expect([untouched.status, untouched.json['message']]).toEqual([
      400,
      'the spec replicas field ".spec.replicas" cannot be empty',
    ]);
    const set = await api.patch(path, 'merge-patch+json', { spec: { replicas: 2 } });
    expect([set.status, set.json['spec']]).toEqual([200, { replicas: 2 }]);
  });
});

describe('a definition whose webhook cannot be trusted', () => {
  it('is not established', async () => {
    const name = `crates.${GROUP}`;
    const caBundle = Buffer.from('nothing').toString('base64');
    const webhook = {
      clientConfig: { url: 'https://127.0.0.1:1/', caBundle },
      conversionReviewVersions: ['v1'],
    };
    const made = await api.post(CRDS, {
      metadata: { name },
      spec: {
        group: GROUP,
        scope: 'Namespaced',
        names: { plural: 'crates', kind: 'Crate' },
        versions: [version('v1', { type: 'object' })],
        conversion: { strategy: 'Webhook', webhook },
      },
    });
    expect(made.status).toBe(201);
    await eventually(async () => {
      const { json } = await api.ask(`${CRDS}/${name}`);
      const { conditions } = json['status'] as { conditions: Json[] | null };
      expect(conditions?.map(({ type, status, reason }) => [type, status, reason])).toEqual([
        ['NamesAccepted', 'True', 'NoConflicts'],
        ['Established', 'False', 'InvalidCABundle'],
      ]);
    });
  });
});

describe('conversion by a webhook', () => {
  let hook: HookServer;
  let counts: number[] = [];
  let isBroken = false;

  beforeAll(async () => {
    hook = await HookServer.start('127.0.0.1', []);
    hook.reply = ({ json }) => {
      const asked = json['request'] as { uid: string; desiredAPIVersion: string; objects: Json[] };
      counts.push(asked.objects.length);
      return {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'ConversionReview',
        response: {
          uid: asked.uid,
          result: isBroken ? { status: 'Failed', message: 'cannot' } : { status: 'Success' },
          convertedObjects: asked.objects.map((one) => convert(one, asked.desiredAPIVersion)),
        },
      };
    };
    const clientConfig = { url: `${hook.url}/convert`, caBundle: hook.caBundle };
    await define(
      'hosts',
      'Host',
      [
        version('v1', {
          type: 'object',
          properties: { host: { type: 'string' }, port: { type: 'integer' } },
        }),
        version(
          'v2',
          { type: 'object', properties: { address: { type: 'string' } } },
          { storage: false },
        ),
      ],
      {
        conversion: {
          strategy: 'Webhook',
          webhook: { clientConfig, conversionReviewVersions: ['v1'] },
        },
      },
    );
  }, 30_000);

  afterAll(async () => {
    await hook.close();
  });

  function convert(one: Json, desired: string): Json {
    const spec = one['spec'] as { host?: string; port?: number; address?: string };
    const [host = '', port = '0'] = (spec.address ?? '').split(':');
    const made = desired.endsWith('/v2')
      ? { address: `${spec.host ?? ''}:${spec.port ?? 0}` }
      : { host, port: Number(port) };
    return { ...one, apiVersion: desired, spec: made };
  }

  it('serves each version in its own shape, and stores one', async () => {
    const made = await api.post(
      pathOf('hosts', 'v2'),
      object('Host', 'web', { address: 'example.org:80' }, 'v2'),
    );
    expect([made.status, made.json['spec']]).toEqual([201, { address: 'example.org:80' }]);
    const { json } = await api.ask(`${pathOf('hosts')}/web`);
    expect([json['apiVersion'], json['spec']]).toEqual([
      `${GROUP}/v1`,
      { host: 'example.org', port: 80 },
    ]);
    const changed = await api.patch(`${pathOf('hosts', 'v2')}/web`, 'merge-patch+json', {
      spec: { address: 'example.org:81' },
    });
    expect(changed.json['spec']).toEqual({ address: 'example.org:81' });
  });

  it('converts a list at once, and its watch', async () => {
    await api.post(pathOf('hosts'), object('Host', 'a', { host: 'a', port: 1 }));
    await api.post(pathOf('hosts'), object('Host', 'b', { host: 'b', port: 2 }));
    counts = [];
    const { json } = await api.ask(pathOf('hosts', 'v2'));
    const items = json['items'] as { spec: Json }[];
    expect(items.map(({ spec }) => spec['address'])).toEqual(['a:1', 'b:2', 'example.org:81']);
    expect(counts.length).toBeLessThanOrEqual(1);
    const watch = await api.watch(`${pathOf('hosts', 'v2')}?watch=true&timeoutSeconds=1`);
    await watch.ended;
    expect(watch.events().map(({ object: one }) => one['apiVersion'])).toEqual(
      Array(3).fill(`${GROUP}/v2`),
    );
  });

  it('fails when its webhook does', async () => {
    isBroken = true;
    const { status, json } = await api.post(
      pathOf('hosts', 'v2'),
      object('Host', 'no', { address: 'x:1' }, 'v2'),
    );
    isBroken = false;
    expect([status, json['message']]).toEqual([
      500,
      `conversion webhook for ${GROUP}/v2, Kind=Host failed: cannot`,
    ]);
  });
});
