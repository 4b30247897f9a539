// Scenarios: requests in their order, sent to both sides. Each file of scenarios/ exports them by name.
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { bothSides } from './ask.mjs';

/** All scenarios: name -> steps. */
export async function scenarios() {
  const files = readdirSync(new URL('scenarios/', import.meta.url));
  const modules = await Promise.all(files.map((file) => import(`./scenarios/${file}`)));
  return Object.assign({}, ...modules.map(({ scenarios: some }) => some));
}

/** `until` answers true for both; the last answers either way. */
async function repeat(sides, request, until) {
  for (let i = 0; ; i++) {
    const answers = await bothSides(sides, ...request);
    if (i === 100 || (await until(answers))) return answers;
    await sleep(100);
  }
}

const isEstablished = ({ json }) =>
  json.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True');

/**
 * A step: `{ label, method, path, body, options, silent, until }`. `silent` is not compared; `until` is asked of one answer,
 * and the request repeated until it holds for both. `{ define: CRD }` creates one and waits until it is served.
 */
export async function runStep(sides, step, findings) {
  if (step.define) return define(sides, step.define, findings);
  const { label, method = 'GET', path, body, options, silent = false, until } = step;
  const request = [method, path, body, options];
  const answers = until
    ? await repeat(sides, request, (all) => all.every((one) => until(one)))
    : await bothSides(sides, ...request);
  if (!silent) findings.add(label ?? `${method} ${path}`, ...answers);
}

async function define(sides, definition, findings) {
  const collection = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const { name } = definition.metadata;
  findings.add(`define ${name}`, ...(await bothSides(sides, 'POST', collection, definition)));
  const path = `${collection}/${name}`;
  const answers = await repeat(sides, ['GET', path], (all) => all.every(isEstablished));
  findings.add(`${name}, established`, ...answers);
  const { group, names, versions } = definition.spec;
  for (const { name: version } of versions.filter(({ served }) => served)) {
    const served = [`/apis/${group}/${version}/${names.plural}`];
    await repeat(sides, ['GET', ...served], (all) => all.every(({ status }) => status === 200));
  }
}
