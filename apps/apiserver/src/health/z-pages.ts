import { StatusError } from '@orrery/apimachinery';
import { KUBERNETES_MAJOR, KUBERNETES_MINOR, flagValues } from '@orrery/component';
import type { Clock } from '@orrery/component';
import { toTime } from '@orrery/component';
import { versionInfo } from '../discovery/version.js';
import type { ApiRequest } from '../filters/api-request.js';
import { parseAccept } from '../negotiation/accept.js';
import { encodeDocument } from '../negotiation/encode-document.js';

type Page = 'flagz' | 'statusz';

const COMPONENT = 'apiserver';
const GROUP = 'config.k8s.io';
const KINDS: Readonly<Record<Page, string>> = { flagz: 'Flagz', statusz: 'Statusz' };
/** What is no help with debugging (k8s apiserver pkg/server/statusz/statusz.go:nonDebuggingEndpoints). */
const NOT_TOLD = new Set(['/apis', '/api', '/openid', '/openapi', '/.well-known']);

type Form =
  { readonly format: 'text' } | { readonly format: 'json' | 'yaml'; readonly version: string };

const FORMAT_OF: Readonly<Record<string, 'json' | 'yaml' | undefined>> = {
  '*/*': 'json',
  'application/*': 'json',
  'application/json': 'json',
  'application/yaml': 'yaml',
};
const PLAIN = ['*/*', 'text/*', 'text/plain'];
const VERSIONS = ['v1beta1', 'v1alpha1'];

type Range = ReturnType<typeof parseAccept>[number];

/** The form that one range of an Accept header asks for; undefined = none of the page's. */
function rangeForm(page: Page, { type, parameters }: Range): Form | undefined {
  const { as, g, v = '' } = parameters;
  if (as === undefined) return PLAIN.includes(type) ? { format: 'text' } : undefined;
  const format = FORMAT_OF[type];
  const isKind = as === KINDS[page] && g === GROUP && VERSIONS.includes(v);
  return format && isKind ? { format, version: v } : undefined;
}

/** Text for people, or the page's kind where a client asks for just that. Throws 406. */
function formOf(page: Page, accept = ''): Form {
  if (accept.trim() === '') return { format: 'text' };
  for (const range of parseAccept(accept)) {
    const form = rangeForm(page, range);
    if (form) return form;
  }
  throw new StatusError(
    406,
    'NotAcceptable',
    'only the following media types are accepted: application/json, application/yaml, text/plain',
  );
}

const head = (page: Page): string =>
  `\n${COMPONENT} ${page}\nWarning: This endpoint is not meant to be machine parseable, has no formatting compatibility guarantees and is for debugging purposes only.\n`;

function uptime(seconds: number): string {
  const two = (number: number): string => String(Math.floor(number)).padStart(2, '0');
  return `${Math.floor(seconds / 3600)} hr ${two((seconds / 60) % 60)} min ${two(seconds % 60)} sec`;
}

/** `Mon Jan  2 15:04:05 UTC 2006`, as date(1) prints. */
function unixDate(ms: number): string {
  const [day = '', date = '', month = '', year = '', time = ''] = new Date(ms)
    .toUTCString()
    .split(/,? /);
  return `${day} ${month} ${String(Number(date)).padStart(2)} ${time} UTC ${year}`;
}

/** `/flagz` and `/statusz`: what the server was started with, and since when it runs (KEP-4827, KEP-4828). */
export class ZPages {
  readonly paths = ['/flagz', '/statusz'];

  /** Milliseconds since the epoch. */
  readonly #startedAt: number;

  /** `flags`: those that the server was started with. `listed`: every path that `/` names. */
  constructor(
    private readonly flags: object,
    private readonly clock: Pick<Clock, 'now'>,
    private readonly listed: () => readonly string[],
  ) {
    this.#startedAt = clock.now() - process.uptime() * 1000;
  }

  async serve(request: ApiRequest): Promise<boolean> {
    if (!this.paths.includes(request.path)) return false;
    const page: Page = request.path === '/flagz' ? 'flagz' : 'statusz';
    const form = formOf(page, request.headers.accept);
    const { reply } = request;
    if (form.format === 'text') {
      await reply
        .header('content-type', 'text/plain; charset=utf-8')
        .send(Buffer.from(page === 'flagz' ? this.#flagsText() : this.#statusText()));
      return true;
    }
    const { format, version } = form;
    if (version === 'v1alpha1')
      void reply.header(
        'warning',
        `299 - "This version of the ${page} endpoint is deprecated. Please use a newer version."`,
      );
    const document = {
      kind: KINDS[page],
      apiVersion: `${GROUP}/${version}`,
      metadata: { name: COMPONENT },
      ...(page === 'flagz' ? { flags: this.#flags() } : this.#status()),
    };
    const { bytes } = encodeDocument(document, { format, version: 'v1', pretty: false });
    await reply.header('content-type', `application/${format}`).send(bytes);
    return true;
  }

  #flags(): Record<string, string> {
    const entries = [...flagValues(this.flags)].sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries);
  }

  #flagsText(): string {
    const lines = Object.entries(this.#flags()).map(([name, value]) => `${name}=${value}\n`);
    return head('flagz') + lines.join('');
  }

  #status() {
    const startedAt = this.#startedAt;
    const folders = this.listed().map((path) => `/${path.split('/')[1] ?? ''}`);
    const version = `${KUBERNETES_MAJOR}.${KUBERNETES_MINOR}`;
    return {
      startTime: toTime(startedAt),
      uptimeSeconds: Math.max(0, Math.floor((this.clock.now() - startedAt) / 1000)),
      goVersion: versionInfo()['goVersion'] ?? '',
      binaryVersion: version,
      emulationVersion: version,
      paths: [...new Set(folders)].filter((path) => path !== '/' && !NOT_TOLD.has(path)).sort(),
    };
  }

  #statusText(): string {
    const { uptimeSeconds, goVersion, binaryVersion, emulationVersion, paths } = this.#status();
    const lines = [
      `Started: ${unixDate(this.#startedAt)}`,
      `Up: ${uptime(uptimeSeconds)}`,
      `Go version: ${goVersion}`,
      `Binary version: ${binaryVersion}`,
      `Emulation version: ${emulationVersion}`,
      `Paths: ${paths.join(' ')}`,
    ];
    return `${head('statusz')}\n${lines.join('\n')}\n`;
  }
}
