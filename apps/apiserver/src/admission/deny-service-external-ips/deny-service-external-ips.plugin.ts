import type { Service } from '@orrery/api';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import { forbiddenBy } from '../forbidden.js';

/** No Service takes over foreign addresses: new external IPs are refused (CVE-2020-8554). */
export class DenyServiceExternalIps implements AdmissionPlugin {
  readonly name = 'DenyServiceExternalIPs';

  handles(operation: Operation): boolean {
    return operation === 'CREATE' || operation === 'UPDATE';
  }

  validate(attributes: AdmissionAttributes): void {
    const { kind, subresource, object, oldObject } = attributes;
    if (kind.group !== '' || kind.plural !== 'services' || subresource !== '') return;
    const before = new Set((oldObject as Service | undefined)?.spec?.externalIPs ?? []);
    const added = ((object as Service).spec?.externalIPs ?? []).some((ip) => !before.has(ip));
    if (added) throw forbiddenBy(attributes, 'Use of external IPs is denied by admission control.');
  }
}
