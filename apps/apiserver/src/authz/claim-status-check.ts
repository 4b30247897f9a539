import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, forbidden, newInvalid } from '@orrery/apimachinery';
import type { ResourceClaim } from '@orrery/api';
import type { AdmissionAttributes, AdmissionPlugin, UserInfo } from '@orrery/registry';
import { equalJson } from '@orrery/registry';
import type { Authorizer } from '../filters/authorization.js';
import { resourceAttributes } from './attributes.js';

const GROUP = 'resource.k8s.io';
const STATUS = FieldPath.of('status');
const NODE_NAME = 'authentication.kubernetes.io/node-name';

type Status = ResourceClaim['status'];
type Device = NonNullable<NonNullable<Status>['devices']>[number];

const keyOf = ({ driver, pool, device, shareID }: Device): string =>
  JSON.stringify([driver, pool, device, shareID ?? '']);

/** The drivers of devices that are new, gone or changed. */
export function modifiedDrivers(status: Status, old: Status): string[] {
  const before = new Map((old?.devices ?? []).map((device) => [keyOf(device), device]));
  const now = new Map((status?.devices ?? []).map((device) => [keyOf(device), device]));
  const isSame = (key: string): boolean => equalJson(before.get(key) ?? null, now.get(key) ?? null);
  const changed = [...before, ...now].filter(([key]) => !isSame(key));
  return [...new Set(changed.map(([, { driver }]) => driver))].sort();
}

/** The one node that the claim's devices are for; undefined where they can be used from others. */
function nodeOf(status: Status): string | undefined {
  const terms = status?.allocation?.nodeSelector?.nodeSelectorTerms ?? [];
  const [field, ...others] = terms[0]?.matchFields ?? [];
  const isOne =
    terms.length === 1 &&
    others.length === 0 &&
    field?.key === 'metadata.name' &&
    field.operator === 'In' &&
    field.values?.length === 1;
  return isOne ? field.values?.[0] : undefined;
}

/**
 * Who writes the status of a claim needs a right for each part of it: `resourceclaims/binding` for what is allocated
 * and for whom, `resourceclaims/driver` by the driver's name for what drivers tell of devices
 * (k8s pkg/registry/resource:AuthorizedForBinding, AuthorizedForDeviceStatus; KEP 4817).
 */
export class ClaimStatusCheck implements AdmissionPlugin {
  readonly name = 'ResourceClaimStatusCheck';

  constructor(private readonly authorizer: Authorizer) {}

  handles(operation: string): boolean {
    return operation === 'UPDATE';
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    const { kind, subresource, object, oldObject, name } = attributes;
    if (kind.group !== GROUP || kind.plural !== 'resourceclaims' || subresource !== 'status')
      return;
    const status = (object as ResourceClaim | undefined)?.status;
    const old = (oldObject as ResourceClaim | undefined)?.status;
    const faults = [
      ...(await this.bindingFaults(attributes, status, old)),
      ...(await this.deviceFaults(attributes, status, old)),
    ];
    if (faults.length > 0) throw newInvalid({ group: GROUP, kind: kind.kind }, name, faults);
  }

  private async bindingFaults(
    attributes: AdmissionAttributes,
    status: Status,
    old: Status,
  ): Promise<FieldError[]> {
    const isSame =
      equalJson(status?.allocation ?? null, old?.allocation ?? null) &&
      equalJson(status?.reservedFor ?? [], old?.reservedFor ?? []);
    const verb = verbOf(attributes);
    if (isSame || (await this.may(attributes, verb, 'binding', ''))) return [];
    const text = `changing status.allocation or status.reservedFor requires ${verb} permission on resourceclaims/binding`;
    return [forbidden(STATUS, text)];
  }

  private async deviceFaults(
    attributes: AdmissionAttributes,
    status: Status,
    old: Status,
  ): Promise<FieldError[]> {
    const verb = verbOf(attributes);
    const node = nodeOf(status);
    const isOnNode = node !== undefined && nodeNamesOf(attributes.context.user).includes(node);
    const verbs = [...(isOnNode ? [`associated-node:${verb}`] : []), `arbitrary-node:${verb}`];
    const faults: FieldError[] = [];
    for (const driver of modifiedDrivers(status, old)) {
      let allowed = false;
      for (const each of verbs) allowed ||= await this.may(attributes, each, 'driver', driver);
      const text = `changing status.devices of driver ${JSON.stringify(driver)} requires ${verbs.join(' or ')} permission on resourceclaims/driver`;
      if (!allowed) faults.push(forbidden(STATUS.child('devices'), text));
    }
    return faults;
  }

  private async may(
    { namespace = '', kind, context }: AdmissionAttributes,
    verb: string,
    subresource: string,
    name: string,
  ): Promise<boolean> {
    const { version } = kind;
    const info = resourceAttributes({
      verb,
      group: GROUP,
      version,
      resource: 'resourceclaims',
      subresource,
      namespace,
      name,
    });
    return (await this.authorizer.authorize({ user: context.user, info })).allowed;
  }
}

const verbOf = ({ context }: AdmissionAttributes): string =>
  context.origin?.verb === 'patch' ? 'patch' : 'update';

/** Of a service account whose token is bound to a pod on it. */
const nodeNamesOf = ({ name, extra }: UserInfo): readonly string[] =>
  name.startsWith('system:serviceaccount:') ? (extra?.[NODE_NAME] ?? []) : [];
