import { once } from 'node:events';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { SystemClock } from '@orrery/component';
import { createCa, issueCertificate } from '@orrery/pki';
import { ClusterView } from '../../packages/testing/src/cluster-view.js';
import { Rest } from '../../packages/testing/src/rest.js';

const TYPES = {
  items: [
    {
      versions: [
        {
          version: 'v1',
          resources: [
            {
              resource: 'configmaps',
              responseKind: { kind: 'ConfigMap' },
              scope: 'Namespaced',
              singularResource: 'configmap',
            },
          ],
        },
      ],
    },
  ],
};

const configMap = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
const event = (k: string) =>
  `${JSON.stringify({ type: 'MODIFIED', object: { ...configMap('a'), data: { k } } })}\n`;

describe(ClusterView.name, () => {
  let tls: { key: string; cert: string; ca: string };
  let server: Server;
  let rest: Rest;
  let view: ClusterView;
  /** What each watch is answered with, in their order. */
  let watches: ((answer: ServerResponse) => void)[];
  let applied: string[];
  let mustFail: boolean;

  beforeAll(async () => {
    const now = new SystemClock().now();
    const ca = await createCa('ca', now);
    const issued = await issueCertificate(ca, {
      commonName: 'apiserver',
      usages: ['serverAuth'],
      sans: { ips: ['127.0.0.1'] },
      now,
    });
    tls = { key: issued.keyPem, cert: issued.certPem, ca: ca.certPem };
  });

  beforeEach(async () => {
    watches = [];
    applied = [];
    mustFail = false;
    server = createServer(tls, ({ url = '', method }, answer) => {
      if (mustFail) {
        answer.writeHead(503).end('{}');
        return;
      }
      const { pathname, searchParams } = new URL(url, 'https://x');
      if (searchParams.has('watch')) watches.shift()?.(answer.writeHead(200));
      else if (method === 'PATCH') applied.push(pathname);
      if (method === 'PATCH') answer.end('{}');
      else if (!searchParams.has('watch'))
        answer.end(JSON.stringify(pathname === '/api' ? TYPES : { items: [] }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    rest = Rest.connect(`https://127.0.0.1:${port}`, { ca: tls.ca });
    view = new ClusterView(rest);
  });

  afterEach(() => {
    rest.close();
    server.close();
    server.closeAllConnections();
  });

  it.each<[string, (answer: ServerResponse) => void]>([
    ['is cut', (answer) => void answer.write(event('old'), () => answer.destroy())],
    ['is ended', (answer) => void answer.end(event('old'))],
    ['has expired', (answer) => void answer.write('{"type":"ERROR","object":{"code":410}}\n')],
  ])('waits on when its watch %s', async (_how, first) => {
    watches = [first, (answer) => void answer.write(event('new'))];
    const found = await view.waitFor('configmap/a', ({ data }) => data.k === 'new', {
      timeoutMs: 30_000,
    });
    expect(found['data']).toEqual({ k: 'new' });
  });

  it('takes an object that cannot be judged yet as one that is not as wanted', async () => {
    watches = [(answer) => void answer.write(`${event('old')}${event('new')}`)];
    const found = await view.waitFor(
      'configmap/a',
      ({ data }) => {
        if (data.k === 'old') throw new TypeError('what is read is not there');
        return true;
      },
      { timeoutMs: 30_000 },
    );
    expect(found['data']).toEqual({ k: 'new' });
  });

  it('says why an object could not be judged when the time is over', async () => {
    watches = [(answer) => void answer.write(event('old'))];
    const late = view.waitFor('configmap/a', ({ status }) => status.phase === 'Ready', {
      timeoutMs: 2_000,
    });
    await expect(late).rejects.toThrow(/not as wanted after 2000 ms: .*'phase'.*; it is \{/s);
  });

  it('asks again what resources there are when it got no answer', async () => {
    mustFail = true;
    await expect(view.list('configmaps')).rejects.toMatchObject({ code: 503 });
    mustFail = false;
    await expect(view.list('configmaps')).resolves.toEqual([]);
  });

  it('says that the server is gone when it is', async () => {
    watches = [
      (answer) => {
        server.close();
        answer.write(event('old'), () => {
          server.closeAllConnections();
        });
      },
    ];
    const late = view.waitFor('configmap/a', () => false, { timeoutMs: 30_000 });
    await expect(late).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('applies the items of a list, in their order', async () => {
    await view.apply({
      apiVersion: 'v1',
      kind: 'List',
      items: [configMap('a'), { apiVersion: 'v1', kind: 'List', items: [configMap('b')] }],
    });
    await view.apply([{ apiVersion: 'v1', kind: 'ConfigMapList', items: [configMap('c')] }]);
    expect(applied).toEqual(
      ['a', 'b', 'c'].map((name) => `/api/v1/namespaces/default/configmaps/${name}`),
    );
  });
});
