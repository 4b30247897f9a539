/** Whether `labels` has every pair of `selector` (CRI filters know equality only). */
export function matchesLabels(
  labels: Readonly<Record<string, string>>,
  selector: Readonly<Record<string, string>> | undefined,
): boolean {
  return Object.entries(selector ?? {}).every(([key, value]) => labels[key] === value);
}

/** Whether `id` is meant by the filter's id, which may be a prefix or empty. */
export const matchesId = (id: string, wanted: string | undefined): boolean =>
  !wanted || id.startsWith(wanted);
