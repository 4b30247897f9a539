export interface KubeconfigContent {
  readonly clusterName: string;
  /** e.g. https://127.1.0.1:6443 */
  readonly server: string;
  readonly caPem: string;
  readonly userName: string;
  readonly credentials:
    { readonly certPem: string; readonly keyPem: string } | { readonly token: string };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const quote = (text: string): string => JSON.stringify(text);

/** A kubeconfig file with one cluster, user and context, certificates embedded, as kubeadm writes them. */
export function toKubeconfig(content: KubeconfigContent): string {
  const { clusterName, credentials, userName } = content;
  const context = `${userName}@${clusterName}`;
  const user =
    'token' in credentials
      ? [`    token: ${quote(credentials.token)}`]
      : [
          `    client-certificate-data: ${base64(credentials.certPem)}`,
          `    client-key-data: ${base64(credentials.keyPem)}`,
        ];
  return [
    'apiVersion: v1',
    'kind: Config',
    'clusters:',
    `- name: ${quote(clusterName)}`,
    '  cluster:',
    `    certificate-authority-data: ${base64(content.caPem)}`,
    `    server: ${quote(content.server)}`,
    'contexts:',
    `- name: ${quote(context)}`,
    '  context:',
    `    cluster: ${quote(clusterName)}`,
    `    user: ${quote(userName)}`,
    `current-context: ${quote(context)}`,
    'preferences: {}',
    'users:',
    `- name: ${quote(userName)}`,
    '  user:',
    ...user,
    '',
  ].join('\n');
}
