/** kube-proxy's door: turns Services and EndpointSlices into the rules of the host's dataplane. */
import type { ComponentApp } from '@orrery/component';
import { parseFlags } from '@orrery/component';
import { KubeProxyFlags } from './config/kube-proxy-flags.js';
import { serve } from './serve.js';

export const app: ComponentApp = {
  name: 'kube-proxy',
  run: (argv, context) => serve(parseFlags(KubeProxyFlags, argv, 'kube-proxy'), context),
};
export { printedPorts } from './printing/service-ports.js';
export type { PrintedPort } from './printing/service-ports.js';
export type { PrintOptions } from './printing/iptables-text.js';
export { currentIptables } from './printing/iptables-current.js';
export { iptables120 } from './printing/iptables-v1-20.js';
export { ipvsadm } from './printing/ipvsadm-text.js';
export { columns, rulesTable } from './printing/rules-table.js';
export { KubeProxyConfiguration } from './config/kube-proxy-configuration.js';
export { settingsOf } from './config/settings.js';
export { localSources, nodeFacts, nodePortAddresses } from './rules/node-addresses.js';
export { serviceRules } from './rules/service-rules.js';
