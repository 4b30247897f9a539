import type { KubeObject } from '@orrery/apimachinery';
import { FieldPath, forbidden, newInvalid } from '@orrery/apimachinery';
import type { CustomResourceDefinition } from '@orrery/api';
import type { Finish, StoreHooks } from '@orrery/registry';

/** Refuses, or warns of, what a definition asks for and this server does not do. */
async function check(object: KubeObject): Promise<Finish | undefined> {
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
  return Promise.resolve(undefined);
}

export const definitionHooks: StoreHooks = {
  beginCreate: check,
  beginUpdate: (object) => check(object),
};
