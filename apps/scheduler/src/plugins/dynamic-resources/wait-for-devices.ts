import { keyOf } from '@orrery/apimachinery';
import { resources } from '@orrery/api';
import type { Pod } from '@orrery/api';
import type { DeviceWait, PluginContext } from '../../framework/plugin.js';
import {
  driversToWaitFor,
  hasBindingConditions,
  isOverdue,
  readinessOf,
} from './binding-conditions.js';
import type { ClaimState } from './claim-state.js';
import type { Timeouts } from './dynamic-resources-args.js';

/** Between looks at what drivers say; upstream looks every five seconds. */
const POLL_MS = 500;

type Waiting = Pick<
  PluginContext,
  'clock' | 'events' | 'ledger' | 'deviceWaited' | 'schedulerName'
> &
  Pick<Timeouts, 'bindingMs'> & { readonly nodeName: string };

/** The devices were not attached in time. */
class DeviceTimeout extends Error {
  override readonly name = 'DeviceTimeout';
}

/** True when all devices are attached; throws when one never will be. */
function areReady(state: ClaimState, { clock, ledger, bindingMs }: Waiting): boolean {
  for (const [i, known] of state.claims.entries()) {
    const claim = ledger.get(keyOf(known)) ?? known;
    state.claims[i] = claim;
    const readiness = readinessOf(claim);
    if (readiness.kind === 'failed') throw new Error(readiness.why);
    if (readiness.kind === 'ready') continue;
    if (isOverdue(claim, clock.now(), bindingMs))
      throw new DeviceTimeout(`claim ${claim.metadata.name ?? ''} binding timeout`);
    return false;
  }
  return true;
}

/** Waits for devices that have to be attached to the node before the pod is bound (k8s dynamicresources.go:PreBind). */
export async function waitForDevices(
  state: ClaimState,
  pod: Pod,
  waiting: Waiting,
  signal: AbortSignal,
): Promise<void> {
  if (!state.claims.some(hasBindingConditions)) return;
  const { clock, events, bindingMs, nodeName } = waiting;
  events.report({
    regarding: { ...pod, apiVersion: 'v1', kind: resources.pods.kind },
    type: 'Normal',
    reason: 'BindingConditionsPending',
    action: 'Scheduling',
    note: `waiting for binding conditions for device on node ${nodeName}`,
  });
  const from = clock.monotonic();
  const drivers = driversToWaitFor(state.claims);
  const tell = (status: DeviceWait['status']): void => {
    const seconds = (clock.monotonic() - from) / 1000;
    for (const driver of drivers)
      waiting.deviceWaited({ profile: waiting.schedulerName, driver, status, seconds });
  };
  try {
    while (!areReady(state, waiting)) {
      if (clock.monotonic() > from + bindingMs) throw new DeviceTimeout('device binding timeout');
      await clock.sleep(POLL_MS, signal);
    }
  } catch (error) {
    tell(error instanceof DeviceTimeout ? 'timeout' : 'failure');
    throw error;
  }
  tell('success');
}
