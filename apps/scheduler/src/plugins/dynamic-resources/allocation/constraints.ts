import type { DeviceAttribute, DeviceConstraint } from '@orrery/api';
import type { Candidate } from './pools.js';

/** Something that the devices of a claim must have together. Once it refuses, more devices do not help. */
export interface Constraint {
  /** False when the device does not go with those that are there. */
  add(request: string, candidate: Candidate): boolean;
  /** Takes back the last that was added. */
  remove(request: string): void;
}

/** A name with a domain; without one in the device's map it is the driver's own (k8s lookupAttribute). */
function attributeOf({ device, driver }: Candidate, name: string): DeviceAttribute | undefined {
  const { attributes = {} } = device;
  if (Object.hasOwn(attributes, name)) return attributes[name];
  const slash = name.indexOf('/');
  if (slash < 0 || name.slice(0, slash) !== driver) return undefined;
  const id = name.slice(slash + 1);
  return Object.hasOwn(attributes, id) ? attributes[id] : undefined;
}

/** Equal for values that are the same; undefined for those that cannot be compared. Versions have one spelling each. */
function keyOf(attribute: DeviceAttribute | undefined): string | undefined {
  if (!attribute) return undefined;
  const { string, int, bool, version } = attribute;
  if (string !== undefined) return `s${string}`;
  if (int !== undefined) return `i${int}`;
  if (bool !== undefined) return `b${bool}`;
  return version === undefined ? undefined : `v${version}`;
}

/** All devices have the same value of an attribute, or no two of them. */
class AttributeConstraint implements Constraint {
  readonly #values: string[] = [];
  readonly #requests: ReadonlySet<string>;

  constructor(
    private readonly attribute: string,
    private readonly distinct: boolean,
    requests: readonly string[],
  ) {
    this.#requests = new Set(requests);
  }

  add(request: string, candidate: Candidate): boolean {
    if (!this.#concerns(request)) return true;
    const value = keyOf(attributeOf(candidate, this.attribute));
    if (value === undefined) return false;
    const [first = value] = this.#values;
    if (this.distinct ? this.#values.includes(value) : first !== value) return false;
    this.#values.push(value);
    return true;
  }

  remove(request: string): void {
    if (this.#concerns(request)) this.#values.pop();
  }

  /** A request is named alone or with its alternative: `gpu`, `gpu/small`. */
  #concerns(request: string): boolean {
    if (this.#requests.size === 0 || this.#requests.has(request)) return true;
    const slash = request.indexOf('/');
    return slash >= 0 && this.#requests.has(request.slice(0, slash));
  }
}

/** Undefined for a constraint of a kind that is not known. */
export function toConstraint({
  matchAttribute,
  distinctAttribute,
  requests = [],
}: DeviceConstraint): Constraint | undefined {
  if (matchAttribute) return new AttributeConstraint(matchAttribute, false, requests);
  if (distinctAttribute) return new AttributeConstraint(distinctAttribute, true, requests);
  return undefined;
}
