// Bad input and attacks against the API server: what it answers, how long its event loop is held up by each (in
// processor time, which a busy machine does not lengthen, and by the clock), and its memory.
//   npm run bench attack        ATTACK=… picks attacks whose name matches it, ATTACK_WARM=1 runs each once before,
//                               ATTACK_PROFILE=1 tells what the longest turn of each over the limit was spent in,
//                               ATTACK_MEMORY=1 what memory is in use after each, once the garbage is gone
import https from 'node:https';
import tls from 'node:tls';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITED_TOKEN, prepareState, stateAttacks } from './attack-state.mjs';
import { SERVICE_RANGE, prepareStreams, streamAttacks } from './attack/streams.mjs';
import { prepareUpgrades, upgradeAttacks } from './attack/upgrades.mjs';
import { AUDIT_POLICY, prepareWire, wireAttacks } from './attack/wire.mjs';
import { ETCD_PROGRAM, etcdFlags } from './etcd.mjs';

const HOST = '127.232.30.2';
const ETCD = '127.232.30.1';
const HOOK = '127.232.30.3';
const TOKEN = 'attack';
const LIMIT_MS = 50;
const home = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = process.env.ORRERY_DIST ?? join(home, 'dist');
const folder = mkdtempSync(join(tmpdir(), 'orrery-attack-'));
const children = [];
const agent = new https.Agent({ keepAlive: true, maxSockets: 64 });

const MAPS = '/api/v1/namespaces/default/configmaps';
const PODS = '/api/v1/namespaces/default/pods';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const MEGABYTES_3 = 3 * 1024 * 1024 - 4096;

function ask(
  method,
  path,
  { body, type = 'application/json', accept = 'application/json', encoding, token = TOKEN } = {},
) {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token}`,
      accept,
      'content-type': type,
      ...(encoding ? { 'accept-encoding': encoding } : {}),
    };
    const options = { host: HOST, port: 6443, method, path, headers, agent };
    const request = https.request({ ...options, rejectUnauthorized: false }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        let message = '';
        try {
          message = JSON.parse(text).message ?? '';
        } catch {
          message = text;
        }
        resolve({ status: response.statusCode, message, headers: response.headers });
      });
    });
    request.on('error', (error) => resolve({ status: 0, message: error.code ?? error.message }));
    request.end(body);
    void reject;
  });
}

/** A watch that is read and thrown away; answers what closes it once it runs. */
ask.openWatch = (path) =>
  new Promise((resolve) => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const options = { host: HOST, port: 6443, path, headers, agent: false };
    const request = https.get({ ...options, rejectUnauthorized: false }, (response) => {
      response.on('error', () => undefined);
      response.resume();
      resolve(() => request.destroy());
    });
    request.on('error', () => resolve(() => undefined));
  });

const upTo = (bytes, item, separator = ',') => {
  const count = Math.floor(bytes / (item(100_000).length + separator.length));
  return Array.from({ length: count }, (_, i) => item(i)).join(separator);
};
const post = (path, body, type) => () => ask('POST', path, { body, type });
const patch = (path, type, body) => () => ask('PATCH', path, { body, type: `application/${type}` });
const map = (rest) => `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"x"}${rest}}`;
const pod = (spec, meta = '') =>
  `{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p"${meta}},"spec":{${spec}}}`;
const container = (rest) => `"containers":[{"name":"c","image":"i"${rest}}]`;
const lines = (bytes, item) => upTo(bytes, item, '\n');

const say = (line) => process.stdout.write(`${line}\n`);

/** A JSON patch of these operations. */
const operations = (list) => `[${list.join(',')}]`;

const ATTACKS = {
  'JSON of 3 MiB in one string': post(MAPS, map(`,"data":{"a":"${'x'.repeat(MEGABYTES_3)}"}`)),
  'JSON of 3 MiB in small fields': post(
    MAPS,
    map(`,"data":{${upTo(MEGABYTES_3, (i) => `"k${i}":"v"`)}}`),
  ),
  'JSON of 3 MiB in unknown fields': post(MAPS, map(`,${upTo(MEGABYTES_3, (i) => `"u${i}":1`)}`)),
  'JSON of 3 MiB in duplicate fields': post(
    MAPS,
    map(`,${upTo(MEGABYTES_3, () => '"data":null')}`),
  ),
  'JSON 200,000 deep': post(MAPS, `${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`),
  'JSON of 3 MiB of brackets': post(MAPS, '['.repeat(MEGABYTES_3)),
  'a body over 3 MiB': post(MAPS, map(`,"data":{"a":"${'x'.repeat(4 * 1024 * 1024)}"}`)),
  'a Pod with 3 MiB of environment': post(
    PODS,
    pod(container(`,"env":[${upTo(MEGABYTES_3, (i) => `{"name":"E${i}","value":"v"}`)}]`)),
  ),
  'a Pod with 3 MiB of containers': post(
    PODS,
    pod(`"containers":[${upTo(MEGABYTES_3, (i) => `{"name":"c${i}","image":"i"}`)}]`),
  ),
  'a Pod with 3 MiB of equal ports': post(
    PODS,
    pod(container(`,"ports":[${upTo(MEGABYTES_3, () => '{"containerPort":80}')}]`)),
  ),
  'a Pod with 3 MiB of volumes': post(
    PODS,
    pod(
      `${container('')},"volumes":[${upTo(MEGABYTES_3, (i) => `{"name":"v${i}","emptyDir":{}}`)}]`,
    ),
  ),
  'a Pod with 3 MiB of tolerations': post(
    PODS,
    pod(`${container('')},"tolerations":[${upTo(MEGABYTES_3, (i) => `{"key":"k${i}"}`)}]`),
  ),
  'a ConfigMap with 3 MiB of finalizers': post(
    MAPS,
    `{"metadata":{"name":"f","finalizers":[${upTo(MEGABYTES_3, (i) => `"a.b/${i}"`)}]}}`,
  ),
  'a ConfigMap with 3 MiB of owner references': post(
    MAPS,
    `{"metadata":{"name":"f","ownerReferences":[${upTo(
      MEGABYTES_3,
      (i) => `{"apiVersion":"v1","kind":"Pod","name":"p","uid":"${i}"}`,
    )}]}}`,
  ),
  'a ConfigMap with 3 MiB of bad labels': post(
    MAPS,
    `{"metadata":{"name":"f","labels":{${upTo(MEGABYTES_3, (i) => `"-l${i}":"-"`)}}}}`,
  ),
  'YAML of 3 MiB in fields': post(
    MAPS,
    `metadata: {name: y}\ndata:\n${lines(MEGABYTES_3, (i) => `  k${i}: v`)}\n`,
    'application/yaml',
  ),
  'YAML of 3 MiB in one block': post(
    MAPS,
    `metadata: {name: y}\ndata:\n  a: |\n${lines(MEGABYTES_3, () => '    some text')}\n`,
    'application/yaml',
  ),
  'YAML of aliases (CVE-2019-11253)': post(
    MAPS,
    `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n`,
    'application/yaml',
  ),
  'YAML of 3 MiB of anchors': post(
    MAPS,
    lines(MEGABYTES_3, (i) => `k${i}: &a${i} v`),
    'application/yaml',
  ),
  'YAML of 3 MiB of merge keys (CVE-2019-11254)': post(
    MAPS,
    `a0: &a0 {x: 1}\n${lines(MEGABYTES_3, (i) => `a${i + 1}: &a${i + 1} {<<: *a${i}}`)}`,
    'application/yaml',
  ),
  'YAML deep by indentation': post(
    MAPS,
    Array.from({ length: 2400 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
    'application/yaml',
  ),
  'YAML of 3 MiB of documents': post(
    MAPS,
    lines(MEGABYTES_3, () => '---\na: b'),
    'application/yaml',
  ),
  'YAML of 3 MiB of quotes': post(MAPS, `a: ${'"'.repeat(MEGABYTES_3)}`, 'application/yaml'),
  'YAML of 3 MiB of questions': post(MAPS, '? '.repeat(MEGABYTES_3 / 2), 'application/yaml'),
  'YAML of 3 MiB of dashes': post(MAPS, '- '.repeat(MEGABYTES_3 / 2), 'application/yaml'),
  'protobuf of noise': post(
    MAPS,
    Buffer.concat([Buffer.from('k8s\0'), Buffer.alloc(MEGABYTES_3, 0x0a)]),
    'application/vnd.kubernetes.protobuf',
  ),
  'a JSON patch of 10,000 tests of one large value': patch(
    `${MAPS}/target`,
    'json-patch+json',
    operations(
      Array.from(
        { length: 10_000 },
        () => '{"op":"test","path":"/metadata/name","value":"target"}',
      ),
    ),
  ),
  'a JSON patch of 10,000 additions': patch(
    `${MAPS}/target`,
    'json-patch+json',
    operations(
      Array.from({ length: 10_000 }, (_, i) => `{"op":"add","path":"/data/a${i}","value":"v"}`),
    ),
  ),
  'a JSON patch of 10,000 copies of all': patch(
    `${MAPS}/target`,
    'json-patch+json',
    operations(
      Array.from({ length: 10_000 }, (_, i) => `{"op":"copy","from":"/data","path":"/data/c${i}"}`),
    ),
  ),
  'a JSON patch of 10,000 moves in a list': patch(
    `${DEPLOYMENTS}/target`,
    'json-patch+json',
    operations(
      Array.from(
        { length: 10_000 },
        () =>
          '{"op":"move","from":"/spec/template/spec/containers/0/env/0","path":"/spec/template/spec/containers/0/env/-"}',
      ),
    ),
  ),
  'a JSON patch of 100,000 operations (CVE-2019-1002100)': patch(
    `${MAPS}/target`,
    'json-patch+json',
    `[${upTo(MEGABYTES_3, () => '{"op":"remove","path":"/a"}')}]`,
  ),
  'a merge patch of 3 MiB': patch(
    `${MAPS}/target`,
    'merge-patch+json',
    `{"data":{${upTo(MEGABYTES_3, (i) => `"m${i}":null`)}}}`,
  ),
  'a strategic patch of 3 MiB of environment': patch(
    `${DEPLOYMENTS}/target`,
    'strategic-merge-patch+json',
    `{"spec":{"template":{"spec":{"containers":[{"name":"c","env":[${upTo(
      MEGABYTES_3,
      (i) => `{"name":"S${i}","value":"v"}`,
    )}]}]}}}}`,
  ),
  'a strategic patch of 3 MiB of deletions': patch(
    `${DEPLOYMENTS}/target`,
    'strategic-merge-patch+json',
    `{"spec":{"template":{"spec":{"containers":[{"name":"c","env":[${upTo(
      MEGABYTES_3,
      (i) => `{"$patch":"delete","name":"E${i}"}`,
    )}]}]}}}}`,
  ),
  'a strategic patch of 3 MiB of finalizers': patch(
    `${MAPS}/target`,
    'strategic-merge-patch+json',
    `{"metadata":{"finalizers":[${upTo(MEGABYTES_3, (i) => `"a.b/${i}"`)}]}}`,
  ),
  'a strategic patch of 3 MiB of orders': patch(
    `${MAPS}/target`,
    'strategic-merge-patch+json',
    `{"metadata":{"$setElementOrder/finalizers":[${upTo(MEGABYTES_3, (i) => `"a.b/${i}"`)}],"finalizers":["a.b/1"]}}`,
  ),
  'a strategic patch of 3 MiB of list deletions': patch(
    `${MAPS}/target`,
    'strategic-merge-patch+json',
    `{"metadata":{"$deleteFromPrimitiveList/finalizers":[${upTo(MEGABYTES_3, (i) => `"a.b/${i}"`)}]}}`,
  ),
  'an apply of 3 MiB of data': patch(
    `${MAPS}/applied?fieldManager=a`,
    'apply-patch+yaml',
    `{"kind":"ConfigMap","apiVersion":"v1","data":{${upTo(MEGABYTES_3, (i) => `"k${i}":"v"`)}}}`,
  ),
  'an apply of 3 MiB of environment': patch(
    `${DEPLOYMENTS}/target?fieldManager=a`,
    'apply-patch+yaml',
    `{"kind":"Deployment","apiVersion":"apps/v1","spec":{"template":{"spec":{"containers":[{"name":"c","env":[${upTo(
      MEGABYTES_3,
      (i) => `{"name":"S${i}","value":"v"}`,
    )}]}]}}}}`,
  ),
  'a label selector of 500 kB': () =>
    ask('GET', `${PODS}?labelSelector=${encodeURIComponent(upTo(300_000, (i) => `k${i}=v`))}`),
  'a label selector of nested sets': () =>
    ask(
      'GET',
      `${PODS}?labelSelector=${encodeURIComponent(`a in (${upTo(300_000, (i) => `v${i}`)})`)}`,
    ),
  'a field selector of 500 kB': () =>
    ask(
      'GET',
      `${PODS}?fieldSelector=${encodeURIComponent(upTo(300_000, () => 'metadata.name=x'))}`,
    ),
  'a continue token of 300 kB': () => ask('GET', `${PODS}?continue=${'A'.repeat(300_000)}`),
  'an Accept header of 500 kB': () => ask('GET', PODS, { accept: 'a/b,'.repeat(120_000) }),
  'a URL of slashes': () => ask('GET', '/'.repeat(500_000)),
  'a URL of percent signs': () => ask('GET', `/api/v1/namespaces/${'%25'.repeat(100_000)}/pods`),
  'a rule of 1 MiB of CEL': post(
    '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
    JSON.stringify({
      metadata: { name: 'bombs.attack.test' },
      spec: {
        group: 'attack.test',
        scope: 'Cluster',
        names: { plural: 'bombs', kind: 'Bomb' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: {
                type: 'object',
                'x-kubernetes-validations': [
                  { rule: `${'('.repeat(500_000)}1${')'.repeat(500_000)}` },
                ],
              },
            },
          },
        ],
      },
    }),
  ),
};

/** As many values as are just taken. */
const full = (item, values = 1) =>
  Array.from({ length: Math.floor(49_000 / values) }, (_, i) => item(i)).join(',');
const FULL = {
  data: [MAPS, map(`,"data":{${full((i) => `"k${i}":"v"`)}}`)],
  'unknown fields': [MAPS, map(`,${full((i) => `"u${i}":1`)}`)],
  environment: [PODS, pod(container(`,"env":[${full((i) => `{"name":"E${i}","value":"v"}`, 3)}]`))],
  containers: [PODS, pod(`"containers":[${full((i) => `{"name":"c${i}","image":"i"}`, 3)}]`)],
  ports: [PODS, pod(container(`,"ports":[${full((i) => `{"containerPort":${i % 65535}}`, 2)}]`))],
  volumes: [
    PODS,
    pod(`${container('')},"volumes":[${full((i) => `{"name":"v${i}","emptyDir":{}}`, 3)}]`),
  ],
  tolerations: [PODS, pod(`${container('')},"tolerations":[${full((i) => `{"key":"k${i}"}`, 2)}]`)],
  finalizers: [MAPS, `{"metadata":{"name":"f","finalizers":[${full((i) => `"a.b/${i}"`)}]}}`],
  'owner references': [
    MAPS,
    `{"metadata":{"name":"f","ownerReferences":[${full(
      (i) => `{"apiVersion":"v1","kind":"Pod","name":"p","uid":"${i}"}`,
      5,
    )}]}}`,
  ],
  'bad labels': [MAPS, `{"metadata":{"name":"f","labels":{${full((i) => `"-l${i}":"-"`)}}}}`],
};
for (const [name, [path, body]] of Object.entries(FULL))
  ATTACKS[`as many ${name} as are taken`] = post(path, body);
/** As many lines of YAML as are just taken. */
const FULL_YAML = Array.from({ length: 9_000 }, (_, i) => `  k${i}: v`).join('\n');
ATTACKS['as much YAML as is taken'] = post(
  MAPS,
  `metadata: {name: yaml}\ndata:\n${FULL_YAML}\n`,
  'application/yaml',
);
ATTACKS['as much applied YAML as is taken'] = patch(
  `${MAPS}/applied-yaml?fieldManager=a`,
  'apply-patch+yaml',
  `kind: ConfigMap\napiVersion: v1\ndata:\n${FULL_YAML}\n`,
);
ATTACKS['as many owners as are taken, each the controller'] = post(
  MAPS,
  `{"metadata":{"name":"f","ownerReferences":[${full(
    (i) => `{"apiVersion":"v1","kind":"Pod","name":"p","uid":"${i}","controller":true}`,
    6,
  )}]}}`,
);
ATTACKS['as many duplicate fields as are taken'] = post(MAPS, map(`,${full(() => '"data":null')}`));
ATTACKS['a small patch of a large object'] = patch(
  `${MAPS}/applied`,
  'merge-patch+json',
  '{"data":{"k0":"w"}}',
);
const STRATEGIC = 'strategic-merge-patch+json';
const inTemplate = (env) =>
  `{"spec":{"template":{"spec":{"containers":[{"name":"c","env":[${env}]}]}}}}`;
ATTACKS['as many strategic entries as are taken'] = patch(
  `${DEPLOYMENTS}/target`,
  STRATEGIC,
  inTemplate(full((i) => `{"name":"S${i}","value":"v"}`, 3)),
);
ATTACKS['as many strategic deletions as are taken'] = patch(
  `${DEPLOYMENTS}/target`,
  STRATEGIC,
  inTemplate(full((i) => `{"$patch":"delete","name":"E${i}"}`, 3)),
);
ATTACKS['as many strategic finalizers as are taken'] = patch(
  `${MAPS}/target`,
  STRATEGIC,
  `{"metadata":{"finalizers":[${full((i) => `"a.b/${i}"`)}]}}`,
);
ATTACKS['as many applied entries as are taken'] = patch(
  `${DEPLOYMENTS}/target?fieldManager=a`,
  'apply-patch+yaml',
  `{"kind":"Deployment","apiVersion":"apps/v1",${inTemplate(full((i) => `{"name":"S${i}","value":"v"}`, 3)).slice(1)}`,
);
ATTACKS['as much applied data as is taken'] = patch(
  `${MAPS}/applied?fieldManager=a`,
  'apply-patch+yaml',
  `{"kind":"ConfigMap","apiVersion":"v1","data":{${full((i) => `"k${i}":"v"`)}}}`,
);

const secure = () => tls.connect({ host: HOST, port: 6443, rejectUnauthorized: false });

async function slowClients(bytes) {
  const sockets = Array.from({ length: 200 }, secure);
  for (const socket of sockets) socket.on('error', () => undefined);
  await sleep(1000);
  for (const socket of sockets) socket.write(bytes);
  for (let i = 0; i < 20; i++) {
    await sleep(50);
    for (const socket of sockets) socket.write('a');
  }
  const answer = await ask('GET', '/readyz');
  for (const socket of sockets) socket.destroy();
  return answer;
}

ATTACKS['200 slow clients, in the headers'] = () => slowClients('GET / HTTP/1.1\r\nx: ');
ATTACKS['200 slow clients, in the body'] = () =>
  slowClients(
    `POST ${MAPS} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TOKEN}\r\ncontent-length: 3000000\r\n\r\n`,
  );

function start(command, args, { stderr = 'ignore', env = {} } = {}) {
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', stderr],
    env: { ...process.env, ...env },
  });
  children.push(child);
  return child;
}

function startServer() {
  const server = start(
    process.execPath,
    [
      // As `orrery up` starts it.
      '--max-semi-space-size=16',
      '--enable-source-maps',
      '--import',
      join(home, 'bench', 'loop-delay.mjs'),
      join(dist, 'kube-apiserver.js'),
      `--etcd-servers=http://${ETCD}:2379`,
      `--bind-address=${HOST}`,
      '--secure-port=6443',
      `--service-cluster-ip-range=${SERVICE_RANGE}`,
      `--token-auth-file=${join(folder, 'tokens.csv')}`,
      '--authorization-mode=Node,RBAC',
      '--disable-admission-plugins=ServiceAccount',
      `--audit-policy-file=${join(folder, 'audit.yaml')}`,
      `--audit-log-path=${join(folder, 'audit.log')}`,
    ],
    {
      stderr: 'pipe',
      env: {
        MALLOC_MMAP_THRESHOLD_: '32768',
        LOOP_PROFILE: process.env.ATTACK_PROFILE ?? '',
        LOOP_MEMORY: process.env.ATTACK_MEMORY ?? '',
      },
    },
  );
  let heard = '';
  server.stderr.on('data', (chunk) => {
    heard += chunk;
  });
  server.held = async () => {
    heard = '';
    server.kill('SIGUSR2');
    for (let i = 0; i < 20_000; i++) {
      const line = /loop-delay (.*)\n/.exec(heard);
      if (line) return JSON.parse(line[1]);
      await sleep(5);
    }
    throw new Error('the server does not answer its signal');
  };
  return server;
}

async function prepare() {
  for (let i = 0; i < 2400; i++) {
    if ((await ask('GET', '/readyz')).status === 200) break;
    await sleep(50);
  }
  await ask('POST', MAPS, { body: '{"metadata":{"name":"target"},"data":{"a":"1"}}' });
  const env = Array.from({ length: 2000 }, (_, i) => ({ name: `E${i}`, value: 'v' }));
  const template = {
    metadata: { labels: { a: 'b' } },
    spec: { containers: [{ name: 'c', image: 'i', env }] },
  };
  const spec = { replicas: 0, selector: { matchLabels: { a: 'b' } }, template };
  await ask('POST', DEPLOYMENTS, { body: JSON.stringify({ metadata: { name: 'target' }, spec }) });
}

/** What is told of memory: resident pages, or what is in use of each sort. */
const MEMORY = process.env.ATTACK_MEMORY
  ? ['rss', 'heapTotal', 'heapUsed', 'external', 'arrayBuffers']
  : ['rss'];
const SORT_WIDTH = 13;

const memoryTold = (memory) =>
  MEMORY.map((sort) => `${memory[sort].toFixed(0)} MB`.padStart(SORT_WIDTH)).join('');

async function main() {
  writeFileSync(
    join(folder, 'tokens.csv'),
    `${TOKEN},attack,attack,"system:masters"\n${LIMITED_TOKEN},limited,limited\n`,
  );
  writeFileSync(join(folder, 'audit.yaml'), AUDIT_POLICY);
  start(ETCD_PROGRAM, etcdFlags(ETCD, join(folder, 'etcd')));
  await sleep(500);
  const server = startServer();
  await prepare();
  await prepareState(ask);
  await prepareWire(ask, { folder, hookHost: HOOK });
  await prepareStreams(ask, { folder });
  await prepareUpgrades(ask, { folder });
  ask.reset = () => server.held();
  await sleep(2000);
  const wanted = new RegExp(process.env.ATTACK ?? '');
  const target = { host: HOST, token: TOKEN, folder };
  const attacks = {
    ...ATTACKS,
    ...wireAttacks(ask, target),
    ...streamAttacks(ask, target),
    ...upgradeAttacks(ask, target),
    ...stateAttacks(ask, target),
  };
  const chosen = Object.entries(attacks).filter(([name]) => wanted.test(name));
  // The first one pays for what is compiled and loaded when it is first needed.
  for (const [, attack] of chosen) if (process.env.ATTACK_WARM) await attack();
  let stalls = 0;
  const wrong = [];
  say(
    `held ms   clock  ${MEMORY.map((sort) => sort.padStart(SORT_WIDTH)).join('')}  status  attack: answer`,
  );
  for (const [name, attack] of chosen) {
    await server.held();
    const { status, message, isWrong = false } = await attack();
    if (isWrong) wrong.push(name);
    const { cpuMs, maxMs, memory, functions } = await server.held();
    if (cpuMs > LIMIT_MS) stalls++;
    const mark = isWrong ? '?' : cpuMs > LIMIT_MS ? '!' : ' ';
    const told = `${name}: ${String(message).slice(0, 70).replaceAll('\n', ' ')}`;
    say(
      `${cpuMs.toFixed(0).padStart(7)}${mark} ${maxMs.toFixed(0).padStart(6)}  ${memoryTold(memory)}  ${String(status).padStart(6)}  ${told}`,
    );
    for (const [total, self, where] of cpuMs > LIMIT_MS ? functions : [])
      say(`        ${total.toFixed(1).padStart(7)} ${self.toFixed(1).padStart(7)}  ${where}`);
    if (server.exitCode !== null) throw new Error('the server has died');
  }
  say(`${chosen.length} attacks, ${stalls} held the loop for more than ${LIMIT_MS} ms`);
  if (wrong.length === 0) return;
  say(`not withstood (?): ${wrong.join('; ')}`);
  process.exitCode = 1;
}

try {
  await main();
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
