import type { KubeObject, OwnerReference } from '@orrery/apimachinery';
import { parseApiVersion } from '@orrery/apimachinery';
import type { KindDescriptor } from '@orrery/api';
import { equalJson } from '@orrery/registry';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import { resourceAttributes } from '../../authz/attributes.js';
import type { Authorizer } from '../../filters/authorization.js';
import { forbiddenBy } from '../forbidden.js';

const ownersOf = (object: KubeObject | undefined): readonly OwnerReference[] =>
  object?.metadata?.ownerReferences ?? [];

/** References that newly hold their owner back from going. */
function newlyBlocking(attributes: AdmissionAttributes): OwnerReference[] {
  const before = new Map(ownersOf(attributes.oldObject).map((one) => [one.uid, one]));
  return ownersOf(attributes.object).filter(
    (one) => one.blockOwnerDeletion === true && before.get(one.uid)?.blockOwnerDeletion !== true,
  );
}

/**
 * Who changes owners must be allowed to delete the object; who blocks an owner's deletion must be allowed to change
 * the owner's finalizers (k8s plugin/pkg/admission/gc/gc_admission.go).
 */
export class OwnerReferencesPermissionEnforcement implements AdmissionPlugin {
  readonly name = 'OwnerReferencesPermissionEnforcement';

  constructor(
    private readonly authorizer: Authorizer,
    private readonly kinds: () => readonly KindDescriptor[],
  ) {}

  handles(operation: Operation): boolean {
    return operation === 'CREATE' || operation === 'UPDATE';
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    const { kind, subresource, object, oldObject, namespace = '', name } = attributes;
    if (attributes.objectKind || (kind.plural === 'pods' && subresource === 'status')) return;
    if (equalJson(ownersOf(object), ownersOf(oldObject))) return;
    const { user } = attributes.context;
    const asked = { verb: 'delete', group: kind.group, version: kind.version };
    const info = resourceAttributes({
      ...asked,
      resource: kind.plural,
      namespace,
      subresource,
      name,
    });
    const decision = await this.authorizer.authorize({ user, info });
    if (!decision.allowed)
      this.#refuse(
        attributes,
        `cannot set an ownerRef on a resource you can't delete: ${decision.reason ?? ''}, <nil>`,
      );
    for (const owner of newlyBlocking(attributes)) await this.#checkOwner(attributes, owner);
  }

  async #checkOwner(attributes: AdmissionAttributes, owner: OwnerReference): Promise<void> {
    const { group, version } = parseApiVersion(owner.apiVersion);
    const found = this.kinds().filter(
      (one) => one.group === group && one.version === version && one.kind === owner.kind,
    );
    if (found.length === 0)
      this.#refuse(
        attributes,
        `cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion ${owner.apiVersion} Kind ${owner.kind}: no matches for kind "${owner.kind}" in version "${owner.apiVersion}"`,
      );
    const { user } = attributes.context;
    for (const { plural, scope } of found) {
      const info = resourceAttributes({
        verb: 'update',
        group,
        version,
        resource: plural,
        subresource: 'finalizers',
        namespace: scope === 'Namespaced' ? (attributes.namespace ?? '') : '',
        name: owner.name,
      });
      const decision = await this.authorizer.authorize({ user, info });
      if (!decision.allowed)
        this.#refuse(
          attributes,
          `cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: ${decision.reason ?? ''}, <nil>`,
        );
    }
  }

  #refuse(attributes: AdmissionAttributes, why: string): never {
    throw forbiddenBy(attributes, why);
  }
}
