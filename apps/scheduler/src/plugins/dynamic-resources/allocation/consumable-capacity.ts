import type {
  CapacityRequestPolicy,
  CapacityRequestPolicyRange,
  Device,
  DeviceCapacity,
} from '@orrery/api';
import type { Amounts } from '../../../cache/taken-devices.js';
import { toNanos } from '../../../cache/taken-devices.js';

const NANO = 1_000_000_000n;

/** The next step at or above the amount; steps are whole numbers. */
function roundToRange(amount: bigint, { min, step }: CapacityRequestPolicyRange): bigint {
  const least = toNanos(min);
  if (amount < least) return least;
  if (step === undefined) return amount;
  const width = toNanos(step);
  const above = ceilToWhole(amount) - least;
  return least + ((above + width - 1n) / width) * width;
}

const ceilToWhole = (nanos: bigint): bigint => ((nanos + NANO - 1n) / NANO) * NANO;

/** What a request takes of a capacity: rounded up as the device's policy says. */
function consumedOf(asked: string | undefined, { value, requestPolicy }: DeviceCapacity): bigint {
  if (asked === undefined) return toNanos(requestPolicy?.default ?? value);
  const amount = toNanos(asked);
  if (requestPolicy?.validRange) return roundToRange(amount, requestPolicy.validRange);
  const valid = requestPolicy?.validValues?.map(toNanos).find((each) => amount <= each);
  return valid ?? amount;
}

function violates(amount: bigint, policy: CapacityRequestPolicy | undefined): boolean {
  if (!policy || (policy.default !== undefined && amount === toNanos(policy.default))) return false;
  const { validRange, validValues = [] } = policy;
  if (validRange) {
    const { min, max, step } = validRange;
    if (max !== undefined && amount > toNanos(max)) return true;
    return step !== undefined && (amount - toNanos(min)) % toNanos(step) !== 0n;
  }
  return validValues.length > 0 && !validValues.some((each) => toNanos(each) === amount);
}

/**
 * What a request would take of a device's capacities, in nanos; undefined when the device does not have them, or not
 * enough is left beside `used` (k8s structured/internal/incubating/consumable_capacity.go).
 */
export function consumedCapacity(
  device: Device,
  requests: Readonly<Record<string, string>>,
  used: Amounts,
): Amounts | undefined {
  const { capacity = {} } = device;
  if (Object.keys(requests).some((name) => !Object.hasOwn(capacity, name))) return undefined;
  const consumed = new Map<string, bigint>();
  for (const [name, each] of Object.entries(capacity)) {
    const amount = consumedOf(requests[name], each);
    if (violates(amount, each.requestPolicy)) return undefined;
    if ((used.get(name) ?? 0n) + amount > toNanos(each.value)) return undefined;
    consumed.set(name, amount);
  }
  return consumed;
}
