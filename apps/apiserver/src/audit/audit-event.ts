import type { Status } from '@orrery/apimachinery';
import type { UserInfo } from '@orrery/registry';
import type { RequestInfo } from '../filters/request-info.js';
import type { Level, Stage } from './policy.js';
import { isMapping } from '../config/configuration-file.js';
import type { Mapping } from '../config/configuration-file.js';

export interface WireUser {
  readonly username?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export interface ObjectReference {
  resource?: string;
  namespace?: string;
  name?: string;
  uid?: string;
  apiGroup?: string;
  apiVersion?: string;
  resourceVersion?: string;
  subresource?: string;
}

/** audit.k8s.io/v1 Event. */
export interface AuditEvent {
  readonly kind: 'Event';
  readonly apiVersion: 'audit.k8s.io/v1';
  readonly level: Level;
  readonly auditID: string;
  readonly stage: Stage;
  readonly requestURI: string;
  readonly verb: string;
  readonly user: WireUser;
  readonly impersonatedUser?: WireUser;
  readonly authenticationMetadata?: { readonly impersonationConstraint: string };
  readonly sourceIPs?: readonly string[];
  readonly userAgent?: string;
  readonly objectRef?: ObjectReference;
  readonly responseStatus?: Partial<Status>;
  readonly requestObject?: unknown;
  readonly responseObject?: unknown;
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Where events go. Must never throw into a request. */
export interface AuditBackend {
  write(event: AuditEvent): void;
  /** Resolves when everything written has gone. */
  close(): Promise<void>;
}

export const wireUser = ({ name, uid, groups, extra }: UserInfo): WireUser => ({
  username: name,
  ...(uid ? { uid } : {}),
  ...(groups.length > 0 ? { groups } : {}),
  ...(extra && Object.keys(extra).length > 0 ? { extra } : {}),
});

/** What a request is about; undefined for paths that are no resources. */
export function objectRefOf(info: RequestInfo): ObjectReference | undefined {
  if (!info.isResource) return undefined;
  return {
    resource: info.resource,
    ...(info.namespace ? { namespace: info.namespace } : {}),
    ...(info.name ? { name: info.name } : {}),
    ...(info.group ? { apiGroup: info.group } : {}),
    apiVersion: info.version,
    ...(info.subresource ? { subresource: info.subresource } : {}),
  };
}

function dropFrom(object: Mapping): Mapping {
  const { metadata } = object;
  if (!isMapping(metadata) || !('managedFields' in metadata)) return object;
  const { managedFields: _dropped, ...rest } = metadata;
  return { ...object, metadata: rest };
}

/** The object, or every item of the list, without metadata.managedFields. */
export function withoutManagedFields(object: unknown): unknown {
  if (!isMapping(object)) return object;
  const { items } = object;
  const own = dropFrom(object);
  return Array.isArray(items)
    ? { ...own, items: items.map((item: unknown) => (isMapping(item) ? dropFrom(item) : item)) }
    : own;
}
