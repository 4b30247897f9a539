/** The kubelet's door: the node agent. */
import type { ComponentApp } from '@orrery/component';
import { parseOptions } from './config/kubelet-options.js';
import { serve } from './serve.js';

export const app: ComponentApp = {
  name: 'kubelet',
  run: (argv, context) => serve(parseOptions(argv), context),
};

export { hollowNodes } from './hollow/hollow-nodes.js';
export { ensureClientKubeconfig } from './credentials/client-kubeconfig.js';
export type { JoinOptions } from './credentials/client-kubeconfig.js';
