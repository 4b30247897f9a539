import { isFlagSet } from '@orrery/apimachinery';
import type { GroupVersionKind, KubeObject } from '@orrery/apimachinery';
import type { KindDescriptor, RequestKind } from '@orrery/api';
import { AdmissionChain } from '@orrery/registry';
import type { AdmissionAttributes, AdmissionPlugin } from '@orrery/registry';
import type { ApiRequest } from '../filters/api-request.js';
import type { SubresourceHandler } from '../subresources.js';

type Request = Pick<ApiRequest, 'info' | 'query' | 'context'>;

export interface SubresourceRequest {
  readonly request: Request;
  /** Of the parent. */
  readonly kind: KindDescriptor;
  readonly handler: SubresourceHandler;
}

interface Asked {
  readonly attributes: AdmissionAttributes;
  readonly plugins: readonly AdmissionPlugin[];
}

async function ask({ attributes, plugins }: Asked): Promise<void> {
  const chain = new AdmissionChain(plugins);
  await chain.admit(attributes);
  await chain.validate(attributes);
}

/** The options object that a CONNECT is about, made of the query (k8s apiserver pkg/endpoints/handlers/rest.go:getRequestOptions). */
export function connectOptions(kind: string, request: Request): KubeObject {
  const { query } = request;
  const options: Record<string, unknown> = { kind, apiVersion: 'v1' };
  const flag = (name: string, fallback: boolean): void => {
    const value = query.get(name);
    if (value === null ? fallback : isFlagSet(value)) options[name] = true;
  };
  if (kind === 'PodExecOptions' || kind === 'PodAttachOptions') {
    flag('stdin', false);
    flag('stdout', true);
    flag('stderr', true);
    flag('tty', false);
    const container = query.get('container');
    if (container) options['container'] = container;
    if (kind === 'PodExecOptions') options['command'] = query.getAll('command');
  } else if (kind === 'PodPortForwardOptions') {
    const ports = query.getAll('ports').flatMap((part) => part.split(','));
    if (ports.length > 0) options['ports'] = ports.map(Number);
  } else {
    const rest = request.info.parts.slice(3).join('/');
    options['path'] = rest === '' ? '' : `/${rest}`;
  }
  return options as unknown as KubeObject;
}

/** Subresources that upstream serves as connections. */
export const isConnect = ({ kind }: SubresourceHandler): boolean =>
  /(?:Exec|Attach|PortForward|Proxy)Options$/.test(kind.kind);

function baseOf(request: Request, kind: KindDescriptor): Omit<AdmissionAttributes, 'operation'> {
  const { namespace, name, subresource } = request.info;
  return {
    kind,
    subresource,
    ...(namespace ? { namespace } : {}),
    name,
    dryRun: false,
    context: request.context,
  };
}

/** Asks admission about exec, attach, portforward and proxy. */
export async function admitConnect(
  { request, kind, handler }: SubresourceRequest,
  plugins: readonly AdmissionPlugin[],
): Promise<void> {
  if (!isConnect(handler)) return;
  const object = connectOptions(handler.kind.kind, request);
  const objectKind = { group: '', version: 'v1', kind: handler.kind.kind };
  const base = baseOf(request, kind);
  await ask({ attributes: { ...base, operation: 'CONNECT', object, objectKind }, plugins });
}

export interface CreatedBody {
  readonly body: KubeObject;
  readonly objectKind: GroupVersionKind;
  readonly dryRun: boolean;
}

const createOptions = { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' };

/** Asks admission about a Binding, Eviction or TokenRequest that is posted to a subresource; plugins may change it. */
export async function admitSubresourceCreate(
  { request, kind }: Omit<SubresourceRequest, 'handler'>,
  { body, objectKind, dryRun }: CreatedBody,
  plugins: readonly AdmissionPlugin[],
): Promise<void> {
  const attributes: AdmissionAttributes = {
    ...baseOf(request, kind),
    operation: 'CREATE',
    object: body,
    objectKind,
    dryRun,
    options: createOptions,
  };
  await ask({ attributes, plugins });
}

const NO_COLUMNS = { columns: [], row: () => [] };

/** Asks admission about a kind that is posted and never stored (reviews, bindings). */
export async function admitRequestKind(
  request: Request,
  kind: RequestKind,
  { body, dryRun }: Pick<CreatedBody, 'body' | 'dryRun'>,
  plugins: readonly AdmissionPlugin[],
): Promise<void> {
  const descriptor: KindDescriptor = {
    ...kind,
    singular: kind.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    scope: kind.namespaced ? 'Namespaced' : 'Cluster',
    storagePrefix: '',
    strategy: {},
    columns: NO_COLUMNS,
  };
  const attributes: AdmissionAttributes = {
    ...baseOf(request, descriptor),
    operation: 'CREATE',
    name: body.metadata?.name ?? '',
    object: body,
    objectKind: { group: kind.group, version: kind.version, kind: kind.kind },
    dryRun,
    options: createOptions,
  };
  await ask({ attributes, plugins });
}
