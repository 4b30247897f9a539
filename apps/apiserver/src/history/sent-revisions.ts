import type { KubeObject } from '@orrery/apimachinery';
import { relatedTypesOf, typeKey } from '@orrery/history';
import type { RequestContext } from '@orrery/registry';

/** Clients that are remembered; the one that was served longest ago is forgotten first. */
const MOST_CLIENTS = 1024;
const MOST_TYPES = 128;

interface ResourceType {
  readonly group: string;
  readonly kind: string;
}

type Client = Pick<RequestContext, 'user' | 'userAgent'>;

/**
 * A program is told by its user and the product at the head of its user agent: the parts of one (upstream's controllers) watch
 * under one name behind it (`…/shared-informers`) and write under others.
 */
const idOf = (user: string, userAgent: string): string => `${user}\n${userAgent.split(' ', 1)[0]}`;

/**
 * Up to which revision this server has sent each client the events of each type: by watches, as far as they were written
 * to the client, and by lists. What a writer that gives no cause must have seen is looked for at or below it. Replicas know each
 * what they have sent themselves.
 */
export class SentRevisions {
  private readonly clients = new Map<string, Map<string, number>>();

  note({ user, userAgent }: Client, type: ResourceType, sent: number): void {
    if (!(sent > 0)) return;
    const id = idOf(user.name, userAgent);
    const known = this.clients.get(id) ?? new Map<string, number>();
    this.clients.delete(id);
    this.clients.set(id, known);
    const key = typeKey(type);
    if (known.size < MOST_TYPES || known.has(key))
      known.set(key, Math.max(known.get(key) ?? 0, sent));
    if (this.clients.size <= MOST_CLIENTS) return;
    const [oldest] = this.clients.keys();
    if (oldest !== undefined) this.clients.delete(oldest);
  }

  /** What a writer of this object had been sent of it, its owners and its dependents; undefined = nothing is known. */
  about(
    { user, userAgent }: Client,
    type: ResourceType,
    object: KubeObject,
  ): Readonly<Record<string, number>> | undefined {
    const known = this.clients.get(idOf(user.name, userAgent));
    if (!known) return undefined;
    const keys = relatedTypesOf(type, object).map(typeKey);
    const found = keys.flatMap((key) => {
      const revision = known.get(key);
      return revision === undefined ? [] : [[key, revision] as const];
    });
    return found.length === 0 ? undefined : Object.fromEntries(found);
  }
}
