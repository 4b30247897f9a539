import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { notSupported } from '@orrery/apimachinery';
import { when } from '../../../meta/findings.js';
import { check, qualifiedName } from '../../../meta/names.js';

const KNOWN = ['OldestEmulationVersion'];

/** How a coordinated lease chooses its holder: one of Kubernetes' own names, or a name with a domain. */
export function validateLeaseStrategy(strategy: string, path: FieldPath): FieldError[] {
  // Upstream names the field twice: `spec.strategy.strategy`.
  const at = path.child('strategy');
  return strategy.includes('/')
    ? check(qualifiedName, strategy, at)
    : when(!KNOWN.includes(strategy), notSupported(at, strategy, KNOWN));
}
