// npm run test:compose [-- --no-build]: docker-compose.yml with a real docker engine and a real kubectl. One last line `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { projectNode, root, run, say } from '../../scripts/checkout.mjs';
import { ensureTestTools } from '../../scripts/test-tools.mjs';
import { ensureDocker, startEngine } from './engine.mjs';
import { LOCK_LABEL, lockHash } from './lock-hash.mjs';

const PORT = process.env.ORRERY_PORT ?? '16443';
/** Outside the checkout, whose tools would read the images' files; kept, so that the next run builds faster. */
const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'orrery', 'compose');
const kubeconfig = join(folder, 'kubeconfig');

ensureTestTools();
const compose = ensureDocker();
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
const kubectl = (...args) => output('kubectl', '--request-timeout=10s', ...args);
const inContainer = (name, ...args) => dc('exec', '-T', name, ...args);
const MINE = ['--filter', 'label=com.docker.compose.project=orrery-test'];
const CURL = ['curl', '-sf', '-m', '5'];
const curl = (from, url) => inContainer(from, ...CURL, url);

async function eventually(check, timeoutMs = 60_000) {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return check();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(250);
    }
  }
}

function expectEqual(found, wanted, what) {
  if (found !== wanted) throw new Error(`${what}: ${found}, wanted ${wanted}`);
}

const nodesReady = () =>
  eventually(() =>
    expectEqual(
      kubectl(
        'get',
        'nodes',
        '-o',
        'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}',
      ),
      'True True',
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
  for (const node of ['node-1', 'node-2'])
    await eventually(() => inContainer(node, ...CURL, ...Array(50).fill(`http://${vip}/`)), 20_000);
}

const TESTS = {
  'comes up, and its nodes are Ready': async () => {
    const started = performance.now();
    dc('up', '-d', '--no-build');
    writeFileSync(kubeconfig, inContainer('apiserver', 'cat', '/cluster/kubeconfig'), {
      mode: 0o600,
    });
    await nodesReady();
    say(`   from up to two Ready nodes: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  },
  'listens on 127.0.0.1 alone': () => {
    const ports = output('docker', 'ps', ...MINE, '--format', '{{.Ports}}').split(/[\n,]/);
    const open = ports.map((port) => port.trim()).filter((port) => port.includes('->'));
    expectEqual(open.join(), `127.0.0.1:${PORT}->6443/tcp`, 'published ports');
  },
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
        'Running Running',
        'kube-proxy pods',
      ),
    ),
  'runs a Deployment on both nodes': () => {
    kubectl('create', 'deployment', 'web', '--image=nginx:1.25', '--replicas=4');
    output('kubectl', 'rollout', 'status', 'deployment/web', '--timeout=60s');
    expectEqual(new Set(podsOf('web').map(([node]) => node)).size, 2, 'nodes with pods');
  },
  'answers on the address of a Service from each node': async () => {
    kubectl('expose', 'deployment', 'web', '--port=80');
    await serviceAnswers();
  },
  'reaches each pod from the other node': () => {
    for (const [node, address] of podsOf('web'))
      curl(node === 'node-1' ? 'node-2' : 'node-1', `http://${address}/`);
  },
  'runs a shell in a pod': () => {
    const shown = kubectl('exec', 'deployment/web', '--', 'sh', '-c', 'echo $POD_IP');
    if (!shown.startsWith('10.244.')) throw new Error(`POD_IP is ${shown}`);
  },
  'serves again after a node was killed and started': async () => {
    dc('kill', 'node-2');
    dc('up', '-d', '--no-build', 'node-2');
    await nodesReady();
    output('kubectl', 'rollout', 'status', 'deployment/web', '--timeout=90s');
    await serviceAnswers();
  },
  'keeps every object over down and up': async () => {
    const before = kubectl('get', 'deployments,services,configmaps', '-A', '-o', 'name');
    dc('down');
    dc('up', '-d', '--no-build');
    const after = await eventually(() =>
      kubectl('get', 'deployments,services,configmaps', '-A', '-o', 'name'),
    );
    expectEqual(after, before, 'objects');
    await nodesReady();
    output('kubectl', 'rollout', 'status', 'deployment/web', '--timeout=90s');
    await serviceAnswers();
  },
  'ends each program with code 0 when stopped': () => {
    dc('stop');
    const codes = output('docker', 'ps', '-aq', ...MINE)
      .trim()
      .split('\n')
      .map((id) => output('docker', 'inspect', '-f', '{{.Name}} {{.State.ExitCode}}', id).trim())
      .filter((line) => !line.endsWith(' 0') && !line.includes('etcd'));
    expectEqual(codes.join(', '), '', 'programs that ended otherwise');
  },
  'leaves nothing after down -v': () => {
    dc('down', '-v');
    expectEqual(output('docker', 'ps', '-aq', ...MINE).trim(), '', 'containers');
    expectEqual(output('docker', 'volume', 'ls', '-q', ...MINE).trim(), '', 'volumes');
  },
};

const script = (name) => join(root, 'test', 'compose', name);

/** A pulled image is good; one that we made, for the lock file that it was made for. */
function baseImageIsGood() {
  const format = `{{index .Config.Labels "${LOCK_LABEL}"}}`;
  const child = spawnSync('docker', ['image', 'inspect', '-f', format, 'node:24-bookworm-slim'], {
    encoding: 'utf8',
  });
  return child.status === 0 && ['', lockHash()].includes(child.stdout.trim());
}

let passed = 0;
let failed = 0;
try {
  if (!process.argv.includes('--no-build')) {
    if (!baseImageIsGood() && run(projectNode(), [script('make-base-images.mjs')]) !== 0)
      throw new Error('no base images');
    say('building the image');
    dc('build', 'pki');
  }
  dc('down', '-v');
  for (const [name, test] of Object.entries(TESTS)) {
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
  spawnSync(compose[0], [...compose.slice(1), 'down', '-v'], { cwd: root, stdio: 'ignore' });
  await engine.stop();
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);
