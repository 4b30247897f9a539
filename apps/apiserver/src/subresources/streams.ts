import {
  StatusError,
  isFlagSet,
  newBadRequest,
  newForbidden,
  newInternalError,
} from '@orrery/apimachinery';
import type { ServerServices } from '../extensions.js';
import type { Authorizer } from '../filters/authorization.js';
import type { SubresourceHandler, UpgradeContext } from '../subresources.js';
import { kubeletBackend, requestFailure } from './backend.js';
import type { Backend, BackendRequest } from './backend.js';
import { failOverWebSocket, hearsOnWebSocket } from './fail-over-websocket.js';
import { upgradeHeaders } from './forwarded-headers.js';
import type { KubeletLocation, KubeletLocator, KubeletTls } from './kubelet-location.js';
import { chooseContainer, readPod } from './pod-access.js';
import { refuseUpgrade, relayUpgrade } from './relay-upgrade.js';
import type { Failing } from './relay-upgrade.js';

type Stream = 'exec' | 'attach' | 'portforward';

const RENAMED = { stdin: 'input', stdout: 'output', stderr: 'error', tty: 'tty' } as const;

/** The API's stream options under the names that kubelets take. */
export function kubeletStreamQuery(stream: Stream, query: URLSearchParams): URLSearchParams {
  const out = new URLSearchParams();
  if (stream === 'portforward') {
    for (const port of query.getAll('ports')) out.append('port', port);
    return out;
  }
  for (const [name, renamed] of Object.entries(RENAMED))
    if (isFlagSet(query.get(name))) out.set(renamed, '1');
  if (stream === 'exec') for (const word of query.getAll('command')) out.append('command', word);
  return out;
}

export interface StreamDeps {
  readonly services: ServerServices;
  readonly locator: KubeletLocator;
  readonly tls: KubeletTls;
  readonly authorizer: Authorizer;
}

/** The failure that a kubelet's refusal is to client-go. */
function refusal(text: string): StatusError {
  try {
    const status = JSON.parse(text) as { kind?: string };
    if (status.kind === 'Status') return StatusError.fromStatus(status as never);
  } catch {
    // Most refusals are plain text.
  }
  return newInternalError(`unable to upgrade connection: ${text.trim()}`);
}

/** For clients of WebSockets upstream asks the kubelet when it has taken theirs on, as client-go does. */
function failing(
  { socket, request }: UpgradeContext,
  backend: Backend,
  asked: BackendRequest,
): Failing {
  const fail = (failure: StatusError): void => {
    failOverWebSocket(socket, request.headers, failure);
  };
  const posted = { ...asked, method: 'POST' };
  return {
    undialled: (error) => {
      const reason = requestFailure(backend, posted, error);
      fail(newInternalError(`error sending request: ${reason}`, error));
    },
    refused: (text) => {
      fail(refusal(text));
    },
  };
}

type StreamAsked = Pick<UpgradeContext['request'], 'info' | 'query' | 'context'>;

/** WebSockets are opened by GET; who opens one must be allowed what SPDY's POST is (k8s pkg/registry/core/pod/rest/authorize.go). */
async function mustCreate(authorizer: Authorizer, { info, context }: StreamAsked): Promise<void> {
  if (info.verb === 'create') return;
  const asked = { user: context.user, info: { ...info, verb: 'create' } };
  const { allowed, reason = '' } = await authorizer.authorize(asked);
  if (!allowed)
    throw newForbidden({ group: info.group, resource: info.resource }, info.name, reason);
}

/** The kubelet that has the pod, and what it is asked for. Throws whatever makes a stream impossible, wished for or not. */
async function locateStream(
  stream: Stream,
  { services, locator, authorizer }: StreamDeps,
  request: StreamAsked,
): Promise<{ readonly kubelet: KubeletLocation; readonly path: string }> {
  await mustCreate(authorizer, request);
  const { namespace, name } = request.info;
  const pod = await readPod(services, namespace, name);
  const container =
    stream === 'portforward'
      ? ''
      : `/${encodeURIComponent(chooseContainer(pod, request.query.get('container') ?? ''))}`;
  const node = pod.spec?.nodeName;
  if (!node) throw newBadRequest(`pod ${name} does not have a host assigned`);
  const kubelet = await locator.locate(node);
  const verb = stream === 'portforward' ? 'portForward' : stream;
  const params = kubeletStreamQuery(stream, request.query);
  // Go writes queries so; they are seen in messages.
  params.sort();
  const query = params.toString();
  return { kubelet, path: `/${verb}/${namespace}/${name}${container}${query ? `?${query}` : ''}` };
}

async function relay(stream: Stream, deps: StreamDeps, context: UpgradeContext): Promise<void> {
  const { request, socket, head } = context;
  const { kubelet, path } = await locateStream(stream, deps, request);
  const backend = kubeletBackend(kubelet, deps.tls);
  const asked = { method: request.method, path, headers: upgradeHeaders(request.headers) };
  const isTranslated = stream !== 'portforward' && hearsOnWebSocket(request.headers);
  const fail = isTranslated ? { fail: failing(context, backend, asked) } : {};
  await relayUpgrade({ socket, head, ...fail }, backend, asked);
}

/** pods/exec, attach and portforward: SPDY and WebSocket alike, byte by byte between client and kubelet. */
export function streamHandler(stream: Stream, deps: StreamDeps): SubresourceHandler {
  const kinds = {
    exec: 'PodExecOptions',
    attach: 'PodAttachOptions',
    portforward: 'PodPortForwardOptions',
  };
  return {
    group: '',
    version: 'v1',
    resource: 'pods',
    subresource: stream,
    kind: { kind: kinds[stream] },
    verbs: ['get', 'create'],
    async handle({ request }) {
      await locateStream(stream, deps, request);
      throw newBadRequest('Upgrade request required');
    },
    async upgrade(context) {
      try {
        await relay(stream, deps, context);
      } catch (error) {
        refuseUpgrade(context.socket, error);
      }
    },
  };
}
