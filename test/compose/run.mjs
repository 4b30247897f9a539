// npm run test:compose [-- --compose=1|2] [--no-build] [--timeline] [--only=WORDS]: docker-compose.yml with a real docker engine and a
// real kubectl, by the Compose that is installed or by this one. One last line `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fail, root, say } from '../../scripts/checkout.mjs';
import { ensureTestTools } from '../../scripts/test-tools.mjs';
import { ApiClient, answers } from './api-client.mjs';
import { ensureDocker, startEngine } from './engine.mjs';
import { ensureImage } from './image.mjs';
import { Load } from './load.mjs';
import { timeline } from './timeline.mjs';

const PORT = process.env.ORRERY_PORT ?? '16443';
/** Outside the checkout, whose tools would read the images' files; kept, so that the next run builds faster. */
const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'orrery', 'compose');
const kubeconfig = join(folder, 'kubeconfig');

ensureTestTools();
const wanted = process.argv.find((word) => word.startsWith('--compose='))?.slice(10);
if (wanted !== undefined && !['1', '2'].includes(wanted)) fail('--compose takes 1 or 2');
const compose = ensureDocker(wanted, folder);
if (!compose) {
  say(`skipped  all tests: Compose v${wanted} is neither installed nor to be had`);
  process.stdout.write('0 passed, 0 failed\n');
  process.exit(0);
}
mkdirSync(folder, { recursive: true });
const engine = await startEngine(join(folder, 'engine'));
Object.assign(process.env, {
  DOCKER_HOST: engine.host,
  COMPOSE_PROJECT_NAME: 'orrery-test',
  ORRERY_PORT: PORT,
  KUBECONFIG: kubeconfig,
});

/** Standard output of a program; throws with its messages when it fails. */
function output(program, ...args) {
  const child = spawnSync(program, args, { cwd: root, encoding: 'utf8', timeout: 900_000 });
  if (child.status === 0) return child.stdout;
  const said = `${child.stdout ?? ''}\n${child.stderr ?? ''}`
    .trim()
    .split('\n')
    .slice(-20)
    .join('\n');
  throw new Error(`${program} ${args.join(' ')}: ${child.error ?? said}`);
}
const dc = (...args) => output(compose[0], ...compose.slice(1), ...args);
const kubectl = (...args) => output('kubectl', '--request-timeout=30s', ...args);
/** In container `number` of the service `node`. */
const onNode = (number, ...args) => dc('exec', '-T', '--index', String(number), 'node', ...args);
const MINE = ['--filter', 'label=com.docker.compose.project=orrery-test'];
const CURL = ['curl', '-sf', '-m', '5'];
const NODES = 3;
const NODE_PORT = 30007;

/** Deadlines are those of a very busy machine. */
async function eventually(check, timeoutMs = 240_000, pauseMs = 250) {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(pauseMs);
    }
  }
}

function expectEqual(found, wanted, what) {
  if (found !== wanted) throw new Error(`${what}: ${found}, wanted ${wanted}`);
}

const nodesReady = (count = NODES) =>
  eventually(() =>
    expectEqual(
      kubectl(
        'get',
        'nodes',
        '-o',
        'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}',
      ),
      Array(count).fill('True').join(' '),
      'nodes ready',
    ),
  );

const podsOf = (app) =>
  kubectl(
    'get',
    'pods',
    '-l',
    `app=${app}`,
    '-o',
    'jsonpath={range .items[*]}{.spec.nodeName} {.status.podIP}{"\\n"}{end}',
  )
    .trim()
    .split('\n')
    .map((line) => line.split(' '));

async function serviceAnswers() {
  const vip = kubectl('get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}');
  for (let node = 1; node <= NODES; node++)
    await eventually(() => onNode(node, ...CURL, ...Array(50).fill(`http://${vip}/`)));
}

/** The container of a service that has one. */
const containerOf = (service) =>
  output(
    'docker',
    'ps',
    '-q',
    ...MINE,
    '--filter',
    `label=com.docker.compose.service=${service}`,
  ).trim();

const projectContainers = () =>
  output('docker', 'ps', '-aq', ...MINE)
    .trim()
    .split('\n');

function saveKubeconfig() {
  const text = output('docker', 'exec', containerOf('apiserver'), 'cat', '/cluster/kubeconfig');
  writeFileSync(kubeconfig, text, { mode: 0o600 });
}

/** Runs `up` and waits for Ready nodes; seconds from its start. Asks itself: each kubectl would take time from the cluster. */
async function secondsToReady(count) {
  const started = performance.now();
  const startedAt = Date.now();
  up();
  saveKubeconfig();
  const client = new ApiClient(kubeconfig);
  try {
    const allReady = async () => {
      const { items = [] } = JSON.parse((await client.get('/api/v1/nodes')).text);
      const ready = items.filter(({ status }) =>
        status.conditions?.some((one) => one.type === 'Ready' && one.status === 'True'),
      );
      expectEqual(ready.length, count, 'nodes ready');
    };
    await eventually(allReady, 240_000, 100);
  } finally {
    client.close();
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (process.argv.includes('--timeline'))
    for (const [at, what] of timeline(projectContainers(), startedAt))
      say(`   ${at.toFixed(2).padStart(6)} s  ${what}`);
  return seconds;
}

const rolledOut = () => output('kubectl', 'rollout', 'status', 'deployment/web', '--timeout=240s');
const up = (...args) => dc('up', '-d', '--no-build', ...args);

/** Compose v2 leaves the containers of services that are in no profile of the command. */
function removeAll() {
  const before = process.env.COMPOSE_PROFILES;
  process.env.COMPOSE_PROFILES = 'large,small,netns';
  try {
    dc('down', '-v');
  } finally {
    if (before === undefined) delete process.env.COMPOSE_PROFILES;
    else process.env.COMPOSE_PROFILES = before;
  }
}

/** A cluster of this profile comes next; that of another, whatever ran before, would be behind the same address. */
function startAnew(profile) {
  removeAll();
  process.env.COMPOSE_PROFILES = profile;
}

/** Containers of the project that run, by name. */
const containers = () =>
  output('docker', 'ps', ...MINE, '--format', '{{.Names}}')
    .trim()
    .split('\n')
    .toSorted();

const network = () => output('docker', 'network', 'ls', '-q', ...MINE).trim();

/** The ways in which a container is taken away, and given back. */
const FAULTS = {
  stop: [(name) => output('docker', 'stop', name), (name) => output('docker', 'start', name)],
  kill: [(name) => output('docker', 'kill', name), (name) => output('docker', 'start', name)],
  pause: [(name) => output('docker', 'pause', name), (name) => output('docker', 'unpause', name)],
  disconnect: [
    (name) => output('docker', 'network', 'disconnect', '-f', network(), name),
    (name) => {
      const service = output(
        'docker',
        'inspect',
        '-f',
        '{{index .Config.Labels "com.docker.compose.service"}}',
        name,
      ).trim();
      output('docker', 'network', 'connect', '--alias', service, network(), name);
    },
  ],
};
const FAULT_MS = 3_000;

/** Without these nobody can write, or call by this address; all others have a second of their kind. */
const ALONE = /_(apiserver|node-ports)_\d+$|-(apiserver|node-ports)-\d+$/;

/** Takes the container away under load; throws when work stopped that others can do, or is not taken up again. */
async function withFault(fault, name, load) {
  const [take, give] = FAULTS[fault];
  // A very busy kernel does not stop every process in the time that it gives itself.
  await eventually(() => take(name));
  const [written, called] = [load.acknowledged.length, load.answered];
  await sleep(FAULT_MS);
  if (!ALONE.test(name))
    await eventually(() => {
      if (load.acknowledged.length === written) throw new Error(`${fault} ${name}: no writes`);
      if (load.answered === called) throw new Error(`${fault} ${name}: no calls answered`);
    });
  give(name);
  const after = [load.acknowledged.length, load.answered];
  await eventually(() => {
    if (load.acknowledged.length < after[0] + 5 || load.answered < after[1] + 5)
      throw new Error(`after ${fault} of ${name}: work is not taken up again`);
  });
}

const TESTS = {
  'comes up, and its nodes are Ready': async () => {
    say(`   from up to ${NODES} Ready nodes: ${await secondsToReady(NODES)} s`);
    await nodesReady();
  },
  'listens on 127.0.0.1 alone': () => {
    const ports = output('docker', 'ps', ...MINE, '--format', '{{.Ports}}').split(/[\n,]/);
    const open = ports.map((port) => port.trim()).filter((port) => port.includes('->'));
    expectEqual(
      open.toSorted().join(),
      `127.0.0.1:${PORT}->6443/tcp,127.0.0.1:30000-30031->30000-30031/tcp`,
      'published ports',
    );
  },
  'runs nothing privileged': () => {
    const ids = output('docker', 'ps', '-q', ...MINE)
      .trim()
      .split('\n');
    const format = '{{.HostConfig.Privileged}} {{.HostConfig.CapAdd}}';
    const found = new Set(
      ids.map((id) => output('docker', 'inspect', '-f', format, id).trim().replace('CAP_', '')),
    );
    expectEqual([...found].toSorted().join(', '), 'false [NET_ADMIN], false []', 'privileges');
  },
  'finds every container healthy': () =>
    eventually(() => {
      const states = output('docker', 'ps', ...MINE, '--format', '{{.Names}} {{.Status}}');
      const others = states
        .trim()
        .split('\n')
        .filter((line) => !line.endsWith('(healthy)'));
      expectEqual(others.join(', '), '', 'containers that are not healthy');
    }, 120_000),
  'runs kube-proxy on each node': () =>
    eventually(() =>
      expectEqual(
        kubectl(
          '-n',
          'kube-system',
          'get',
          'pods',
          '-l',
          'k8s-app=kube-proxy',
          '-o',
          'jsonpath={.items[*].status.phase}',
        ),
        Array(NODES).fill('Running').join(' '),
        'kube-proxy pods',
      ),
    ),
  'runs a Deployment on all nodes': () => {
    kubectl('create', 'deployment', 'web', '--image=nginx:1.25', '--replicas=6');
    rolledOut();
    expectEqual(new Set(podsOf('web').map(([node]) => node)).size, NODES, 'nodes with pods');
  },
  'answers on the address of a Service from each node': async () => {
    kubectl('create', 'service', 'nodeport', 'web', '--tcp=80', `--node-port=${NODE_PORT}`);
    await serviceAnswers();
  },
  'answers on a node port of 127.0.0.1': () =>
    eventually(async () => {
      if (!(await answers(`http://127.0.0.1:${NODE_PORT}/`))) throw new Error('no answer');
    }),
  'reaches each pod from another node': () => {
    for (const [node, address] of podsOf('web'))
      onNode(node === 'node-1' ? 2 : 1, ...CURL, `http://${address}/`);
  },
  'runs a shell in a pod': () => {
    const shown = kubectl('exec', 'deployment/web', '--', 'sh', '-c', 'echo $POD_IP');
    if (!shown.startsWith('10.244.')) throw new Error(`POD_IP is ${shown}`);
  },
  'loses nothing and goes on while each container is stopped, killed, paused, cut off':
    async () => {
      const client = new ApiClient(kubeconfig);
      const load = new Load(client, `http://127.0.0.1:${NODE_PORT}/`);
      let faults = 0;
      try {
        for (const name of containers())
          for (const fault of Object.keys(FAULTS)) {
            await withFault(fault, name, load);
            faults += 1;
          }
      } finally {
        await load.stop();
      }
      const lost = await load.lost();
      client.close();
      expectEqual(lost.join(), '', 'acknowledged and lost');
      say(
        `   ${faults} faults: ${load.acknowledged.length} writes acknowledged, none lost; ${load.answered} of ${load.calls} calls answered`,
      );
      await nodesReady();
      rolledOut();
    },
  'takes in more nodes by themselves': async () => {
    up('--scale', 'node=5', 'node');
    await nodesReady(5);
    up('--scale', `node=${NODES}`, 'node');
    kubectl('delete', 'node', 'node-4', 'node-5');
    await nodesReady();
  },
  'keeps every object over down and up': async () => {
    const before = kubectl('get', 'deployments,services,configmaps,nodes', '-A', '-o', 'name');
    dc('down');
    up();
    const after = await eventually(() =>
      kubectl('get', 'deployments,services,configmaps,nodes', '-A', '-o', 'name'),
    );
    expectEqual(after, before, 'objects');
    await nodesReady();
    rolledOut();
    await serviceAnswers();
  },
  'ends each program with code 0 when stopped': () => {
    dc('stop');
    const codes = projectContainers()
      .map((id) => output('docker', 'inspect', '-f', '{{.Name}} {{.State.ExitCode}}', id).trim())
      .filter((line) => !line.endsWith(' 0') && !line.includes('etcd'));
    expectEqual(codes.join(', '), '', 'programs that ended otherwise');
  },
  'leaves nothing after down -v': () => {
    dc('down', '-v');
    expectEqual(output('docker', 'ps', '-aq', ...MINE).trim(), '', 'containers');
    expectEqual(output('docker', 'volume', 'ls', '-q', ...MINE).trim(), '', 'volumes');
  },
  'comes up small, one of each': async () => {
    startAnew('small');
    const seconds = await secondsToReady(1);
    say(`   from up to a Ready node: ${seconds} s`);
    kubectl('create', 'deployment', 'web', '--image=nginx:1.25');
    rolledOut();
    dc('down', '-v');
  },
  'gives each pod a network namespace in the profile netns': async () => {
    startAnew('netns');
    up();
    saveKubeconfig();
    await nodesReady(2);
    kubectl('create', 'deployment', 'web', '--image=nginx:1.25', '--replicas=4');
    kubectl('expose', 'deployment', 'web', '--port=80');
    rolledOut();
    const pods = podsOf('web');
    expectEqual(new Set(pods.map(([node]) => node)).size, 2, 'nodes with pods');
    const names = kubectl('get', 'pods', '-l', 'app=web', '-o', 'name').trim().split('\n');
    const vip = kubectl('get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}');
    const addresses = [...pods.map(([, address]) => address), vip];
    for (const name of names) {
      const links = kubectl('exec', name, '--', 'ip', '-o', '-4', 'address', 'show', 'eth0');
      if (!addresses.some((address) => links.includes(` ${address}/`)))
        throw new Error(`${name} has no interface with its address: ${links}`);
      await eventually(() =>
        kubectl('exec', name, '--', ...CURL, ...addresses.map((address) => `http://${address}/`)),
      );
    }
    dc('down', '-v');
  },
};

const only = process.argv.find((word) => word.startsWith('--only='))?.slice('--only='.length);
const tests = Object.entries(TESTS).filter(([name]) => only === undefined || name.includes(only));

let passed = 0;
let failed = 0;
try {
  if (tests.length === 0)
    throw new Error(
      `no test has "${only}" in its name; they are:\n${Object.keys(TESTS).join('\n')}`,
    );
  if (!process.argv.includes('--no-build')) {
    ensureImage(() => dc('build', 'pki'));
  }
  removeAll();
  for (const [name, test] of tests) {
    try {
      await test();
      passed += 1;
      say(`ok  ${name}`);
    } catch (error) {
      failed += 1;
      say(`NOT ok  ${name}\n${error.message}`);
    }
  }
} catch (error) {
  failed += 1;
  say(`NOT ok  ${error.message}`);
} finally {
  try {
    removeAll();
  } catch (error) {
    say(`orrery: something of the cluster is left: ${error.message}`);
  }
  await engine.stop();
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);
