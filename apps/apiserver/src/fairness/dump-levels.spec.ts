import { describe, expect, it } from '@jest/globals';
import { suggestedFlowSchemas, suggestedPriorityLevels } from '@orrery/api';
import { SystemClock, createMetrics } from '@orrery/component';
import type { ApiRequest } from '../filters/api-request.js';
import { parseRequestInfo } from '../filters/request-info.js';
import { staticReader } from '../live-view/static-reader.js';
import { fairnessDumps } from './dump-levels.js';
import { FlowControl } from './flow-control.js';

const PODS = '/api/v1/namespaces/a/pods';
const gone = new AbortController();
const control = new FlowControl({
  schemas: staticReader(suggestedFlowSchemas()),
  levels: staticReader(suggestedPriorityLevels()),
  clock: new SystemClock(),
  signal: AbortSignal.abort(),
  metrics: createMetrics(),
  seats: 10,
  maxWaitMs: 60_000,
  sizeOf: () => ({ objects: 1000, objectBytes: 1000 }),
});

function request(name: string, query = ''): ApiRequest {
  const params = new URLSearchParams(query);
  const reply = { header: () => reply };
  return {
    info: parseRequestInfo('GET', PODS, params),
    query: params,
    reply,
    context: { user: { name, groups: ['system:authenticated'] }, signal: gone.signal },
  } as unknown as ApiRequest;
}

async function dump(name: string, query = ''): Promise<string[][]> {
  const path = fairnessDumps(control).find((one) => one.path.endsWith(`/${name}`));
  const { body = '' } = (await path?.handle(request('admin', query))) ?? {};
  const lines = String(body).trimEnd().split('\n');
  return lines.map((line) => line.split(',').map((cell) => cell.trim()));
}

describe('/debug/api_priority_and_fairness/', () => {
  it('shows levels, queues and requests, waiting and executing', async () => {
    const first = control.enter(request('jane'));
    const second = control.enter(request('john'));
    const [header, ...levels] = await dump('dump_priority_levels');
    expect(header?.slice(0, 6)).toEqual([
      'PriorityLevelName',
      'ActiveQueues',
      'IsIdle',
      'IsQuiescing',
      'WaitingRequests',
      'ExecutingRequests',
    ]);
    expect(levels.find(([name]) => name === 'global-default')?.slice(1)).toEqual([
      '1',
      'false',
      'false',
      '1',
      '1',
      '1',
      '0',
      '0',
      '0',
    ]);
    const queues = (await dump('dump_queues')).filter(([name]) => name === 'global-default');
    expect(queues.some(([, , pending]) => pending === '1')).toBe(true);
    const rows = await dump('dump_requests', 'includeRequestDetails=1');
    const askers = rows.map((row) => [
      row[0],
      row[3],
      row[4],
      row[6],
      row[10],
      row[11],
      row[12],
      row[16],
    ]);
    expect(askers).toContainEqual([
      'global-default',
      '-1',
      'jane',
      '1',
      'jane',
      'list',
      PODS,
      'pods',
    ]);
    expect(askers).toContainEqual([
      'global-default',
      '0',
      'john',
      '1',
      'john',
      'list',
      PODS,
      'pods',
    ]);
    expect(await dump('dump_requests').then(([columns]) => columns)).toHaveLength(10);
    gone.abort();
    expect(await second).toBeUndefined();
    (await first)?.();
    const after = await dump('dump_priority_levels');
    expect(after.find(([name]) => name === 'global-default')?.slice(4)).toEqual([
      '0',
      '0',
      '1',
      '0',
      '0',
      '1',
    ]);
  });
});
