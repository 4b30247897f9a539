import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const SCRIPT = join(process.cwd(), 'scripts', 'compose.mjs');

/** Stands for docker: answers as ENGINE says; with Compose v2 where V2 is set. */
const DOCKER = `#!/bin/sh
case "$1" in
  version)
    case "$ENGINE" in
      none) echo 'Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?' >&2; exit 1 ;;
      denied) echo 'Got permission denied while trying to connect to the Docker daemon socket' >&2; exit 1 ;;
      newer-client) echo 'Error response from daemon: client version 1.47 is too new. Maximum supported API version is 1.24' >&2; exit 1 ;;
      *) echo "$ENGINE" ;;
    esac ;;
  image) test "$3" = there:1 ;;
  inspect) echo "$STATES" ;;
  logs) echo 'orrery-node: node-2: {"level":30}'; echo "$LOGS" >&2 ;;
  *) exit 1 ;;
esac
`;

/** Stands for docker-compose 1.29: writes down what it was asked; RUNS are the project's containers. */
const COMPOSE = `#!/bin/sh
echo "$*" >> "$ASKED"
case "$*" in
  version*) echo 'docker-compose version 1.29.2' ;;
  *ps\\ -aq*) echo "$RUNS" ;;
  *logs*) echo 'pki_1 | orrery: the ranges of pods and services overlap' ;;
  *up*trace*) printf 'Traceback (most recent call last):\\n  File "x.py", line 1, in y\\n    z()\\nrequests.exceptions.ConnectionError: gone\\n' >&2; exit 1 ;;
  *up*fail*) echo 'Service "pki" did not complete successfully' >&2; exit 1 ;;
esac
`;

/** Logs that are empty when they are first asked for. */
const SAYS_LATER =
  '  logs) if [ -e "$ASKED.logs" ]; then echo "$LOGS" >&2; else : > "$ASKED.logs"; fi ;;';

interface Outcome {
  readonly code: number | null;
  readonly said: string[];
  readonly asked: string[];
}

describe('npm run compose', () => {
  let folder = '';
  const put = (name: string, text: string): void => {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), 0o755);
  };

  async function compose(words: string, env: Record<string, string> = {}): Promise<Outcome> {
    const child = spawn(process.execPath, [SCRIPT, ...words.split(' ')], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        PATH: `${folder}:/usr/bin:/bin`,
        ASKED: join(folder, 'asked'),
        ENGINE: '20.10.24 1.41',
        // A port that is not the user's own cluster's, and node ports that another engine has.
        DOCKER_HOST: 'tcp://127.0.0.1:1',
        ...env,
      },
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    const [code] = (await once(child, 'close')) as [number | null];
    const asked = existsSync(join(folder, 'asked'))
      ? readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n')
      : [];
    return { code, said: said.trim().split('\n'), asked };
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'orrery-compose-'));
    put('docker', DOCKER);
    put('docker-compose', COMPOSE);
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it.each([
    [
      { ENGINE: 'none', DOCKER_HOST: 'unix:///x' },
      /^orrery: no Docker engine answers at unix:\/\/\/x: start it/,
    ],
    [{ ENGINE: 'denied' }, /^orrery: this user may not use the Docker engine: run this as root/],
    [
      { ENGINE: '1.12.6 1.24' },
      /too old: 1\.12\.6 \(API 1\.24\), Docker 19\.03 \(API 1\.40\) or newer/,
    ],
    [{ ENGINE: 'newer-client' }, /^orrery: the Docker engine is too old: API 1\.24, Docker 19\.03/],
    [{ NODES: 'three' }, /^orrery: NODES=three .*: it must be a whole number from 1 to 64$/],
    [{ NODES: '0' }, /^orrery: NODES=0 /],
    [{ NODE_MEMORY: 'lots' }, /^orrery: NODE_MEMORY=lots .*: it must be a size such as 512m or 2g/],
    [{ NODE_MEMORY: '2' }, /^orrery: NODE_MEMORY=2 /],
    [
      { ORRERY_PORT: '65536' },
      /^orrery: ORRERY_PORT=65536 .*: it must be a whole number from 1 to 65535$/,
    ],
    [
      { CLUSTER_CIDR: '10.244.0.0' },
      /^orrery: CLUSTER_CIDR=10\.244\.0\.0 .*: it must be an IPv4 range/,
    ],
    [{ SERVICE_CIDR: '10.300.0.0/12' }, /^orrery: SERVICE_CIDR=10\.300\.0\.0\/12 /],
    [
      { ORRERY_IMAGE: 'no such' },
      /^orrery: ORRERY_IMAGE=no such .*: it must be the name of an image$/,
    ],
    [
      { COMPOSE_PROFILES: 'huge' },
      /^orrery: the profile "huge": it must be one of large, small, netns$/,
    ],
    [{ COMPOSE_PROFILES: 'large,small' }, /^orrery: the profile "large,small": /],
  ])('refuses %j in one line, before anything is started', async (env, line) => {
    const { code, said, asked } = await compose('up -d', env);
    expect(code).toBe(1);
    expect(said).toEqual([expect.stringMatching(line)]);
    expect(asked.filter((words) => words.includes('up'))).toEqual([]);
  });

  it('refuses a port that is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const { code, said } = await compose('up -d', {
      DOCKER_HOST: 'unix:///x',
      ORRERY_PORT: String(port),
    });
    taken.close();
    expect(code).toBe(1);
    expect(said).toEqual([
      `orrery: 127.0.0.1:${port} is taken: stop what listens there, or choose another ORRERY_PORT in .env`,
    ]);
  });

  it('does not ask for the ports of a cluster that has them', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const env = { DOCKER_HOST: 'unix:///x', ORRERY_PORT: String(port), RUNS: 'abc' };
    const { code, asked } = await compose('up -d --scale node=5', env);
    taken.close();
    expect(code).toBe(0);
    expect(asked).toContain('up -d --scale node=5');
  });

  it('refuses an image that is not built where it may not be', async () => {
    const { code, said } = await compose('up -d --no-build', { ORRERY_IMAGE: 'missing:1' });
    expect(code).toBe(1);
    expect(said).toEqual([
      'orrery: the image missing:1 is not built: leave out --no-build, or name another in ORRERY_IMAGE',
    ]);
    expect((await compose('up -d --no-build', { ORRERY_IMAGE: 'there:1' })).code).toBe(0);
  });

  it.each([
    ['--profile small up -d', {}],
    ['exec -T apiserver cat /cluster/kubeconfig', {}],
    ['down -v', { COMPOSE_PROFILES: '' }],
    ['-p mine ps', {}],
  ])('hands on "%s" as it is', async (words, env) => {
    const { code, said, asked } = await compose(words, env);
    expect({ code, said }).toEqual({ code: 0, said: [''] });
    expect(asked).toContain(words);
  });

  it('says why an up failed, and leaves nothing of it', async () => {
    const { code, said, asked } = await compose('up -d fail');
    expect(code).toBe(1);
    expect(said).toEqual([
      'Service "pki" did not complete successfully',
      'orrery: the ranges of pods and services overlap',
      'orrery: up failed; removing what it had started',
    ]);
    expect(asked.at(-1)).toBe('down');
  });

  it('leaves a cluster that ran before an up that failed', async () => {
    const { code, asked } = await compose('up -d fail', { RUNS: 'abc' });
    expect(code).toBe(1);
    expect(asked.at(-1)).toBe('up -d fail');
  });

  it.each([
    { name: 'has ended', STATES: 'n1 exited 2 3 node' },
    { name: 'is about to be started again', STATES: 'n1 restarting 2 1 node' },
    { name: 'has been started again', STATES: 'n1 running 0 1 node-small' },
  ])('says what a node that lacks a capability said, when it $name', async ({ STATES }) => {
    const LOGS = 'orrery: cannot set routes: run the container with --cap-add NET_ADMIN';
    const { code, said, asked } = await compose('up -d', { STATES, LOGS });
    expect(code).toBe(1);
    expect(said).toEqual([LOGS, 'orrery: up failed; removing what it had started']);
    expect(asked.at(-1)).toBe('down');
    const again = await compose('up -d', { STATES, LOGS, RUNS: 'abc' });
    expect({ code: again.code, said: again.said }).toEqual({ code: 1, said: [LOGS] });
    expect(again.asked.at(-1)).toMatch(/ps -aq$/);
  });

  it('is content with containers that run, or have done their work', async () => {
    const STATES =
      'a running 0 0 node\nb exited 0 0 pki\nc exited 137 0 node\nd running 0 2 kube-scheduler';
    expect(await compose('up -d', { STATES })).toMatchObject({ code: 0, said: [''] });
  });

  it('waits for what a node says that has said nothing yet', async () => {
    put('docker', DOCKER.replace(/^ {2}logs\).*$/m, SAYS_LATER));
    const { code, said } = await compose('up -d', {
      STATES: 'n1 running 0 1 node',
      LOGS: 'orrery: cannot set routes',
    });
    expect(code).toBe(1);
    expect(said[0]).toBe('orrery: cannot set routes');
  });

  it("says the last line of docker-compose's Python traces alone", async () => {
    const { said } = await compose('up -d trace', { RUNS: 'abc' });
    expect(said).toEqual([
      'orrery: docker-compose failed: requests.exceptions.ConnectionError: gone',
    ]);
  });

  it('says what to install where there is no Compose', async () => {
    rmSync(join(folder, 'docker-compose'));
    const { code, said } = await compose('up -d', { PATH: folder });
    expect(code).toBe(1);
    expect(said).toEqual([
      expect.stringMatching(/^orrery: neither docker compose nor docker-compose is installed/),
    ]);
  });
});
