// Whatever comes on the control socket is answered, refused by name where it is wrong, and the dataplane goes on.
// ORRERY_FUZZ_SECONDS=600 for long (npm run fuzz:nodes).
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { connect, createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { RuleSet } from '@orrery/dataplane';
import { eventually, fuzzBudget, tellTried } from '@orrery/testkit';
import { DataplaneFlags } from './config/dataplane-flags.js';
import { serve } from './serve.js';

const VIP = '127.234.131.9';
const POD = '127.234.65.90';
const PORT = 18_190;
const START_MS = 60_000;

const text = fc.oneof(
  fc.constantFrom('', '..', '\0', '__proto__', 'constructor', 'a'.repeat(3_000), '\u202e', '%'),
  fc.string({ maxLength: 20 }),
);
/** No address of this list is one that others use. */
const address = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(VIP, '127.234.131.10', POD, '127.234.65.91') },
  { weight: 1, arbitrary: fc.constantFrom('::ffff:127.234.131.9', 'fe80::1%lo', '192.0.2.1', '') },
  { weight: 1, arbitrary: text },
);
const amount = fc.oneof(
  fc.constantFrom(0, 1, -1, 0.5, 2 ** 31, Number.MAX_SAFE_INTEGER, 1e308),
  fc.integer(),
);
const port = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(PORT, PORT + 1) },
  { weight: 1, arbitrary: amount.filter((value) => value < 1_024 || value > 65_535) },
);
const cidr = fc.oneof(
  fc.constantFrom('127.0.0.0/8', '0.0.0.0/0', '::/0', '10.0.0.0/33', '10.0.0.0/', '/', '1/2/3'),
  address,
);
const junk = fc.oneof(fc.constantFrom(null, true, [], {}), text, amount);
/** A value of that form, now and then another. */
const mostly = (value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 30, arbitrary: value }, { weight: 1, arbitrary: junk });
const list = (of: fc.Arbitrary<unknown>, maxLength = 3): fc.Arbitrary<unknown> =>
  mostly(fc.array(mostly(of), { maxLength }));
const some = (fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> =>
  fc.record(fields, { requiredKeys: [] });

const backends = list(
  fc.record(
    { address, port, weight: mostly(amount), host: mostly(fc.constantFrom('pod', 'apiServer')) },
    { requiredKeys: ['address', 'port', 'weight'] },
  ),
  4,
);
const rule = fc
  .tuple(
    fc.record({
      id: mostly(fc.constantFrom('default/a', 'default/b:http', 'default/c')),
      protocol: mostly(fc.constantFrom('TCP', 'UDP')),
      frontends: list(
        fc.record({
          address,
          port,
          kind: mostly(fc.constantFrom('clusterIP', 'nodePort', 'loadBalancer', 'externalIP')),
        }),
      ),
      policy: mostly(
        fc.constantFrom('random', 'rr', 'wrr', 'lc', 'wlc', 'sh', 'dh', 'sed', 'nq', 'mh'),
      ),
      affinityMs: mostly(fc.constantFrom(0, 1_000)),
      backends,
    }),
    some({
      inside: fc.record({ sources: list(cidr), backends }),
      allowedSources: list(cidr),
      maxConnections: mostly(amount),
      udpIdleMs: mostly(amount),
    }),
  )
  .map(([needed, more]) => ({ ...needed, ...(more as object) }));
const flowRule = some({
  ports: list(
    some({ protocol: mostly(fc.constantFrom('TCP', 'UDP', 'SCTP')), from: amount, to: amount }),
  ),
  addresses: list(address),
  blocks: list(some({ cidr, except: list(cidr) })),
});
const policies = fc.record({
  rules: list(flowRule),
  pods: list(
    some({ pod: text, addresses: list(address), ingress: list(amount), egress: list(amount) }),
  ),
  nodes: list(some({ addresses: list(address), podCidrs: list(cidr) })),
});
const node = fc.oneof(fc.constantFrom('k8s-01', 'k8s-02'), text);
const asJson = (value: fc.Arbitrary<unknown>): fc.Arbitrary<string> =>
  value.map((one) => JSON.stringify(one) ?? '');
const rulesPath = node.map((name) => `/nodes/${encodeURIComponent(name)}/rules`);

const wanted = fc.oneof(
  fc.record({
    method: fc.constant('PUT'),
    path: rulesPath,
    body: asJson(mostly(fc.record({ sources: list(cidr), rules: list(rule) }))),
  }),
  fc.record({
    method: fc.constant('PATCH'),
    path: rulesPath,
    body: asJson(mostly(fc.record({ set: list(rule), remove: list(text) }))),
  }),
  fc.record({
    method: fc.constant('PUT'),
    path: fc.constant('/policies'),
    body: asJson(mostly(policies)),
  }),
  fc.record({
    method: fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'),
    path: fc.oneof(
      fc.constantFrom('/rules', '/connections', '/counters', '/sets', '/processes', '/metrics'),
      text.map((one) => `/${encodeURIComponent(one)}`),
    ),
    body: fc.oneof(text, fc.constantFrom('{', '[[[[[[[[', '{"__proto__":{"polluted":1}}')),
  }),
);

describe('the control socket under random requests', () => {
  let folder = '';
  let server: Server;
  const stopping = new AbortController();
  let running: Promise<void>;

  const path = (): string => join(folder, 'dataplane.sock');

  function ask(method: string, to: string, body: string): Promise<{ code: number; text: string }> {
    return new Promise((resolve, reject) => {
      const asked = request(
        {
          socketPath: path(),
          method,
          path: to,
          agent: false,
          headers: {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.once('error', reject);
          response.once('end', () => {
            resolve({ code: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
          });
        },
      );
      asked.once('error', reject);
      asked.end(body);
    });
  }

  const greet = (): Promise<string> =>
    new Promise((resolve, reject) => {
      let said = '';
      const socket = connect(PORT, VIP);
      socket.on('data', (chunk: Buffer) => (said += chunk.toString()));
      socket.once('error', reject);
      socket.once('close', () => {
        resolve(said);
      });
    });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dataplane-fuzz-'));
    const flags = Object.assign(new DataplaneFlags(), {
      listen: `unix://${path()}`,
      clusterCidr: ['127.234.64.0/18'],
      workers: 1,
    });
    running = serve(flags, { signal: stopping.signal });
    server = createServer((socket) => {
      socket.on('error', () => undefined).end('pod');
    }).listen(PORT, POD);
    await eventually(async () => (await ask('GET', '/healthz', '')).code === 200, {
      timeoutMs: START_MS,
    });
  }, 2 * START_MS);

  afterAll(async () => {
    stopping.abort();
    server.close();
    await running;
    await rm(folder, { recursive: true });
  });

  it('answers each, and serves what it is told after them', async () => {
    let tried = 0;
    await fc.assert(
      fc.asyncProperty(wanted, async ({ method, path: to, body }) => {
        tried += 1;
        const { code, text: answer } = await ask(method, to, body);
        expect({ code, answer: code >= 500 ? answer : '' }).toEqual({
          code: expect.any(Number),
          answer: '',
        });
        expect(code).toBeLessThan(500);
      }),
      fuzzBudget(200, 0.8),
    );
    tellTried('requests at the control socket', tried);
    expect(Object.prototype).not.toHaveProperty('polluted');
    expect((await ask('PUT', '/policies', '{"rules":[],"pods":[],"nodes":[]}')).code).toBe(204);
    // Nodes of whatever name have rules of their own, for the same addresses or for some that this machine does not have.
    const told = JSON.parse((await ask('GET', '/sets', '')).text) as readonly RuleSet[];
    for (const name of told.map((one) => one.node))
      await ask('PUT', `/nodes/${encodeURIComponent(name)}/rules`, '{"sources":[],"rules":[]}');
    for (const name of ['k8s-01', 'k8s-02']) {
      const frontends = [{ address: VIP, port: PORT, kind: 'clusterIP' }];
      const pods = [{ address: POD, port: PORT, weight: 1 }];
      const last = {
        id: 'default/last',
        protocol: 'TCP',
        frontends,
        policy: 'rr',
        affinityMs: 0,
        backends: pods,
      };
      const answer = await ask(
        'PUT',
        `/nodes/${name}/rules`,
        JSON.stringify({ sources: [], rules: [last] }),
      );
      expect(answer).toEqual({ code: 200, text: '{"problems":[]}' });
    }
    expect(await greet()).toBe('pod');
  }, 3_600_000);

  it('goes on after any bytes', async () => {
    const start = fc.constantFrom(
      '',
      'GET /rules HTTP/1.1\r\n',
      'PUT /nodes/k8s-01/rules HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    let tried = 0;
    await fc.assert(
      fc.asyncProperty(start, fc.uint8Array({ maxLength: 400 }), async (head, bytes) => {
        tried += 1;
        await new Promise<void>((resolve) => {
          const socket = connect(path());
          socket.on('error', () => undefined).resume();
          socket.once('close', () => {
            resolve();
          });
          socket.end(Buffer.concat([Buffer.from(head), bytes, Buffer.from('\r\n\r\n')]));
        });
      }),
      fuzzBudget(70, 0.2),
    );
    tellTried('bytes at the control socket', tried);
    expect((await ask('GET', '/healthz', '')).code).toBe(200);
  }, 3_600_000);
});
