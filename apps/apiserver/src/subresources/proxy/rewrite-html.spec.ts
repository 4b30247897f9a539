import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { throughProxy } from './link-prefix.js';
import { HtmlLinks } from './rewrite-html.js';

const PREFIX = '/api/v1/namespaces/n/pods/p/proxy';
const page = { prefix: PREFIX, hosts: ['10.1.2.3:80', 'api.example:6443'] };

describe('throughProxy()', () => {
  it.each([
    ['an absolute path', '/x/y?q=1#f', `${PREFIX}/x/y?q=1#f`],
    ['a closing slash', '/x/', `${PREFIX}/x/`],
    ['the root', '/', `${PREFIX}/`],
    ['a relative path', 'x/y', 'x/y'],
    ['a query alone', '?a=b', '?a=b'],
    ['nothing', '', ''],
    ['another host', 'http://elsewhere/x', 'http://elsewhere/x'],
    ['another host without a scheme', '//elsewhere/x', '//elsewhere/x'],
    ['the back-end by its address', 'http://10.1.2.3:80/x', `${PREFIX}/x`],
    ['the host that was asked', 'https://api.example:6443/x', `${PREFIX}/x`],
    ['what goes through the proxy already', `${PREFIX}/x`, `${PREFIX}/x`],
    ['dots', '/a/../b', `${PREFIX}/b`],
    ['a scheme without a host', 'mailto:/x', 'mailto:/x'],
    ['a script', 'javascript:alert(1)', 'javascript:alert(1)'],
    ['a malformed escape', '/x%zz', '/x%zz'],
  ])('%s', (_what, link, expected) => {
    expect(throughProxy(link, page)).toBe(expected);
  });
});

const rewrite = (chunks: readonly string[]): Promise<string> =>
  text(
    Readable.from(chunks.map((chunk) => Buffer.from(chunk))).pipe(
      new HtmlLinks((link) => throughProxy(link, page)),
    ),
  );

const cases: [string, string, string][] = [
  ['a link', '<a href="/x">t</a>', `<a href="${PREFIX}/x">t</a>`],
  ['no quotes', '<a href=/x>t</a>', `<a href="${PREFIX}/x">t</a>`],
  ['single quotes', "<img alt='>' src='/x'/>", `<img alt='>' src="${PREFIX}/x"/>`],
  ['capitals', '<IMG SRC="/x">', `<IMG SRC="${PREFIX}/x">`],
  ['space around =', '<form action = "/x">', `<form action = "${PREFIX}/x">`],
  ['an escaped query', '<a href="/x?a=1&amp;b=2">', `<a href="${PREFIX}/x?a=1&amp;b=2">`],
  [
    'two of one tag',
    '<video poster=/p src="/s">',
    `<video poster="${PREFIX}/p" src="${PREFIX}/s">`,
  ],
  [
    'attributes that hold no link',
    '<div href="/x" data-src="/y">',
    '<div href="/x" data-src="/y">',
  ],
  ['relative links', '<a href="x"><a href>', '<a href="x"><a href>'],
  [
    'scripts',
    '<script>a="<a href=/x>"</script><a href=/y>',
    `<script>a="<a href=/x>"</script><a href="${PREFIX}/y">`,
  ],
  ['the source of a script', '<script src="/x"></SCRIPT>', `<script src="${PREFIX}/x"></SCRIPT>`],
  [
    'comments',
    '<!-- <a href="/x"> --><a href="/y">',
    `<!-- <a href="/x"> --><a href="${PREFIX}/y">`,
  ],
  ['text', 'a < b <3 <!doctype html> ü €', 'a < b <3 <!doctype html> ü €'],
  ['an unfinished tag', '<a href="/x', '<a href="/x'],
];

describe('HtmlLinks', () => {
  it.each(cases)('rewrites %s', async (_what, html, expected) => {
    expect(await rewrite([html])).toBe(expected);
  });

  it.each(cases)('rewrites %s that comes letter by letter', async (_what, html, expected) => {
    expect(await rewrite(Array.from(html))).toBe(expected);
  });

  it('passes a tag on that does not end, and holds no more than that', async () => {
    const html = `<a href="/x"><a ${'x '.repeat(100_000)}`;
    const chunks = html.match(/[^]{1,20000}/g) ?? [];
    expect(await rewrite(chunks)).toBe(html.replace('/x', `${PREFIX}/x`));
  });
});
