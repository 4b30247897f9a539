// Any request may come on the socket: each call is answered, nothing is written outside of the runtime's folders, and the
// server goes on. ORRERY_FUZZ_SECONDS=36000 for a night of it (npm run fuzz:nodes).
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CriError } from '@orrery/cri';
import { fuzzBudget, tellTried } from '@orrery/testkit';
import { RuntimeFixture } from '../test/runtime-fixture.js';

type Call = (request: object, options?: { timeoutMs?: number; signal?: AbortSignal }) => unknown;

/** Field names of runtime.v1 that several requests share, each with values that are meant to hurt. */
const text = fc.oneof(
  fc.constantFrom(
    '',
    '..',
    '../../../../tmp/escaped',
    '/',
    '\0',
    '__proto__',
    'a'.repeat(5_000),
    'ünïcødé\u202e',
    '$(id)',
    "'; exit 3; '",
  ),
  fc.string({ maxLength: 30 }),
);
const amount = fc.oneof(
  fc.constantFrom(0, 1, -1, 2 ** 31 - 1),
  fc.integer({ min: -1e9, max: 1e9 }),
);
const map = fc.dictionary(
  fc.constantFrom(
    'a',
    'io.kubernetes.pod.uid',
    'orrery.dev/exit-after',
    'orrery.dev/memory',
    'orrery.dev/process',
    'orrery.dev/log-every',
  ),
  text,
  { maxKeys: 3 },
);
/** Nothing but harmless commands is ever started. */
const command = fc.constantFrom([], ['true'], ['nosuchprogram'], ['/bin/true', '..'], ['']);
const image = fc.record({
  image: fc.oneof(text, fc.constantFrom('nginx', 'busybox', 'pause', 'nosuch/x')),
  userSpecifiedImage: text,
});

class Ids {
  readonly known = new Set<string>(['nothing']);

  readonly arbitrary = (): fc.Arbitrary<string> =>
    fc.oneof(
      text,
      fc.nat().map((n) => [...this.known][n % this.known.size] ?? ''),
    );
}

describe('the CRI under random requests', () => {
  let fixture: RuntimeFixture;
  let outside = '';
  const ids = new Ids();

  beforeAll(async () => {
    outside = await mkdtemp(join(tmpdir(), 'fuzz-outside-'));
    fixture = await RuntimeFixture.start(78);
  });

  afterAll(async () => {
    await fixture.stop();
    await rm(outside, { recursive: true });
  });

  const requests = (): fc.Arbitrary<object> => {
    const linux = fc.record(
      {
        resources: fc.record(
          { cpuQuota: amount, cpuShares: amount, memoryLimitInBytes: amount },
          { requiredKeys: [] },
        ),
        securityContext: fc.record(
          { runAsUser: fc.record({ value: amount }), privileged: fc.boolean() },
          { requiredKeys: [] },
        ),
      },
      { requiredKeys: [] },
    );
    const config = fc.record(
      {
        metadata: fc.record(
          { name: text, uid: text, namespace: text, attempt: fc.nat(3) },
          { requiredKeys: [] },
        ),
        image,
        command,
        args: fc.constantFrom([], ['x']),
        workingDir: text,
        logPath: text,
        logDirectory: fc.constantFrom('', join(fixture.folder, 'logs')),
        hostname: text,
        envs: fc.array(fc.record({ key: text, value: text }), { maxLength: 3 }),
        mounts: fc.array(
          fc.record({
            containerPath: text,
            hostPath: fc.constantFrom(outside, join(fixture.folder, 'not', 'there')),
            readonly: fc.boolean(),
          }),
          { maxLength: 2 },
        ),
        labels: map,
        annotations: map,
        portMappings: fc.array(fc.record({ containerPort: amount, hostPort: fc.constant(0) }), {
          maxLength: 2,
        }),
        linux,
      },
      { requiredKeys: [] },
    );
    return fc.record(
      {
        config,
        sandboxConfig: config,
        podSandboxId: ids.arbitrary(),
        containerId: ids.arbitrary(),
        image,
        cmd: command,
        timeout: fc.constantFrom(0, 1, -1),
        filter: fc.record({ id: text, labelSelector: map }, { requiredKeys: [] }),
        linux: linux.map(({ resources }) => resources ?? {}),
        runtimeConfig: fc.record(
          { networkConfig: fc.record({ podCidr: text }) },
          { requiredKeys: [] },
        ),
        port: fc.array(amount, { maxLength: 3 }),
        runtimeHandler: fc.constantFrom('', 'gvisor'),
        stdin: fc.boolean(),
        tty: fc.boolean(),
        stdout: fc.boolean(),
        stderr: fc.boolean(),
        verbose: fc.boolean(),
      },
      { requiredKeys: [] },
    );
  };

  /** What came of the call: an answer's ids are remembered, a refusal must be a CriError. */
  async function settle(call: Call, request: object): Promise<string> {
    try {
      const answer = call(request, { timeoutMs: 60_000, signal: AbortSignal.timeout(60_000) });
      const isStream =
        typeof answer === 'object' && answer !== null && Symbol.asyncIterator in answer;
      if (isStream) {
        for await (const message of answer as AsyncIterable<object>) void message;
        return 'OK';
      }
      const { containerId, podSandboxId } = (await answer) as {
        containerId?: string;
        podSandboxId?: string;
      };
      for (const id of [containerId, podSandboxId]) if (id) ids.known.add(id);
      return 'OK';
    } catch (error) {
      if (error instanceof CriError) return error.code;
      // A message that cannot be encoded never reaches the server.
      return error instanceof TypeError || error instanceof RangeError
        ? 'UNSENT'
        : `thrown: ${String(error)}`;
    }
  }

  it('answers every call and keeps to its folders', async () => {
    const { runtime, images } = fixture.client;
    const calls = Object.entries({ ...runtime, ...images }).filter(
      ([name]) => name !== 'getContainerEvents',
    ) as [string, Call][];
    const outcomes = new Set<string>();
    let tried = 0;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...calls), requests(), async ([, call], request) => {
        tried += 1;
        const outcome = await settle(call, request);
        outcomes.add(outcome);
        expect(outcome).not.toMatch(/^thrown|DEADLINE_EXCEEDED|UNAVAILABLE|INTERNAL/);
      }),
      fuzzBudget(60),
    );
    tellTried('calls of the CRI', tried);
    expect(outcomes).toContain('OK');
    await expect(runtime.version({})).resolves.toMatchObject({ runtimeApiVersion: 'v1' });
    expect(existsSync('/tmp/escaped')).toBe(false);
    expect(readdirSync(outside)).toEqual([]);
    expect(Object.prototype).not.toHaveProperty('polluted');
  }, 3_600_000);

  it('keeps logs inside of the folder of the pod', async () => {
    const pod = await fixture.runPod('logs');
    await expect(fixture.create(pod.id, 'pause', { logPath: '../../escaped.log' })).rejects.toThrow(
      'leaves the folder of the pod',
    );
  });
});
