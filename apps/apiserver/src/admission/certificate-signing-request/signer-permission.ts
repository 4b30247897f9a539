import type { AdmissionAttributes } from '@orrery/registry';
import { resourceAttributes } from '../../authz/attributes.js';
import type { Authorizer } from '../../filters/authorization.js';
import { forbiddenBy } from '../forbidden.js';

export const isCsr = ({ kind }: AdmissionAttributes): boolean =>
  kind.group === 'certificates.k8s.io' && kind.plural === 'certificatesigningrequests';

/** Whether the user may `verb` for a signer, by its name or by `domain/*` (k8s pkg/certauthorization). */
export async function mayUseSigner(
  authorizer: Authorizer,
  { context: { user } }: AdmissionAttributes,
  verb: string,
  signerName: string,
): Promise<boolean> {
  const ask = async (name: string): Promise<boolean> => {
    const info = resourceAttributes({
      verb,
      group: 'certificates.k8s.io',
      version: '*',
      resource: 'signers',
      name,
    });
    return (await authorizer.authorize({ user, info })).allowed;
  };
  const [domain = ''] = signerName.split('/');
  return (await ask(signerName)) || ask(`${domain}/*`);
}

/** Throws 403 unless the user may. */
export async function requireSigner(
  authorizer: Authorizer,
  attributes: AdmissionAttributes,
  verb: string,
  signerName: string,
): Promise<void> {
  if (await mayUseSigner(authorizer, attributes, verb, signerName)) return;
  const what = verb === 'attest' ? 'attest for' : `${verb} requests with`;
  throw forbiddenBy(
    attributes,
    `user not permitted to ${what} signerName ${JSON.stringify(signerName)}`,
  );
}
