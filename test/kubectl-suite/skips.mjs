/** Functions of upstream's test/cmd that are left out, and why. */
const UNKNOWN = 'its kubectl knows no CronJob of batch/v1, which is the preferred version';
const NO_CONVERT = 'wants `kubectl convert`, which the kubectl that is built does not have';
const SKIPS = {
  assert_short_name: 'expects resources without their singularName, which discovery has since 1.27',
  kubectl_create_error: NO_CONVERT,
  template_output: NO_CONVERT,
  multi_resources: 'ends with a manifest that it fetches from the internet',
  plugins: 'runs plugins of a relative PATH, which programs of Go since 1.19 do not',
  job: UNKNOWN,
  create_job: UNKNOWN,
};

export const reasonToSkip = (name) => SKIPS[name];
