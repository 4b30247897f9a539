import type { IncomingMessage } from 'node:http';
import { StatusError, newBadRequest, newInternalError } from '@orrery/apimachinery';
import type { ServerServices } from '../extensions.js';
import type { SubresourceHandler } from '../subresources.js';
import { exchange, kubeletBackend, readText } from './backend.js';
import type { KubeletLocator, KubeletTls } from './kubelet-location.js';
import { chooseContainer, readPod } from './pod-access.js';

const FLAGS = ['follow', 'previous', 'timestamps'] as const;
const NUMBERS = { sinceSeconds: 1, tailLines: 0, limitBytes: 1 } as const;

/** PodLogOptions as the kubelet takes them. Throws 400 for a number that is none. */
export function logQuery(query: URLSearchParams): URLSearchParams {
  const out = new URLSearchParams();
  for (const flag of FLAGS)
    if (/^(true|1|)$/.test(query.get(flag) ?? 'false')) out.set(flag, 'true');
  for (const [name, least] of Object.entries(NUMBERS)) {
    const text = query.get(name);
    if (text === null) continue;
    if (!/^-?\d+$/.test(text))
      throw newBadRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
    if (Number(text) < least)
      throw new StatusError(
        422,
        'Invalid',
        `PodLogOptions "" is invalid: ${name}: Invalid value: ${text}: must be greater than ${least === 0 ? 'or equal to 0' : '0'}`,
      );
    out.set(name, text);
  }
  for (const name of ['sinceTime', 'stream']) {
    const value = query.get(name);
    if (value) out.set(name, value);
  }
  return out;
}

async function failureOf(answer: IncomingMessage, pod: string): Promise<StatusError> {
  const code = answer.statusCode ?? 500;
  const text = (await readText(answer)).trim();
  if (code === 400) return newBadRequest(text);
  if (code === 404)
    return new StatusError(
      404,
      'NotFound',
      `the server could not find the requested resource ( pods/log ${pod})`,
    );
  return newInternalError(text);
}

/** GET pods/log: the kubelet's stream, passed on as it comes; a slow reader slows the kubelet down. */
export function logHandler(
  services: ServerServices,
  locator: KubeletLocator,
  tls: KubeletTls,
): SubresourceHandler {
  return {
    group: '',
    version: 'v1',
    resource: 'pods',
    subresource: 'log',
    kind: { kind: 'Pod' },
    verbs: ['get'],
    async handle({ request }) {
      const { namespace, name } = request.info;
      const query = logQuery(request.query);
      // As Go writes queries; they are seen in messages.
      query.sort();
      const pod = await readPod(services, namespace, name);
      const container = chooseContainer(pod, request.query.get('container') ?? '');
      const node = pod.spec?.nodeName;
      if (!node) return { status: 200, contentType: 'text/plain', body: '' };
      const text = query.toString();
      const answer = await exchange(kubeletBackend(await locator.locate(node), tls), {
        method: 'GET',
        path: `/containerLogs/${namespace}/${name}/${encodeURIComponent(container)}${text ? `?${text}` : ''}`,
        headers: {},
        signal: request.context.signal,
      });
      if ((answer.statusCode ?? 500) > 206) throw await failureOf(answer, name);
      const { raw } = request.reply;
      const headers = request.reply.getHeaders();
      request.reply.hijack();
      raw.writeHead(200, { ...headers, 'content-type': 'text/plain' });
      raw.flushHeaders();
      raw.once('close', () => answer.destroy());
      answer.once('error', () => raw.destroy());
      answer.pipe(raw);
      return undefined;
    },
  };
}
