/** kube-proxy's door: turns Services and EndpointSlices into the rules of the host's dataplane. */
import type { ComponentApp } from '@orrery/component';
import { parseFlags } from '@orrery/component';
import { KubeProxyFlags } from './config/kube-proxy-flags.js';
import { serve } from './serve.js';

export const app: ComponentApp = {
  name: 'kube-proxy',
  run: (argv, context) => serve(parseFlags(KubeProxyFlags, argv, 'kube-proxy'), context),
};
