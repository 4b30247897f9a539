import { defineKind } from '../../../kind.js';
import type {
  MutatingWebhookConfiguration,
  ValidatingWebhookConfiguration,
} from '../../../gen/types/admissionregistration.v1.js';
import { list } from '../../../meta/list.js';
import { strategyOf } from '../../../meta/strategy.js';
import type { Column } from '../../../table/columns.js';
import { ageColumn, count, nameColumn, table } from '../../../table/columns.js';
import { staticNameWarnings } from '../policy/static-names.js';
import { setWebhookDefaults, validateWebhooks } from './webhookconfiguration.validation.js';

type Configuration = MutatingWebhookConfiguration | ValidatingWebhookConfiguration;

const columns: readonly Column<Configuration>[] = [
  nameColumn,
  count('Webhooks', ({ webhooks }) => list<unknown>(webhooks).length),
  ageColumn,
];

export const MutatingWebhookConfigurationKind = defineKind<MutatingWebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingWebhookConfiguration',
  plural: 'mutatingwebhookconfigurations',
  categories: ['api-extensions'],
  scope: 'Cluster',
  setDefaults({ webhooks }) {
    for (const webhook of list(webhooks)) {
      setWebhookDefaults(webhook);
      webhook.reinvocationPolicy ??= 'Never';
    }
  },
  strategy: strategyOf<MutatingWebhookConfiguration>({
    namespaced: false,
    allowUnconditionalUpdate: false,
    checkCreate: ({ webhooks }) => validateWebhooks(webhooks),
    checkUpdate: ({ webhooks }, old) => validateWebhooks(webhooks, list(old.webhooks)),
    warnings: staticNameWarnings,
  }),
  columns: table<MutatingWebhookConfiguration>(columns),
  hasGeneration: true,
});

export const ValidatingWebhookConfigurationKind = defineKind<ValidatingWebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingWebhookConfiguration',
  plural: 'validatingwebhookconfigurations',
  categories: ['api-extensions'],
  scope: 'Cluster',
  setDefaults: ({ webhooks }) => list(webhooks).forEach(setWebhookDefaults),
  strategy: strategyOf<ValidatingWebhookConfiguration>({
    namespaced: false,
    allowUnconditionalUpdate: false,
    checkCreate: ({ webhooks }) => validateWebhooks(webhooks),
    checkUpdate: ({ webhooks }, old) => validateWebhooks(webhooks, list(old.webhooks)),
    warnings: staticNameWarnings,
  }),
  columns: table<ValidatingWebhookConfiguration>(columns),
  hasGeneration: true,
});
