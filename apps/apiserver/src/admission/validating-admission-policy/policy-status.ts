import { isConflict, isNotFound } from '@orrery/apimachinery';
import type { ValidatingAdmissionPolicy as Policy } from '@orrery/api';
import { cloneJson, systemContext } from '@orrery/registry';
import { schemasOf } from '../../custom-resources/custom-kind.js';
import type { ServerServices } from '../../extensions.js';
import { withOwnStatus } from '../../rest/field-manager.js';
import { typeCheck } from './type-checking.js';

const RETRY_MS = 1000;
/** k8s pkg/controller/validatingadmissionpolicystatus/controller.go:ControllerName. */
const MANAGER = 'validatingadmissionpolicy-status';

async function report(services: ServerServices, policy: Policy): Promise<void> {
  const { name = '', generation = 1 } = policy.metadata;
  if (policy.status?.observedGeneration === generation) return;
  const warnings = typeCheck(policy, services.kinds(), schemasOf);
  const store = services.store('admissionregistration.k8s.io', 'v1', 'validatingadmissionpolicies');
  const { status: strategy } = store.kind;
  await store.update(
    (current) => {
      const now = (current ?? policy) as Policy;
      // A newer policy is for the next event.
      if (now.metadata.generation !== generation) return cloneJson(now);
      return withOwnStatus(services.clock, store.kind, MANAGER, now, {
        typeChecking: warnings.length > 0 ? { expressionWarnings: warnings } : {},
        observedGeneration: generation,
      });
    },
    {
      context: systemContext(services.clock, services.signal),
      name,
      subresource: 'status',
      ...(strategy ? { strategy } : {}),
    },
  );
}

async function follow(services: ServerServices): Promise<void> {
  const { signal, logger } = services;
  const store = services.store('admissionregistration.k8s.io', 'v1', 'validatingadmissionpolicies');
  const request = { resourceVersion: '', resourceVersionMatch: '', allowBookmarks: false, signal };
  for await (const batch of store.watch(request)) {
    for (const event of batch) {
      if (event.type === 'BOOKMARK' || event.type === 'DELETED') continue;
      await report(services, event.representation.object as Policy).catch((error: unknown) => {
        if (isNotFound(error) || isConflict(error) || signal.aborted) return;
        logger.warn('cannot check the types of a policy', { err: String(error) });
      });
    }
  }
}

/** Writes the type warnings of policies into their status (k8s pkg/controller/validatingadmissionpolicystatus) until the server stops. */
export async function followPolicies(services: ServerServices): Promise<void> {
  const { signal, logger, clock } = services;
  while (!signal.aborted) {
    try {
      await follow(services);
    } catch (error) {
      if (signal.aborted) return;
      logger.warn('watch of admission policies ended', { err: String(error) });
    }
    await clock.sleep(RETRY_MS, signal).catch(() => undefined);
  }
}
