import type { Cluster } from '../cluster/cluster.js';
import { Cluster as ClusterOf } from '../cluster/cluster.js';
import { TIMERS } from '../cluster/etcd-cluster.js';
import { cleanNamespaces } from '../load/clean.js';
import { toKey, toPath } from '../load/config-map.js';
import { HttpSession, field } from '../load/http-session.js';
import type { Call } from '../load/http-session.js';
import type { RowResult } from '../report/scorecard.js';
import { NOT_IN_HTTP, STATES } from '../report/states.js';
import type { StateCoverage } from '../report/state-coverage.js';
import type { RowContext } from './row.js';

/** A request that the clients' load never makes, and the codes it must be answered with. */
interface Probe {
  readonly name: string;
  readonly codes: readonly number[];
  readonly call: Omit<Call, 'server'>;
}

const ALL = toPath('configmaps');
const NS1 = toPath('configmaps/ns1');
const KEY = toPath(toKey('ns1', 'probe'));
const FUTURE = '999999999';

const get = (path: string, query: Readonly<Record<string, string>> = {}) =>
  ({ method: 'GET', path, query }) as const;

/** Reads whose answer depends on nothing that was written. */
function fixedProbes(): Probe[] {
  return [
    { name: 'get of the future', codes: [504], call: get(KEY, { resourceVersion: FUTURE }) },
    { name: 'get of nonsense', codes: [400], call: get(KEY, { resourceVersion: 'abc' }) },
    { name: 'get of what is not there', codes: [404], call: get(`${KEY}-not`) },
    { name: 'list of the future', codes: [504], call: get(ALL, { resourceVersion: FUTURE }) },
    { name: 'list of nonsense', codes: [400], call: get(ALL, { resourceVersion: 'abc' }) },
    {
      name: 'list with an unknown match',
      codes: [400, 422],
      call: get(ALL, { resourceVersion: '1', resourceVersionMatch: 'Newest' }),
    },
    {
      name: 'list that selects nothing',
      codes: [200],
      call: get(ALL, { labelSelector: 'tier=none' }),
    },
    {
      name: 'list of one object',
      codes: [200],
      call: get(NS1, { fieldSelector: 'metadata.name=probe' }),
    },
    {
      name: 'delete of the default namespace',
      codes: [403],
      call: { method: 'DELETE', path: '/api/v1/namespaces/default' },
    },
    {
      name: 'create of something invalid',
      codes: [422],
      call: { method: 'POST', path: NS1, body: { metadata: { name: 'Not_A_Name' } } },
    },
    {
      name: 'delete of what is not there',
      codes: [404],
      call: { method: 'DELETE', path: `${KEY}-not` },
    },
    {
      name: 'update of what is not there',
      codes: [404],
      call: { method: 'PUT', path: `${KEY}-not`, body: { metadata: { name: 'probe-not' } } },
    },
    {
      name: 'apply that creates',
      codes: [201],
      call: {
        method: 'PATCH',
        path: `${KEY}-applied`,
        query: { fieldManager: 'probe' },
        contentType: 'application/apply-patch+yaml',
        body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'probe-applied' } },
      },
    },
  ];
}

/** Reads at a revision that is gone by now. */
function compactedProbes(revision: string, token: string): Probe[] {
  const exact = { resourceVersion: revision, resourceVersionMatch: 'Exact' };
  return [
    { name: 'list of a compacted revision', codes: [410], call: get(ALL, exact) },
    {
      name: 'page with a resourceVersion besides the token',
      codes: [400],
      call: get(ALL, { limit: '1', continue: token, resourceVersion: revision }),
    },
  ];
}

class Prober {
  readonly wrong: string[] = [];
  private readonly session: HttpSession;

  constructor(
    private readonly server: string,
    private readonly coverage: StateCoverage,
  ) {
    this.session = new HttpSession('probe', coverage);
  }

  async run(probes: readonly Probe[]): Promise<void> {
    for (const { name, codes, call } of probes) {
      const { code = 0 } = await this.session.send({
        ...call,
        server: this.server,
        timeoutMs: 8000,
      });
      if (!codes.includes(code)) this.wrong.push(`${name}: ${code}, not ${codes.join(' or ')}`);
    }
  }

  async ask(call: Omit<Call, 'server'>) {
    return (await this.session.send({ ...call, server: this.server })).json;
  }

  /** Opens a watch, notes its first events, and gives its status. */
  async watch(path: string, query: Readonly<Record<string, string>>): Promise<void> {
    const call = {
      server: this.server,
      ...get(path, { watch: 'true', timeoutSeconds: '1', ...query }),
    };
    const response = await this.session.open(call);
    this.coverage.watch(call, response?.statusCode ?? 0);
    if (!response) return;
    let text = '';
    response.setEncoding('utf8');
    try {
      for await (const part of response) text += String(part);
    } catch {
      // What came until the end counts.
    }
    for (const line of text.split('\n').filter((each) => each !== '')) {
      const event: unknown = JSON.parse(line);
      const code = Number(field(event, 'object', 'code') ?? field(event, 'code'));
      if (field(event, 'type') === 'ERROR') this.coverage.watchEvent({ type: 'ERROR', code });
    }
  }

  close(): void {
    this.session.close();
  }
}

async function probe(cluster: Cluster, coverage: StateCoverage): Promise<readonly string[]> {
  await cleanNamespaces(cluster);
  const prober = new Prober(cluster.server(0).directUrl, coverage);
  for (const name of ['probe', 'other'])
    await prober.ask({ method: 'POST', path: NS1, body: { metadata: { name } } });
  await prober.run(fixedProbes());
  const page = await prober.ask(get(ALL, { limit: '1' }));
  const token = String(field(page, 'metadata', 'continue') as string);
  const revision = String(field(page, 'metadata', 'resourceVersion') as string);
  await prober.watch(NS1, { fieldSelector: 'metadata.name=probe' });
  for (let i = 0; i < 3; i++)
    await prober.ask({
      method: 'PUT',
      path: KEY,
      body: { metadata: { name: 'probe' }, data: { v: `${i}` } },
    });
  const { gateway } = cluster.etcd.anyone;
  await gateway.compact(await gateway.revision());
  await prober.run(compactedProbes(revision, token));
  await prober.watch(ALL, { resourceVersion: '2' });
  prober.close();
  return prober.wrong;
}

/** Row 7: the states that the load of the histories has been through, and those that only a probe asks for. */
export async function runStateProbes(context: RowContext): Promise<RowResult> {
  context.say('row 7: probes of rare states');
  const { coverage } = context;
  let wrong: readonly string[] = [];
  for (const reads of ['quorum', 'cache'] as const) {
    await using cluster = await ClusterOf.start({
      ...context,
      timers: TIMERS.fast,
      members: 1,
      replicas: [reads],
    });
    wrong = [...wrong, ...(await probe(cluster, coverage)).map((text) => `${reads}: ${text}`)];
  }
  const missing = coverage.missing.filter((state) => !NOT_IN_HTTP.includes(state));
  const least = Math.floor((STATES.length * 72) / 80);
  return {
    row: 7,
    value: `${coverage.covered.length}/${STATES.length}`,
    verdict: wrong.length > 0 ? 'violated' : coverage.covered.length >= least ? 'met' : 'below',
    details: [
      `${NOT_IN_HTTP.length} states of upstream's Go interface have no request over HTTP: ${NOT_IN_HTTP.join('; ')}`,
      ...(missing.length > 0 ? [`not seen: ${missing.join('; ')}`] : []),
      ...wrong.map((text) => `answered wrongly: ${text}`),
    ],
  };
}
