import type {
  ConfigMapProjection,
  DownwardAPIVolumeFile,
  KeyToPath,
  Pod,
  SecretProjection,
  VolumeProjection,
} from '@orrery/api';
import { fieldValue, resourceValue } from '../containers/downward.js';
import type { EnvContext } from '../containers/env.js';
import { safeJoin } from '../containers/paths.js';
import type { VolumeFile } from './atomic-writer.js';
import { fsUserOf, tokenModeOf } from './ownership.js';

/** A volume that cannot be set up now; shown as FailedMount. */
export class VolumeError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'VolumeError';
  }
}

export interface TokenRequestInput {
  readonly pod: Pod;
  readonly audience: string;
  readonly expirationSeconds: number;
}

export interface PayloadSources {
  readonly env: EnvContext;
  /** A valid token, requested or cached. */
  token(input: TokenRequestInput): Promise<string>;
}

type Files = [string, VolumeFile][];

interface Picked {
  readonly data: ReadonlyMap<string, Buffer>;
  readonly items: readonly KeyToPath[] | undefined;
  readonly mode: number;
  readonly optional: boolean;
  /** `configmap "x"`, for messages. */
  readonly what: string;
}

/** k8s default of configMap, secret, projected and downwardAPI volumes. */
export const DEFAULT_MODE = 0o644;
const DEFAULT_TOKEN_SECONDS = 3600;

function checkPath(path: string): string {
  if (safeJoin('/', path) === undefined || path.startsWith('..'))
    throw new VolumeError(`invalid path ${JSON.stringify(path)}`);
  return path;
}

function pick({ data, items, mode, optional, what }: Picked): Files {
  if (!items?.length) return [...data].map(([key, content]) => [key, { content, mode }]);
  const files: Files = [];
  for (const item of items) {
    const content = data.get(item.key);
    if (content) files.push([checkPath(item.path), { content, mode: item.mode ?? mode }]);
    else if (!optional) throw new VolumeError(`references non-existent ${what} key: ${item.key}`);
  }
  return files;
}

const text = (value: string): Buffer => Buffer.from(value, 'utf8');

export async function configMapFiles(
  pod: Pod,
  source: ConfigMapProjection,
  mode: number,
  sources: PayloadSources,
): Promise<Files> {
  const name = source.name ?? '';
  const found = await sources.env.config.configMap(pod.metadata.namespace ?? '', name);
  if (!found && !source.optional) throw new VolumeError(`configmap "${name}" not found`);
  const data = new Map<string, Buffer>();
  for (const [key, value] of Object.entries(found?.data ?? {})) data.set(key, text(value));
  for (const [key, value] of Object.entries(found?.binaryData ?? {}))
    data.set(key, Buffer.from(value, 'base64'));
  return pick({
    data,
    items: source.items,
    mode,
    optional: source.optional === true,
    what: 'config',
  });
}

export async function secretFiles(
  pod: Pod,
  source: SecretProjection,
  mode: number,
  sources: PayloadSources,
): Promise<Files> {
  const name = source.name ?? '';
  const found = await sources.env.config.secret(pod.metadata.namespace ?? '', name);
  if (!found && !source.optional) throw new VolumeError(`secret "${name}" not found`);
  const data = new Map(
    Object.entries(found?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]),
  );
  return pick({
    data,
    items: source.items,
    mode,
    optional: source.optional === true,
    what: 'secret',
  });
}

export function downwardFiles(
  pod: Pod,
  items: readonly DownwardAPIVolumeFile[],
  mode: number,
  sources: PayloadSources,
): Files {
  const { addresses, allocatable } = sources.env;
  return items.map((item) => {
    const value = item.fieldRef
      ? fieldValue(pod, item.fieldRef.fieldPath, addresses)
      : item.resourceFieldRef
        ? resourceValue(pod, { name: '' }, item.resourceFieldRef, allocatable)
        : '';
    return [checkPath(item.path), { content: text(value), mode: item.mode ?? mode }];
  });
}

/** Files of one source of a projected volume. */
export async function projectionFiles(
  pod: Pod,
  source: VolumeProjection,
  mode: number,
  sources: PayloadSources,
): Promise<Files> {
  if (source.configMap) return configMapFiles(pod, source.configMap, mode, sources);
  if (source.secret) return secretFiles(pod, source.secret, mode, sources);
  if (source.downwardAPI) return downwardFiles(pod, source.downwardAPI.items ?? [], mode, sources);
  if (source.serviceAccountToken) {
    const {
      path,
      audience = '',
      expirationSeconds = DEFAULT_TOKEN_SECONDS,
    } = source.serviceAccountToken;
    const token = await sources.token({ pod, audience, expirationSeconds });
    const uid = fsUserOf(pod);
    const file = { content: text(token), mode: tokenModeOf(pod, mode) };
    return [[checkPath(path), uid === undefined ? file : { ...file, uid }]];
  }
  throw new VolumeError(
    `projected volume source ${Object.keys(source).join(', ')} is not modelled`,
  );
}
