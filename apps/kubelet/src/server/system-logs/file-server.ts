import { createReadStream } from 'node:fs';
import { open, readdir, realpath, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { basename, join, posix, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';

type Found =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string; readonly size: number; readonly mtime: Date };

interface Range {
  readonly start: number;
  readonly end: number;
}

const SNIFFED_BYTES = 512;
const NOT_FOUND = '404 page not found\n';

/**
 * Answers a GET or HEAD of `path` below `root` as Go's http.FileServer does: folders as lists of links, files with ranges
 * and times. Unlike it, a link that leads out of the root is not followed: who may make links in a volume that shows the
 * machine's logs would read the whole machine.
 */
export async function serveFile(
  root: string,
  path: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const [escaped = ''] = path.split('?');
  const asked = decode(escaped);
  if (asked === undefined) {
    sendText(outgoing, 400, 'Bad Request\n');
    return;
  }
  const found = await find(root, asked);
  if (!found) sendText(outgoing, 404, NOT_FOUND);
  else if (found.kind === 'folder') {
    if (asked !== '' && !asked.endsWith('/')) redirect(outgoing, `${linkTo(basename(asked))}/`);
    else sendText(outgoing, 200, await listing(found.path), 'text/html; charset=utf-8');
  } else if (asked.endsWith('/')) redirect(outgoing, `../${linkTo(basename(asked))}`);
  else await sendFile(found, incoming, outgoing);
}

function decode(escaped: string): string | undefined {
  try {
    return decodeURIComponent(escaped);
  } catch {
    // Bytes that are no UTF-8 name no file of ours; half an escape is no path at all.
    return /%(?![0-9a-f]{2})/i.test(escaped) ? undefined : '\0';
  }
}

async function find(root: string, asked: string): Promise<Found | undefined> {
  if (asked.includes('\0')) return undefined;
  try {
    const top = await realpath(root);
    const path = await realpath(join(top, posix.normalize(`/${asked}`).replace(/\/$/, '')));
    if (path !== top && !path.startsWith(top + sep)) return undefined;
    const about = await stat(path);
    if (about.isDirectory()) return { kind: 'folder', path };
    // A pipe or a device would be read for ever.
    return about.isFile()
      ? { kind: 'file', path, size: about.size, mtime: about.mtime }
      : undefined;
  } catch {
    return undefined;
  }
}

function sendText(
  outgoing: ServerResponse,
  code: number,
  text: string,
  type = 'text/plain; charset=utf-8',
): void {
  outgoing.writeHead(code, {
    'content-type': type,
    'x-content-type-options': 'nosniff',
    'content-length': Buffer.byteLength(text),
  });
  outgoing.end(text);
}

function redirect(outgoing: ServerResponse, location: string): void {
  outgoing.writeHead(301, { location, 'content-length': 0 });
  outgoing.end();
}

/** A name as a relative reference; the dot keeps a colon from being a scheme. */
function linkTo(name: string): string {
  const link = encodeURIComponent(name).replaceAll('%3A', ':').replaceAll('%26', '&');
  return link.includes(':') ? `./${link}` : link;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
};

/** go 1.26 src/net/http/fs.go:dirList. */
async function listing(folder: string): Promise<string> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = await Promise.all(
    entries.map(async (entry) => {
      const isFolder =
        entry.isDirectory() ||
        (entry.isSymbolicLink() && (await leadsToFolder(join(folder, entry.name))));
      return isFolder ? `${entry.name}/` : entry.name;
    }),
  );
  const links = names.sort().map((name) => {
    const text = name.replace(/[&<>"']/g, (one) => ESCAPES[one] ?? one);
    const link = name.endsWith('/') ? `${linkTo(name.slice(0, -1))}/` : linkTo(name);
    return `<a href="${link}">${text}</a>\n`;
  });
  return `<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n${links.join('')}</pre>\n`;
}

const leadsToFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (about) => about.isDirectory(),
    () => false,
  );

async function sendFile(
  { path, size, mtime }: Extract<Found, { kind: 'file' }>,
  { headers, method }: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const modified = new Date(Math.floor(mtime.getTime() / 1000) * 1000);
  outgoing.setHeader('last-modified', modified.toUTCString());
  if (Date.parse(headers['if-modified-since'] ?? '') >= modified.getTime()) {
    outgoing.writeHead(304).end();
    return;
  }
  const range = rangeOf(headers.range, size);
  if (typeof range === 'string') {
    if (range === 'invalid range: failed to overlap')
      outgoing.setHeader('content-range', `bytes */${size}`);
    sendText(outgoing, 416, `${range}\n`);
    return;
  }
  const { start, end } = range ?? { start: 0, end: size - 1 };
  outgoing.writeHead(range ? 206 : 200, {
    'content-type': await typeOf(path),
    'x-content-type-options': 'nosniff',
    'accept-ranges': 'bytes',
    'content-length': end - start + 1,
    ...(range ? { 'content-range': `bytes ${start}-${end}/${size}` } : {}),
  });
  if (method === 'HEAD' || size === 0) outgoing.end();
  // The reader may go at any time, and the log may be cut: then the answer ends short, and its length says so.
  else await pipeline(createReadStream(path, { start, end }), outgoing).catch(() => undefined);
}

/** One range, as bytes that are there; undefined = the whole file; a text = why it cannot be (go src/net/http/fs.go:parseRange). */
function rangeOf(header: string | undefined, size: number): Range | string | undefined {
  if (header === undefined || header.includes(',')) return undefined;
  const [, first = '', last = ''] = /^bytes=\s*(\d*)-(\d*)\s*$/.exec(header) ?? [];
  if (first === '' && last === '') return 'invalid range';
  if (first === '') return { start: Math.max(0, size - Number(last)), end: size - 1 };
  const start = Number(first);
  if (start >= size) return 'invalid range: failed to overlap';
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  return end < start ? 'invalid range' : { start, end };
}

/** What a file holds; a log is never a page, whatever stands in it. */
async function typeOf(path: string): Promise<string> {
  if (path.endsWith('.gz')) return 'application/gzip';
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(SNIFFED_BYTES), 0, SNIFFED_BYTES, 0);
    return buffer.subarray(0, bytesRead).includes(0)
      ? 'application/octet-stream'
      : 'text/plain; charset=utf-8';
  } finally {
    await file.close();
  }
}
