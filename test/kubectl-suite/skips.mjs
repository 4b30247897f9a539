/** Functions of upstream's test/cmd that are left out, and why. */
const UNKNOWN = 'its kubectl knows no CronJob of batch/v1, which is the preferred version';
const SKIPS = {
  assert_short_name: 'expects resources without their singularName, which discovery has since 1.27',
  kubectl_create_error: "wants `kubectl convert`, which this kubectl doesn't have",
  job: UNKNOWN,
  create_job: UNKNOWN,
};

export const reasonToSkip = (name) => SKIPS[name];
