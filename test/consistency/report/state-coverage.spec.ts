import { describe, expect, it } from '@jest/globals';
import { StateCoverage } from './state-coverage.js';
import { NOT_IN_HTTP, STATES } from './states.js';

const LIST = '/api/v1/configmaps';
const KEY = '/api/v1/namespaces/ns1/configmaps/a';
const tooLarge = { details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } };

type Arguments = Parameters<StateCoverage['call']>;

interface Classified {
  readonly name: string;
  readonly call: Arguments[0];
  readonly reply: Arguments[1];
  readonly want: string[];
}

describe(StateCoverage.name, () => {
  it('knows 78 states, each once', () => {
    expect(new Set(STATES).size).toBe(78);
    expect(NOT_IN_HTTP.filter((state) => !STATES.includes(state))).toEqual([]);
  });

  it.each<Classified>([
    {
      name: 'a get of the future',
      call: { method: 'GET', path: KEY, query: { resourceVersion: '9' } },
      reply: { code: 504, json: tooLarge },
      want: ['Get RV: Future / Too Large', 'Get Outcome: Err TooLarge'],
    },
    {
      name: 'a page with a resourceVersion besides the token',
      call: { method: 'GET', path: LIST, query: { continue: 't', resourceVersion: '9' } },
      reply: { code: 400, json: {} },
      want: ['List Pagination: RV + Continue Conflict', 'List Outcome: Err Invalid / Parse'],
    },
    {
      name: 'a list of a compacted revision',
      call: { method: 'GET', path: LIST, query: { resourceVersion: '9' } },
      reply: { code: 410, json: { reason: 'Expired' } },
      want: ['List RV: Compacted / Too Old', 'List Outcome: Err TooOld / Expired'],
    },
    {
      name: 'an update that changes nothing',
      call: { method: 'PUT', path: KEY, body: { metadata: { resourceVersion: '7' } } },
      reply: { code: 200, json: { metadata: { resourceVersion: '7' } } },
      want: ['Update Path: Short-Circuit / No-Op', 'Precondition: Matching ResourceVersion'],
    },
    {
      name: 'a refused precondition',
      call: { method: 'DELETE', path: KEY, body: { preconditions: { resourceVersion: '7' } } },
      reply: { code: 409, json: { reason: 'Conflict' } },
      want: ['Precondition: Stale / Mismatched RV', 'Mutation Outcome: Precondition Failed'],
    },
  ])('classifies $name', ({ call, reply, want }) => {
    const coverage = new StateCoverage();
    coverage.call(call, reply);
    expect(coverage.covered).toEqual(expect.arrayContaining(want));
  });

  it('does not count other resources', () => {
    const coverage = new StateCoverage();
    coverage.call({ method: 'GET', path: '/api/v1/pods' }, { code: 200, json: {} });
    expect(coverage.covered).toEqual([]);
    expect(coverage.missing).toHaveLength(78);
  });
});
