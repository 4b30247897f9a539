import type { KubeObject } from '@orrery/apimachinery';
import { isNotFound, toApiVersion } from '@orrery/apimachinery';
import type { KindDescriptor, ParamKind, ParamRef } from '@orrery/api';
import { selectorMatches } from '@orrery/api';
import type { ResourceStore } from '@orrery/registry';

export interface PolicyParamsDeps {
  kinds(this: void): readonly KindDescriptor[];
  store(this: void, group: string, version: string, plural: string): ResourceStore;
}

/** What a policy cannot be applied for: its configuration, not the request, is wrong. */
export class ConfigurationProblem extends Error {}

function fail(message: string): never {
  throw new ConfigurationProblem(message);
}

/** Finds the objects that a binding gives its policy as `params` (k8s apiserver plugin/policy/generic:CollectParams). */
export class PolicyParams {
  constructor(private readonly deps: PolicyParamsDeps) {}

  /** One undefined when the policy takes none. Throws ConfigurationProblem. */
  async collect(
    paramKind: ParamKind | undefined,
    ref: ParamRef | undefined,
    namespace: string,
  ): Promise<readonly (KubeObject | undefined)[]> {
    if (!paramKind) return [undefined];
    if (!ref) return fail('paramRef not defined for binding');
    const { apiVersion = '', kind: name = '' } = paramKind;
    const kind = this.deps
      .kinds()
      .find((one) => one.kind === name && toApiVersion(one.group, one.version) === apiVersion);
    if (!kind)
      return fail(`failed to find resource referenced by paramKind: '${apiVersion}, Kind=${name}'`);
    const within = this.namespaceFor(kind, ref, namespace);
    const found = await this.find(kind, ref, within);
    if (found.length > 0 || ref.parameterNotFoundAction === 'Allow') return found;
    return fail('no params found for policy binding with `Deny` parameterNotFoundAction');
  }

  private namespaceFor(kind: KindDescriptor, ref: ParamRef, namespace: string): string | undefined {
    if (kind.scope === 'Cluster') {
      return ref.namespace
        ? fail('paramRef.namespace must not be provided for a cluster-scoped `paramKind`')
        : undefined;
    }
    const within = ref.namespace ?? namespace;
    return within === ''
      ? fail(
          'cannot use namespaced paramRef in policy binding that matches cluster-scoped resources',
        )
      : within;
  }

  private async find(
    kind: KindDescriptor,
    { name, selector }: ParamRef,
    namespace: string | undefined,
  ): Promise<readonly KubeObject[]> {
    const store = this.deps.store(kind.group, kind.version, kind.plural);
    if (name) {
      try {
        return [(await store.get(namespace, name)).object];
      } catch (error) {
        if (isNotFound(error)) return [];
        throw error;
      }
    }
    const { items } = await store.list({
      ...(namespace === undefined ? {} : { namespace }),
      resourceVersion: '',
      resourceVersionMatch: '',
      limit: 0,
      continueToken: '',
    });
    return items
      .map(({ object }) => object)
      .filter(({ metadata }) => selectorMatches(selector, metadata.labels));
  }
}
