// KUBE_BIN_DIR=FOLDER node test/differential/run.mjs [NAME…] [--mode=create,update,owners]: every place of rich objects is changed in every
// way of mutations.mjs and sent, as a dry run, to our API server and to upstream's; prints where the answers differ.
// See README.md for how to read it. Upstream is older: a difference is a question, not a failure, so the exit code is 0.
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { difference, ownersDifference } from './compare.mjs';
import { exactDifference } from './exact.mjs';
import { mutationsOf, placesOf, replaced, valueAt } from './mutations.mjs';

process.env.BENCH_HTTP1 = '0';
process.env.BENCH_NET ??= '127.217';
const { cleanUp, sidesToMeasure } = await import('../../bench/api/servers.mjs');
const { AT_ONCE, ask, bothSides, hangUp } = await import('./ask.mjs');
const { extensionSide } = await import('./extension-side.mjs');
const { runStep, scenarios } = await import('./steps.mjs');

const { values: flags, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: { mode: { type: 'string', default: 'create,update,owners,scenarios' } },
});
const OWN_FLAGS = ['--serve-removed-apis', '--service-cluster-ip-range=10.96.0.0/16'];
const EXTENSIONS = process.env.UPSTREAM_APIEXTENSIONS;
const isForExtensions = ({ collection }) =>
  /^\/apis\/(apiextensions\.k8s\.io|a\.b)\//.test(collection);

const objects = readdirSync(new URL('objects/', import.meta.url))
  .flatMap((file) =>
    parseAllDocuments(readFileSync(new URL(`objects/${file}`, import.meta.url), 'utf8')),
  )
  .map((document) => document.toJS())
  .filter(({ name }) => wanted.length === 0 || wanted.includes(name))
  .filter((one) => !EXTENSIONS || isForExtensions(one));

/** What differs -> where it was seen. */
class Findings {
  requests = 0;
  alike = 0;
  texts = new Map();

  add(where, ours, theirs) {
    this.addText(where, (EXTENSIONS ? exactDifference : difference)(ours, theirs));
  }

  addText(where, text) {
    this.requests += 1;
    if (text === undefined) this.alike += 1;
    else this.texts.set(text, [...(this.texts.get(text) ?? []), where]);
  }

  print(title) {
    process.stdout.write(`\n## ${title}: ${this.alike} of ${this.requests} answers alike\n`);
    for (const [text, places] of this.texts)
      process.stdout.write(`- [${places.length}] ${places.slice(0, 3).join(', ')}\n    ${text}\n`);
  }
}

async function inTurn(items, work) {
  let next = 0;
  const worker = async () => {
    while (next < items.length) await work(items[next++]);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function compareCreates(sides, { collection, object }) {
  const findings = new Findings();
  const bodies = [...placesOf(object)].flatMap((place) =>
    mutationsOf(valueAt(object, place)).map(([name, to]) => ({
      where: `${place.join('.')} = ${name}`,
      body: replaced(object, place, to),
    })),
  );
  await inTurn([{ where: 'as it is', body: object }, ...bodies], async ({ where, body }) => {
    findings.add(where, ...(await bothSides(sides, 'POST', `${collection}?dryRun=All`, body)));
  });
  return findings;
}

/** Each side's own object with one place changed the same way. */
function changesOf(objects) {
  const [first] = objects;
  return [...placesOf(first)].flatMap((place) => {
    if (['uid', 'creationTimestamp', 'selfLink', 'managedFields'].includes(place[1])) return [];
    return mutationsOf(valueAt(first, place)).flatMap(([name]) => {
      const bodies = objects.flatMap((object) => {
        const holder = valueAt(object, place.slice(0, -1));
        if (typeof holder !== 'object' || holder === null) return [];
        const to = new Map(mutationsOf(valueAt(object, place))).get(name);
        return to === undefined ? [] : [replaced(object, place, to)];
      });
      return bodies.length === 2 ? [{ where: `${place.join('.')} = ${name}`, bodies }] : [];
    });
  });
}

async function compareUpdates(sides, { collection, object }) {
  const findings = new Findings();
  const path = `${collection}/${object.metadata.name}`;
  const made = await bothSides(sides, 'POST', collection, object);
  if (made.some(({ status }) => status !== 201)) return findings;
  const stored = made.map(({ json }) => {
    const { managedFields: _, ...metadata } = json.metadata;
    return { ...json, metadata };
  });
  await inTurn(changesOf(stored), async ({ where, bodies }) => {
    const asked = sides.map((side, i) => ask(side, 'PUT', `${path}?dryRun=All`, bodies[i]));
    findings.add(where, ...(await Promise.all(asked)));
  });
  await remove(sides, path);
  return findings;
}

async function remove(sides, path) {
  const freed = { metadata: { finalizers: null } };
  await bothSides(sides, 'PATCH', path, freed, { type: 'application/merge-patch+json' });
  await bothSides(sides, 'DELETE', `${path}?gracePeriodSeconds=0`);
}

/** Whose fields are whose after a create, and after an update, a patch of a label, an update by what was sent first and a write of the status by others. */
async function compareOwners(sides, { collection, object }) {
  const findings = new Findings();
  const path = `${collection}/${object.metadata.name}`;
  const writes = [
    ['create', 'POST', `${collection}?fieldManager=creator`, () => object],
    ['update', 'PUT', `${path}?fieldManager=updater`, (now) => labelled(now, 'updated')],
    ['patch', 'PATCH', `${path}?fieldManager=patcher`, () => labelled({}, 'patched')],
    ['replace', 'PUT', `${path}?fieldManager=replacer`, (now) => asSent(object, now)],
    ['status', 'PATCH', `${path}/status?fieldManager=status`, () => labelled({}, 'status')],
  ];
  let now = [];
  for (const [name, method, target, bodyOf] of writes) {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const asked = sides.map((side, i) => ask(side, method, target, bodyOf(now[i]?.json), { type }));
    now = await Promise.all(asked);
    if (now.some(({ status }) => status > 201)) {
      if (now[0].status !== now[1].status)
        findings.addText(name, `answers: ${now.map(({ status }) => status).join(' | ')}`);
      continue;
    }
    findings.addText(name, ownersDifference(...now));
  }
  await remove(sides, path);
  return findings;
}

/** What the author would write again, of what is there. */
const asSent = (object, now) => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion: now?.metadata?.resourceVersion },
});

const labelled = ({ metadata = {}, ...rest }, name) => ({
  ...rest,
  metadata: { ...metadata, labels: { ...metadata.labels, [name]: 'x' } },
});

/** What the object needs is there on both sides, and the collection is served. */
async function makeReady(sides, { needs = [], collection }) {
  for (const { collection: path, object } of needs) await bothSides(sides, 'POST', path, object);
  const isServed = async () =>
    (await bothSides(sides, 'GET', collection)).every(({ status }) => status !== 404);
  for (let i = 0; needs.length > 0 && i < 300 && !(await isServed()); i++) await sleep(100);
}

/** Versions that newer releases do not serve, and what they serve instead, of the same form. */
const SINCE = {
  'batch/v1beta1': 'batch/v1',
  'policy/v1beta1': 'policy/v1',
  'autoscaling/v2beta2': 'autoscaling/v2',
};

/** The object in a version that upstream's release serves. */
async function asServed([, upstream], one) {
  const version = /^\/apis\/([^/]+\/[^/]+)/.exec(one.collection)?.[1];
  const newer = SINCE[version];
  if (!newer || (await ask(upstream, 'GET', `/apis/${version}`)).status !== 404) return one;
  return {
    ...one,
    name: one.name.replace('v2beta2', 'v2'),
    collection: one.collection.replace(version, newer),
    object: { ...one.object, apiVersion: newer },
  };
}

const hasName = ({ object, collection }) =>
  object.metadata?.name !== undefined && !collection.endsWith('reviews');

const upstreamExtensions = (number) => ({
  side: extensionSide(EXTENSIONS, number, `https://${process.env.BENCH_NET}.30.10:6443`),
  version: 'apiextensions-apiserver',
});

async function compareObject(sides, written) {
  await makeReady(sides, written);
  const one = await asServed(sides, written);
  if (flags.mode.includes('create'))
    (await compareCreates(sides, one)).print(`${one.name}, create`);
  if (flags.mode.includes('update') && hasName(one))
    (await compareUpdates(sides, one)).print(`${one.name}, update`);
  if (flags.mode.includes('owners') && hasName(one))
    (await compareOwners(sides, one)).print(`${one.name}, owners`);
}

async function compareScenarios(sides) {
  for (const [name, steps] of Object.entries(await scenarios())) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const findings = new Findings();
    for (const step of steps) await runStep(sides, step, findings);
    findings.print(name);
  }
}

try {
  const { sides, version } = sidesToMeasure(EXTENSIONS ? upstreamExtensions : undefined);
  if (sides.length !== 2) process.exitCode = 2;
  else {
    sides[0].args.push(...(EXTENSIONS ? [] : OWN_FLAGS));
    for (const side of sides) {
      await side.startEtcd();
      await side.start();
    }
    process.stdout.write(`ours beside ${version}\n`);
    for (const name of ['default', 'sa'])
      await bothSides(sides, 'POST', '/api/v1/namespaces/default/serviceaccounts', {
        metadata: { name },
      });
    if (EXTENSIONS && flags.mode.includes('scenarios')) await compareScenarios(sides);
    for (const one of objects) await compareObject(sides, one);
  }
} finally {
  cleanUp();
  hangUp();
}
