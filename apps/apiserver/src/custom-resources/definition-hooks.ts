import type { KubeObject } from '@orrery/apimachinery';
import { FieldPath, forbidden, newInvalid } from '@orrery/apimachinery';
import type { CustomResourceDefinition } from '@orrery/api';
import type { Finish, HookCall, StoreHooks } from '@orrery/registry';
import type { StructuralSchema } from './structural-schema.js';
import { hasRules } from './structural-schema.js';

/** Refuses, or warns of, what a definition asks for and this server does not do. */
async function check(object: KubeObject, { context }: HookCall): Promise<Finish | undefined> {
  const { metadata, spec } = object as CustomResourceDefinition;
  if (spec.conversion?.strategy === 'Webhook') {
    throw newInvalid(
      { group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition' },
      metadata.name ?? '',
      [
        forbidden(
          FieldPath.of('spec', 'conversion', 'strategy'),
          'conversion by webhook is not supported by this server; only None is',
        ),
      ],
    );
  }
  for (const { name, schema } of spec.versions) {
    if (hasRules(schema?.openAPIV3Schema as StructuralSchema | undefined)) {
      context.warn(
        `spec.versions[${name}].schema: x-kubernetes-validations rules are stored but not evaluated by this server`,
      );
    }
  }
  return Promise.resolve(undefined);
}

export const definitionHooks: StoreHooks = {
  beginCreate: check,
  beginUpdate: (object, _old, call) => check(object, call),
};
