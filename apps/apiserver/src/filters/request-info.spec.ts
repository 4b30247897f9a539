import { describe, expect, it } from '@jest/globals';
import { parseRequestInfo } from './request-info.js';
import type { RequestInfo } from './request-info.js';

interface Case {
  readonly name: string;
  readonly method?: string;
  readonly url: string;
  readonly want: Partial<RequestInfo>;
}

describe('parseRequestInfo()', () => {
  it.each<Case>([
    {
      name: 'a list of a namespace',
      url: '/api/v1/namespaces/default/pods?limit=1',
      want: { verb: 'list', namespace: 'default', resource: 'pods', name: '', group: '' },
    },
    {
      name: 'a list, as Python says that it does not watch',
      url: '/apis/apps/v1/deployments?watch=False',
      want: { verb: 'list', group: 'apps', version: 'v1', resource: 'deployments' },
    },
    {
      name: 'a watch',
      url: '/apis/apps/v1/deployments?watch=1',
      want: { verb: 'watch', group: 'apps', version: 'v1', resource: 'deployments' },
    },
    {
      name: 'a list of one name by field selector',
      url: '/api/v1/pods?fieldSelector=metadata.name%3Da',
      want: { verb: 'list', name: 'a' },
    },
    {
      name: 'a namespace itself',
      method: 'DELETE',
      url: '/api/v1/namespaces/x',
      want: { verb: 'delete', namespace: 'x', resource: 'namespaces', name: 'x' },
    },
    {
      name: 'a subresource of a namespace',
      method: 'PUT',
      url: '/api/v1/namespaces/x/finalize',
      want: { verb: 'update', resource: 'namespaces', name: 'x', subresource: 'finalize' },
    },
    {
      name: 'a subresource with a rest',
      url: '/api/v1/namespaces/x/services/s:http/proxy/a/b',
      want: { verb: 'get', resource: 'services', name: 's:http', subresource: 'proxy' },
    },
    {
      name: 'a deletion of a collection',
      method: 'DELETE',
      url: '/api/v1/namespaces/x/pods',
      want: { verb: 'deletecollection', resource: 'pods' },
    },
    {
      name: 'a deletion of a part of a collection, which has no name',
      method: 'DELETE',
      url: '/api/v1/pods?fieldSelector=metadata.name%3Da&labelSelector=b',
      want: {
        verb: 'deletecollection',
        name: '',
        selectors: { field: { rawSelector: 'metadata.name=a' }, label: { rawSelector: 'b' } },
      },
    },
    {
      name: 'a list of a name that cannot be',
      url: '/api/v1/pods?fieldSelector=metadata.name%3Da%2Fb',
      want: { verb: 'list', name: '' },
    },
    {
      name: 'a path that is no resource',
      url: '/apis/apps/v1',
      want: { isResource: false, verb: 'get', path: '/apis/apps/v1' },
    },
    {
      name: 'the legacy watch prefix',
      url: '/api/v1/watch/namespaces/x/pods',
      want: { verb: 'watch', namespace: 'x', resource: 'pods' },
    },
  ])('reads $name', ({ method = 'GET', url, want }) => {
    const { pathname, searchParams } = new URL(url, 'https://x');
    expect(parseRequestInfo(method, pathname, searchParams)).toMatchObject(want);
  });
});
