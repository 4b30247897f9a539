/** The dataplane's door: the component that holds the listeners of a host's service addresses. */
import type { ComponentApp } from '@orrery/component';
import { parseFlags } from '@orrery/component';
import { DataplaneFlags } from './config/dataplane-flags.js';
import { serve } from './serve.js';

export const app: ComponentApp = {
  name: 'dataplane',
  run: (argv, context) => serve(parseFlags(DataplaneFlags, argv, 'dataplane'), context),
};
