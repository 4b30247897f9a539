import { describe, expect, it } from '@jest/globals';
import { SteppedClock, SystemClock } from '@orrery/component';
import { Fatal } from './agnhost.js';
import type { Agnhost } from './agnhost.js';
import { parseFlags } from './flags.js';
import { hostPort, redirection, sniffed } from './http.js';
import { splitAddress } from './servers/net.js';
import {
  delayShutdown,
  listenAddresses,
  readyz,
  udpAnswer,
  uploadedFile,
} from './servers/netexec.js';
import { goError, goMode } from './tools/mounttest.js';
import { candidates } from './tools/resolver.js';
import { ADMISSIONS } from './webhooks/admission.js';
import type { Admission, AdmissionRequest } from './webhooks/admission.js';
import { convertExample } from './webhooks/conversion.js';

describe('flags', () => {
  const defaults = { port: 80, name: '', tcp: false, http: true };

  it.each([
    { args: ['--port=81', '--tcp'], want: { port: 81, name: '', tcp: true, http: true } },
    {
      args: ['--name', 'a=b', '--http=false'],
      want: { port: 80, name: 'a=b', tcp: false, http: false },
    },
    { args: ['-p', '82'], want: { port: 82, name: '', tcp: false, http: true } },
    { args: ['--alsologtostderr', '-v=4', '--v', '2'], want: defaults },
  ])('reads $args', ({ args, want }) => {
    expect(parseFlags(args, defaults, { p: 'port' }).flags).toEqual(want);
  });

  it.each([['--nothing'], ['--port=x'], ['--port'], ['-q']])('refuses %s', (word) => {
    expect(() => parseFlags([word], defaults)).toThrow(Fatal);
  });

  it('keeps other words, and everything behind --', () => {
    expect(parseFlags(['a', '--tcp', 'b', '--', '--port'], defaults).rest).toEqual([
      'a',
      'b',
      '--port',
    ]);
  });
});

describe('mounttest', () => {
  it.each([
    { mode: 0o100644, want: '-rw-r--r--' },
    { mode: 0o100400, want: '-r--------' },
    { mode: 0o041777, want: 'dtrwxrwxrwx' },
    { mode: 0o042777, want: 'dgrwxrwxrwx' },
    { mode: 0o120777, want: 'Lrwxrwxrwx' },
    { mode: 0o777, want: '-rwxrwxrwx' },
  ])('prints $mode as Go does', ({ mode, want }) => {
    expect(goMode(mode)).toBe(want);
  });

  it('says in Go words why a file cannot be read', () => {
    const error = Object.assign(new Error('x'), { code: 'EACCES' });
    expect(goError('open', '/a', error)).toBe('open /a: permission denied');
  });
});

describe('netexec', () => {
  it.each([
    { text: 'echo Hello\n', want: 'hello' },
    { text: 'clientIP', want: '10.0.0.1:5' },
    { text: 'nothing', want: undefined },
  ])('answers the datagram $text', ({ text, want }) => {
    expect(udpAnswer(text, '10.0.0.1:5')).toBe(want);
  });

  it.each([
    { text: '', want: ['0.0.0.0'] },
    { text: '10.0.0.1,10.0.0.1,::1', want: ['10.0.0.1', '::1'] },
  ])('listens at "$text"', ({ text, want }) => {
    expect(listenAddresses(text, '0.0.0.0')).toEqual(want);
  });

  it('does not listen at what is no address', () => {
    expect(() => listenAddresses('10.0.0.1,', '0.0.0.0')).toThrow('invalid address');
  });

  it('goes on after SIGTERM for as long as it was told, but is ready no longer', async () => {
    const clock = new SteppedClock(new SystemClock());
    const codes: number[] = [];
    let terminate = (): void => undefined;
    const host = {
      clock,
      log: () => undefined,
      exit: (code: number) => codes.push(code),
      onTerminate: (handler: () => void) => (terminate = handler),
    };
    const state = { ready: false, isEnding: false };
    delayShutdown(host as unknown as Agnhost, 100, state);
    expect(readyz(state)).toEqual({ status: 412 });
    state.ready = true;
    expect(readyz(state)).toEqual({ body: 'ok' });
    terminate();
    expect(readyz(state)).toEqual({ status: 503, body: 'shutting down' });
    await clock.step(99_000);
    expect(codes).toEqual([]);
    await clock.step(2_000);
    expect(codes).toEqual([0]);
  });

  it('finds the file in a form', () => {
    const body = [
      '--x',
      'Content-Disposition: form-data; name="other"',
      '',
      'no',
      '--x',
      'Content-Disposition: form-data; name="file"; filename="a"',
      '',
      'yes\r\nindeed',
      '--x--',
      '',
    ].join('\r\n');
    const exchange = {
      method: 'POST',
      path: '/upload',
      query: new URLSearchParams(),
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
      body: Buffer.from(body),
      remote: '',
    };
    expect(uploadedFile(exchange)?.toString()).toBe('yes\r\nindeed');
    expect(uploadedFile({ ...exchange, headers: {} })).toBeUndefined();
  });
});

describe('sniffed()', () => {
  it.each([
    { body: '<a href="/rewriteme">test</a>', type: 'text/html' },
    { body: ' \n<!DOCTYPE HTML><p>', type: 'text/html' },
    { body: '<?xml version="1.0"?>', type: 'text/xml' },
    { body: '<abbr>', type: 'text/plain' },
    { body: 'test <a >', type: 'text/plain' },
  ])('takes $body for $type', ({ body, type }) => {
    expect(sniffed(body)).toBe(`${type}; charset=utf-8`);
    expect(sniffed(Buffer.from(body))).toBe(`${type}; charset=utf-8`);
  });
});

it('redirects with the text by which a kubelet tells where a probe was sent', () => {
  expect(redirection('http://0.0.0.0/', 302)).toEqual({
    status: 302,
    headers: { Location: 'http://0.0.0.0/', 'Content-Type': 'text/html; charset=utf-8' },
    body: '<a href="http://0.0.0.0/">Found</a>.\n\n',
  });
});

describe('addresses', () => {
  it('are split and joined with brackets', () => {
    expect(splitAddress('[::1]:80')).toEqual({ host: '::1', port: 80 });
    expect(splitAddress(':8889')).toEqual({ host: '', port: 8889 });
    expect(() => splitAddress('web')).toThrow('missing port');
    expect(hostPort('::1', 80)).toBe('[::1]:80');
  });

  it('are searched for as resolv.conf says', () => {
    const settings = { servers: [], searches: ['a', 'b'], ndots: 2 };
    expect(candidates('web', settings)).toEqual(['web.a', 'web.b', 'web']);
    expect(candidates('web.x.y', settings)).toEqual(['web.x.y', 'web.x.y.a', 'web.x.y.b']);
    expect(candidates('web.', settings)).toEqual(['web']);
  });
});

describe('the conversion webhook', () => {
  const one = { apiVersion: 'stable.example.com/v1', kind: 'E', hostPort: 'h:1' };
  const two = { apiVersion: 'stable.example.com/v2', kind: 'E', host: 'h', port: '1' };

  it('splits and joins hostPort', () => {
    expect(convertExample(one, two.apiVersion)).toEqual(two);
    expect(convertExample(two, one.apiVersion)).toEqual(one);
  });

  it.each([
    { object: one, to: one.apiVersion, want: 'to itself' },
    { object: one, to: 'stable.example.com/v3', want: 'unexpected conversion version' },
    { object: { ...one, hostPort: 'h' }, to: two.apiVersion, want: 'invalid hostPort value' },
  ])('says $want', ({ object, to, want }) => {
    expect(convertExample(object, to)).toMatch(want);
  });
});

describe('the admission webhook', () => {
  const request = (object: unknown, over: Partial<AdmissionRequest> = {}): AdmissionRequest => ({
    uid: 'u',
    operation: 'CREATE',
    resource: { group: '', version: 'v1', resource: 'pods' },
    object,
    ...over,
  });
  const ask = async (
    path: string,
    asked: AdmissionRequest,
    sidecarImage = '',
  ): Promise<unknown> => {
    const answer = await ADMISSIONS[path]?.(asked, { sidecarImage } as Admission);
    const { patch, ...rest } = answer ?? { allowed: undefined };
    return patch === undefined
      ? rest
      : (JSON.parse(Buffer.from(patch, 'base64').toString('utf8')) as unknown);
  };

  it.each([
    { path: '/always-deny', asked: request({}), want: { allowed: false } },
    { path: '/pods', asked: request({ metadata: {} }), want: { allowed: true } },
    {
      path: '/pods',
      asked: request({ metadata: { labels: { 'webhook-e2e-test': 'webhook-disallow' } } }),
      want: { status: { message: 'the pod contains unwanted label;' } },
    },
    {
      path: '/pods/attach',
      asked: request(
        { stdin: true, container: 'container1' },
        { name: 'to-be-attached-pod', subResource: 'attach' },
      ),
      want: { status: { message: "attaching to pod 'to-be-attached-pod' is not allowed" } },
    },
    {
      path: '/configmaps',
      asked: request(undefined, {
        operation: 'DELETE',
        oldObject: { data: { 'webhook-e2e-test': 'webhook-nondeletable' } },
      }),
      want: { allowed: false },
    },
    {
      path: '/crd',
      asked: request({ metadata: { labels: { 'webhook-e2e-test': 'webhook-disallow' } } }),
      want: { status: { message: 'the crd contains unwanted label' } },
    },
    { path: '/mutating-pods-sidecar', asked: request({}), want: { status: { code: 500 } } },
  ])('answers at $path', async ({ path, asked, want }) => {
    await expect(ask(path, asked)).resolves.toMatchObject(want);
  });

  it('patches labels, data and containers', async () => {
    await expect(ask('/add-label', request({ metadata: {} }))).resolves.toEqual([
      { op: 'add', path: '/metadata/labels', value: { 'added-label': 'yes' } },
    ]);
    await expect(
      ask('/mutating-configmaps', request({ data: { 'mutation-start': 'yes' } })),
    ).resolves.toEqual([{ op: 'add', path: '/data/mutation-stage-1', value: 'yes' }]);
    await expect(
      ask('/mutating-pods-sidecar', request({ spec: { containers: [] } }), 'busybox'),
    ).resolves.toMatchObject([{ path: '/spec/containers/-', value: { image: 'busybox' } }]);
  });
});
