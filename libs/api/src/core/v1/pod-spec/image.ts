/** The pull policy upstream gives an image that names none: Always for `latest`, by name or by omission. */
export function defaultPullPolicy(image: string | undefined): 'Always' | 'IfNotPresent' {
  const text = String(image ?? '');
  if (text.includes('@')) return 'IfNotPresent';
  const last = text.slice(text.lastIndexOf('/') + 1);
  const colon = last.lastIndexOf(':');
  return colon < 0 || last.slice(colon + 1) === 'latest' ? 'Always' : 'IfNotPresent';
}
