// Every row of the API server's table of targets, on a real etcd. With KUBE_BIN_DIR and a kube-apiserver in it, upstream
// is measured beside it in the same run, in turn; quote the ratios. See README.md for the flags.
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { fanOut, load, loadHttp2 } from './api/load.mjs';
import { Report } from './api/report.mjs';
import { cleanUp, sidesToMeasure } from './api/servers.mjs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: process.env.BENCH_ROUNDS ?? '5' },
    pods: { type: 'string', default: process.env.BENCH_PODS ?? '28000' },
    seconds: { type: 'string', default: process.env.BENCH_SECONDS ?? '2' },
    /** Only rows whose name contains one of these, by commas. */
    rows: { type: 'string', default: process.env.BENCH_TASK ?? '' },
  },
});
const ROUNDS = Number(flags.rounds);
const PODS = Number(flags.pods);
const SECONDS = Number(flags.seconds);
const wanted = flags.rows.split(',').filter(Boolean);
const isWanted = (name) => wanted.length === 0 || wanted.some((part) => name.includes(part));

const POD = JSON.stringify({
  kind: 'Pod',
  apiVersion: 'v1',
  metadata: { name: 'NAME', labels: { app: 'bench', 'pod-template-hash': '5d4f8c7b9' } },
  spec: {
    containers: [
      {
        name: 'main',
        image: 'nginx:1.25',
        ports: [{ containerPort: 80 }],
        resources: { requests: { cpu: '100m', memory: '64Mi' } },
        env: [{ name: 'A', value: '1' }],
      },
    ],
  },
});
const configMap = (bytes) =>
  JSON.stringify({ metadata: { name: 'NAME' }, data: { k: 'v'.repeat(bytes) } });
const [MAP, SMALL_MAP] = [configMap(200), configMap(100)];

const inNamespace = (name, resource) => `/api/v1/namespaces/${name}/${resource}`;
const PODS_PATH = inNamespace('default', 'pods');
const POD_PATH = `${PODS_PATH}/seed`;
const perRequest = (unit) => ({ unit, rateOf: ({ requests }) => requests });
const watching = (watchers, writes) => (side) =>
  fanOut(side, inNamespace('watched', 'configmaps'), { watchers, writes, body: SMALL_MAP });

/** name -> what is done, by which unit it counts, and upstream's figure times what is the target. */
const ROWS = {
  'create pods': {
    ...perRequest('pods/s'),
    target: 2,
    run: (side) => load(side, inNamespace('load', 'pods'), { body: POD, seconds: SECONDS }),
  },
  'create ConfigMaps': {
    ...perRequest('objects/s'),
    target: 1.5,
    run: (side) => load(side, inNamespace('load', 'configmaps'), { body: MAP, seconds: SECONDS }),
  },
  'GET a pod, consistent': {
    ...perRequest('/s'),
    target: 3,
    http1: true,
    run: (side) => load(side, POD_PATH, { seconds: SECONDS }),
  },
  'GET a pod, resourceVersion=0': {
    ...perRequest('/s'),
    target: 2,
    http1: true,
    run: (side) => load(side, `${POD_PATH}?resourceVersion=0`, { seconds: SECONDS }),
  },
  'GET a pod, resourceVersion=0, HTTP/2': {
    ...perRequest('/s'),
    run: (side) => loadHttp2(side, `${POD_PATH}?resourceVersion=0`, { seconds: SECONDS }),
  },
  'LIST limit=500': {
    unit: 'MB/s',
    rateOf: ({ bytes }) => bytes / 1e6,
    target: 6,
    http1: true,
    run: (side) => load(side, `${PODS_PATH}?limit=500`, { connections: 4, seconds: SECONDS }),
  },
  'LIST limit=500, HTTP/2': {
    unit: 'MB/s',
    rateOf: ({ bytes }) => bytes / 1e6,
    run: (side) => loadHttp2(side, `${PODS_PATH}?limit=500`, { seconds: SECONDS }),
  },
  [`LIST ${PODS} pods, resourceVersion=0`]: {
    unit: 'MB/s',
    rateOf: ({ bytes }) => bytes / 1e6,
    target: 5,
    run: (side) =>
      load(side, `${PODS_PATH}?resourceVersion=0`, { connections: 2, seconds: 2 * SECONDS }),
  },
  'watch fan-out, 200 watchers': {
    ...perRequest('events/s'),
    target: 3,
    run: watching(200, 1000),
  },
  'watch fan-out, 1000 watchers': {
    ...perRequest('events/s'),
    target: 3,
    run: watching(1000, 400),
  },
};

// What is known by then is told, and nothing is left running.
process.once('exit', cleanUp);
process.once('SIGINT', () => {
  report.print(ROWS);
  process.exit(1);
});

const { sides, version } = sidesToMeasure();
const report = new Report({ version, pods: PODS });

/** A side that offers HTTP/1.1 alone is measured where it says something. */
const takesPart = (side, row) => side.name !== 'http1' || row?.http1;

async function startAndStop() {
  for (let round = 0; round < ROUNDS; round++)
    for (const side of sides.filter((each) => takesPart(each))) {
      const seconds = await side.start();
      // The first start of all makes the objects that a cluster begins with.
      if (round > 0 || ROUNDS === 1) report.add('start to readyz', side, { rate: seconds });
      await sleep(3000);
      report.add('memory, idle', side, { rate: side.resident });
      await side.stop();
    }
}

async function seed(side) {
  for (const name of ['load', 'watched'])
    await side.ask('POST', '/api/v1/namespaces', JSON.stringify({ metadata: { name } }));
  await side.ask('POST', PODS_PATH, POD.replace('NAME', 'seed'));
  await load(side, PODS_PATH, { body: POD, seconds: 300, most: PODS - 1 });
  await sleep(3000);
  if (takesPart(side)) report.add(`memory, ${PODS} pods just made`, side, { rate: side.resident });
}

async function measure(side, { run, rateOf }) {
  const result = await run(side);
  const done = rateOf(result);
  return { rate: done / result.seconds, perCpu: done / result.cpu, p99: result.p99 };
}

/** One round of a row: all sides in turn, or, where one of them fails, none, so that pairs stay pairs. */
async function measureRound(name, row, round) {
  const samples = new Map();
  try {
    for (const side of sides) if (takesPart(side, row)) samples.set(side, await measure(side, row));
  } catch (error) {
    process.stderr.write(`  ${name}: round ${round} is left out: ${error.message}\n`);
    return;
  }
  // Round 0 warms up.
  if (round > 0) for (const [side, sample] of samples) report.add(name, side, sample);
}

async function measureRows() {
  const rows = Object.entries(ROWS).filter(([name]) => isWanted(name));
  for (const [name, row] of rows)
    for (let round = 0; round <= ROUNDS; round++) await measureRound(name, row, round);
}

/** A new process on what is stored; the last one of ours tells how long a whole LIST holds it up. */
async function measureRestarts() {
  const preload = ['--import', join(dirname(fileURLToPath(import.meta.url)), 'loop-delay.mjs')];
  for (let round = 0; round < ROUNDS; round++)
    for (const side of sides.filter((each) => takesPart(each))) {
      await side.start();
      await sleep(3000);
      report.add(`memory, ${PODS} pods, after a restart`, side, { rate: side.resident });
      await side.stop();
    }
  for (const side of sides.filter((each) => takesPart(each) && each.name !== 'upstream')) {
    await side.start(preload);
    await side.ask('GET', `${PODS_PATH}?resourceVersion=0`);
    for (let round = 0; round < ROUNDS; round++) {
      await side.held();
      await side.ask('GET', `${PODS_PATH}?resourceVersion=0`);
      report.add(`longest hold, LIST ${PODS} pods`, side, { rate: await side.held() });
    }
    await side.stop();
  }
}

try {
  for (const side of sides) await side.startEtcd();
  if (isWanted('start') || isWanted('memory, idle')) await startAndStop();
  for (const side of sides) await side.start();
  for (const side of sides) await seed(side);
  await measureRows();
  for (const side of sides)
    if (takesPart(side)) report.add('memory, after all of it', side, { rate: side.resident });
  for (const side of sides) await side.stop();
  if (isWanted('restart') || isWanted('longest hold')) await measureRestarts();
} finally {
  report.print(ROWS);
}
process.exit();
