import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, invalid, required } from '@orrery/apimachinery';
import type { Job } from '../../../types.js';
import { when } from '../../../meta/findings.js';
import { selectorMatches, validateLabelSelector } from '../../../meta/label-selector.js';
import { entries, own } from '../../../meta/list.js';

const CONTROLLER_UID = 'batch.kubernetes.io/controller-uid';
const SPEC = FieldPath.of('spec');

/** The labels by which a job knows its own pods. */
const generatedLabels = ({ metadata: { uid = '', name = '' } }: Job): Record<string, string> => ({
  [CONTROLLER_UID]: uid,
  'batch.kubernetes.io/job-name': name,
  'controller-uid': uid,
  'job-name': name,
});

/** No labels, or by default those of the template, which are one map with them until the job is stored. */
const hasLabelsOfTemplate = ({ metadata: { labels }, spec }: Job): boolean =>
  labels === spec?.template?.metadata?.labels || entries(labels).length === 0;

/**
 * k8s pkg/registry/batch/job/strategy.go:generateSelector: a job selects its own pods by its uid. What the user
 * has set stays, so that validation tells of it.
 */
export function generateSelector(job: Job): void {
  const { spec } = job;
  if (!spec?.template || spec.manualSelector) return;
  const template = (spec.template.metadata ??= {});
  const areOfTemplate = hasLabelsOfTemplate(job);
  template.labels = { ...generatedLabels(job), ...template.labels };
  if (areOfTemplate) job.metadata.labels = { ...template.labels };
  spec.selector ??= {};
  spec.selector.matchLabels = {
    [CONTROLLER_UID]: job.metadata.uid ?? '',
    ...spec.selector.matchLabels,
  };
}

const PREFIX = 'batch.kubernetes.io/';

/** Jobs of old servers have no labels with a prefix. */
const hasPrefixed = ({ spec }: Job): boolean =>
  ['controller-uid', 'job-name'].every(
    (name) => own(spec?.template?.metadata?.labels, `${PREFIX}${name}`) !== undefined,
  );

/** k8s pkg/apis/batch/validation/validation.go:validateGeneratedSelector. */
export function validateGenerated(job: Job, old?: Job): FieldError[] {
  const { spec } = job;
  if (!spec?.selector || spec.manualSelector) return [];
  const labels = generatedLabels(job);
  const wanted = Object.entries(labels).filter(
    ([key]) => !old || hasPrefixed(old) || !key.startsWith(PREFIX),
  );
  const given = spec.template?.metadata?.labels;
  const path = SPEC.child('template', 'metadata', 'labels');
  const isSelector = validateLabelSelector(spec.selector, SPEC).length === 0;
  const text = '`selector` not auto-generated';
  return [
    ...wanted.flatMap(([key, value]) => {
      const at = path.key(key);
      const found = own(given, key);
      if (found === undefined) return [required(at, `must be '${value}'`)];
      return when(found !== value, invalid(at, given, `must be '${value}'`));
    }),
    ...when(
      isSelector && !selectorMatches(spec.selector, labels),
      invalid(SPEC.child('selector'), spec.selector, text),
    ),
  ];
}
