import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { AbacAuthorizer } from './abac.authorizer.js';
import { resourceAttributes } from './attributes.js';

const folder = mkdtempSync(join(tmpdir(), 'abac-'));

afterAll(() => {
  rmSync(folder, { recursive: true });
});

const authorizerOf = (...lines: string[]): AbacAuthorizer => {
  const path = join(folder, 'policies');
  writeFileSync(path, lines.join('\n'));
  return new AbacAuthorizer(path);
};

const policy = (spec: object): string =>
  JSON.stringify({ apiVersion: 'abac.authorization.kubernetes.io/v1beta1', kind: 'Policy', spec });

const jane = { name: 'jane', groups: ['dev', 'system:authenticated'] };
const stranger = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
const pods = { verb: 'create', resource: 'pods', namespace: 'a' };
const all = { namespace: '*', resource: '*', apiGroup: '*' };

describe(AbacAuthorizer.name, () => {
  it.each([
    { name: 'the user', line: policy({ user: 'jane', ...all }), want: true },
    { name: 'another user', line: policy({ user: 'joe', ...all }), want: false },
    { name: 'the group', line: policy({ group: 'dev', ...all }), want: true },
    {
      name: 'user and another group',
      line: policy({ user: 'jane', group: 'x', ...all }),
      want: false,
    },
    { name: 'nobody', line: policy(all), want: false },
    { name: 'everybody', line: policy({ user: '*', ...all }), want: true },
    {
      name: 'everybody for a stranger',
      line: policy({ user: '*', ...all }),
      user: stranger,
      want: false,
    },
    { name: 'reading', line: policy({ user: 'jane', readonly: true, ...all }), want: false },
    {
      name: 'reading to read',
      line: policy({ user: 'jane', readonly: true, ...all }),
      asked: { ...pods, verb: 'watch' },
      want: true,
    },
    {
      name: 'another namespace',
      line: policy({ user: 'jane', ...all, namespace: 'b' }),
      want: false,
    },
    {
      name: 'another resource',
      line: policy({ user: 'jane', ...all, resource: 'secrets' }),
      want: false,
    },
    {
      name: 'no API group',
      line: policy({ user: 'jane', namespace: '*', resource: '*' }),
      want: true,
    },
    {
      name: 'another API group',
      line: policy({ user: 'jane', ...all, apiGroup: 'apps' }),
      want: false,
    },
    { name: 'a line without a version', line: '{"user":"jane"}', want: true },
    { name: 'a line of that sort for another', line: '{"user":"joe"}', want: false },
    { name: 'one for everybody', line: '{}', want: true },
    { name: 'one to read', line: '{"readonly":true}', want: false },
  ])('goes by a policy for $name', ({ line, user = jane, asked = pods, want }) => {
    const found = authorizerOf('# who may', '', line).authorize({
      user,
      info: resourceAttributes(asked),
    });
    expect(found).toEqual(
      want ? { allowed: true } : { allowed: false, reason: 'No policy matched.' },
    );
  });

  it.each([
    { path: '*', want: true },
    { path: '/healthz', want: true },
    { path: '/heal*', want: true },
    { path: '/livez', want: false },
    { path: '', want: false },
  ])('lets pass to /healthz by $path: $want', ({ path, want }) => {
    const authorizer = authorizerOf(policy({ user: 'jane', nonResourcePath: path }));
    const info = {
      ...resourceAttributes({ verb: 'get', resource: '' }),
      isResource: false,
      path: '/healthz',
    };
    expect(authorizer.authorize({ user: jane, info }).allowed).toBe(want);
  });

  it('lists the rules of a user in a namespace', () => {
    const authorizer = authorizerOf(
      policy({ user: 'jane', namespace: 'a', resource: 'pods', readonly: true }),
      policy({ user: 'jane', namespace: 'b', resource: 'pods' }),
      policy({ group: 'dev', namespace: '*', nonResourcePath: '/x' }),
    );
    expect(authorizer.rulesFor(jane, 'a')).toEqual([
      { verbs: ['get', 'list', 'watch'], apiGroups: [''], resources: ['pods'] },
      { verbs: ['*'], nonResourceURLs: ['/x'] },
    ]);
  });

  it.each([
    '{',
    '[]',
    '{"user":7}',
    '{"apiVersion":"v9","kind":"Policy"}',
    policy({ readonly: 'x' }),
  ])('refuses a line %s by its number', (line) => {
    expect(() => authorizerOf('{}', line)).toThrow(/error reading policy file .*, line 2: /);
  });
});
