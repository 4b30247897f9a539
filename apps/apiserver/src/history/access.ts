import type { ObjectName } from '@orrery/history';
import type { UserInfo } from '@orrery/registry';
import { checkAllowed } from '../filters/authorization.guard.js';
import type { Authorizer } from '../filters/authorization.js';
import type { RequestInfo } from '../filters/request-info.js';
import { resourceOf } from './key-catalog.js';

type Verb = 'get' | 'list';

function infoOf(
  verb: Verb,
  { group, version, resource, namespace = '', name }: ObjectName,
): RequestInfo {
  // A key of no kind belongs to nobody who may not read everything.
  const isKnown = resource !== '';
  const asked = isKnown ? { group, resource } : { group: '*', resource: '*' };
  return {
    isResource: true,
    path: '',
    verb,
    apiPrefix: group === '' ? 'api' : 'apis',
    version,
    namespace,
    subresource: '',
    name: verb === 'get' ? name : '',
    parts: [asked.resource],
    ...asked,
  };
}

/**
 * What of the history a user may see: what the rules of today let the user read today. Answers are kept, so make one
 * for each request, and for a long one anew now and then.
 */
export class Access {
  private readonly known = new Map<string, boolean>();
  private readonly hidden = new Set<string>();

  constructor(
    private readonly authorizer: Authorizer,
    private readonly user: UserInfo,
  ) {}

  /** Resources of which something was left out. */
  get omitted(): string[] {
    return [...this.hidden].sort();
  }

  /** Throws 403 in the words of a read of the object itself. */
  async require(verb: Verb, object: ObjectName): Promise<void> {
    await checkAllowed(this.authorizer, this.user, infoOf(verb, object));
  }

  /** Whether the user may list objects like this one; what is refused is remembered as omitted. */
  async mayList(object: ObjectName): Promise<boolean> {
    return this.may('list', object, `${object.namespace ?? ''}|${resourceOf(object)}`);
  }

  async mayGet(object: ObjectName): Promise<boolean> {
    const id = `${object.namespace ?? ''}|${resourceOf(object)}|${object.name}`;
    return this.may('get', object, id);
  }

  private async may(verb: Verb, object: ObjectName, id: string): Promise<boolean> {
    const known = this.known.get(id);
    if (known !== undefined) return known;
    const info = infoOf(verb, object);
    const { allowed } = await this.authorizer.authorize({ user: this.user, info });
    this.known.set(id, allowed);
    if (!allowed) this.hidden.add(resourceOf(object) || 'other keys');
    return allowed;
  }
}
